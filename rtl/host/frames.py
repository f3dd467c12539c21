"""What passes between framing and core driver: a request part by part, an answer byte by byte."""

from amaranth.lib import data, enum

__all__ = ["AnswerByte", "PartKind", "RequestPart"]


class PartKind(enum.Enum, shape=2):
    """Kind of a part of a request: each request is ``COMMAND``, ``LENGTH``, its ``DATA``, ``END``."""

    COMMAND = 0
    """``byte`` is the command."""

    LENGTH = 1
    """``left`` is the length of the payload."""

    DATA = 2
    """``byte`` is one of the payload; ``left`` counts it and those after it: 1 at the last."""

    END = 3
    """The checksum is right: what the request asks for may be done."""


class RequestPart(data.StructLayout):
    """Layout of a part of a request. A field that its kind does not speak of means nothing.

    Parameters
    ----------
    longest : :class:`int`
        Bytes of the longest payload.
    """

    def __init__(self, longest: int):
        self.longest = longest
        super().__init__({"kind": PartKind, "byte": 8, "left": range(longest + 1)})


class AnswerByte(data.Struct):
    """A byte of an answer from its status on: status, length, payload. ``last``: of the answer."""

    byte: 8
    last: 1
