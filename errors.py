"""The one exception that a user of files and commands meets, and a remedy that many of its sentences name."""

from collections.abc import Iterable
from difflib import get_close_matches

from .printable import printable

__all__ = ["FirstspikeError", "did_you_mean"]


class FirstspikeError(Exception):
    """Something outside the program is wrong: a file, a folder, a tool, a size.

    The message is one clear sentence, of printable characters alone, that names the thing, what is wrong with
    it and the remedy. The command line prints it and exits with code 2; nothing half-written is left behind.
    """

    def __init__(self, sentence: object = ""):
        super().__init__(printable(sentence))


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """" (did you mean 'x'?)" for the one of ``known`` that a mistyped name comes nearest to, "" for none."""
    nearest = get_close_matches(str(name), list(known), n=1)
    return f" (did you mean {nearest[0]!r}?)" if nearest else ""
