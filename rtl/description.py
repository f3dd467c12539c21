"""What a core is like from outside: its ports, and where spikes and potentials are found inside it.

Plain data, for all who meet the Verilog rather than the Amaranth: the test bench, the board's top, other
people's designs. :meth:`CoreDescription.to_json` is what stands in a build's ``rtl/top.json``
(``docs/build-files.md`` is its schema). All names are hierarchical, below the top module; a transfer of a
stream takes place at a rising clock edge at which its ``valid`` and ``ready`` are high.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = [
    "FORMAT", "CoreDescription", "InputPort", "Lane", "LayerDescription", "LevelPort", "Place", "StreamPort",
    "Tap",
]

FORMAT = 2
"""Version of the JSON."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


def _name(value: Any, what: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(f"{what} must be a name in the design, not {value!r}")
    return value


def _count(value: Any, what: str, low: int = 0, high: int = 1 << 24) -> int:
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{what} must be an integer from {low} to {high}, not {value!r}")
    return value


def _fields(data: Any, what: str, names: Sequence[str]) -> Mapping[str, Any]:
    """``data`` as an object with the fields ``names`` and no other."""
    if not isinstance(data, Mapping):
        raise ValueError(f"{what} must be an object, not {type(data).__name__}")  # noqa: TRY004
    if sorted(data) != sorted(names):
        strange = sorted(set(data) ^ set(names))
        raise ValueError(f"{what} must have the fields {', '.join(names)}; {strange[0]!r} is amiss")
    return data


def _place(data: Any, what: str, width: int) -> tuple[int, int]:
    if not isinstance(data, list | tuple) or len(data) != 2:
        raise ValueError(f"{what} must be a lowest bit and a width")
    lowest = _count(data[0], what, 0, width)
    return lowest, _count(data[1], what, 0, width - lowest)


def _list(data: Any, what: str, most: int = 1 << 20) -> Sequence[Any]:
    if not isinstance(data, list | tuple) or len(data) > most:
        raise ValueError(f"{what} must be a list of at most {most} entries")
    return data


Place = tuple[int, int]
"""A field of a payload: its lowest bit and its width."""


@dataclass(frozen=True)
class Lane:
    """One lane of a stream that has several.

    Attributes
    ----------
    valid, address, value : :data:`Place`
        Whether there is a spike, its address and its value.
    step : :data:`Place` or None
        Its step; None: that of the whole transfer.
    addresses : tuple of :class:`int` or None
        What each value of ``address`` stands for; None: for itself.
    """

    valid: Place
    address: Place
    value: Place
    step: Place | None
    addresses: tuple[int, ...] | None

    @classmethod
    def from_json(cls, data: Any, what: str, width: int) -> "Lane":
        """The inverse of :func:`dataclasses.asdict`. Raises ValueError, which names ``what`` is wrong."""
        data = _fields(data, what, ["valid", "address", "value", "step", "addresses"])
        places = [_place(data[name], f"{what}.{name}", width) for name in ("valid", "address", "value")]
        addresses = data["addresses"]
        return cls(*places, None if data["step"] is None else _place(data["step"], f"{what}.step", width),
                   None if addresses is None else tuple(
                       _count(one, f"{what}.addresses") for one in _list(addresses, f"{what}.addresses")))


@dataclass(frozen=True)
class StreamPort:
    """A stream's signals, and what its payload holds.

    Attributes
    ----------
    payload, valid, ready : :class:`str`
        Names of its signals.
    width : :class:`int`
        Bits of the payload.
    fields : mapping of :class:`str` to (:class:`int`, :class:`int`)
        The lowest bit and the width of each field of the payload.
    kinds : mapping of :class:`str` to :class:`int`
        What the values of the field ``kind`` mean; empty where there is none.
    lanes : tuple of :class:`Lane`
        Those of a stream with several; else the spike is in ``fields``.
    """

    payload: str
    valid: str
    ready: str
    width: int
    fields: Mapping[str, tuple[int, int]]
    kinds: Mapping[str, int]
    lanes: tuple[Lane, ...] = ()

    @property
    def signals(self) -> tuple[str, str, str]:
        """Its signals' names."""
        return self.payload, self.valid, self.ready

    @classmethod
    def from_json(cls, data: Any, what: str) -> "StreamPort":
        """What :func:`dataclasses.asdict` made of one. Raises ValueError, which names ``what`` is wrong."""
        data = _fields(data, what, ["payload", "valid", "ready", "width", "fields", "kinds", "lanes"])
        width = _count(data["width"], f"{what}.width", 1, 1 << 20)
        fields, kinds = data["fields"], data["kinds"]
        if not isinstance(fields, Mapping) or not isinstance(kinds, Mapping):
            raise ValueError(f"{what}.fields and {what}.kinds must be objects")  # noqa: TRY004
        places = {_name(name, f"a name of {what}.fields"): _place(place, f"{what}.fields.{name}", width)
                  for name, place in fields.items()}
        names = (_name(data[part], f"{what}.{part}") for part in ("payload", "valid", "ready"))
        return cls(*names, width, places,
                   {name: _count(value, f"{what}.kinds.{name}") for name, value in kinds.items()},
                   tuple(Lane.from_json(lane, f"{what}.lanes[{at}]", width)
                         for at, lane in enumerate(_list(data["lanes"], f"{what}.lanes"))))


@dataclass(frozen=True)
class InputPort:
    """Where ready-made spikes go in.

    Attributes
    ----------
    stream : :class:`StreamPort`
    addresses : tuple of :class:`int`
        The network's input for each address of the stream.
    """

    stream: StreamPort
    addresses: tuple[int, ...]


@dataclass(frozen=True)
class LevelPort:
    """Where images go in as levels, one a transfer.

    Attributes
    ----------
    stream : :class:`StreamPort`
    count : :class:`int`
        Levels of an image.
    """

    stream: StreamPort
    count: int


@dataclass(frozen=True)
class Tap:
    """A signal that shows final potentials of some of a layer's neurons.

    Attributes
    ----------
    shown : :class:`str`
        The signal whose bit ``bit`` is high in each cycle in which potentials are shown.
    bit : :class:`int`
    potentials : :class:`str`
        The signal that shows them: numbers of ``width`` bits in two's complement, the first the lowest.
    width : :class:`int`
    index : :class:`str` or None
        The signal that says which row of ``neurons`` is shown; None where there is but one.
    neurons : tuple of rows, each a tuple of (first, stride, count)
        The layer's neuron behind each number of a row, as runs; a ``first`` of -1 stands for ``count``
        numbers that belong to none.
    """

    shown: str
    bit: int
    potentials: str
    width: int
    index: str | None
    neurons: tuple[tuple[tuple[int, int, int], ...], ...]

    @property
    def numbers(self) -> int:
        """Numbers that are shown at once."""
        return sum(count for _, _, count in self.neurons[0])

    def row(self, index: int) -> list[int]:
        """The neuron behind each number of a row, -1 where it belongs to none."""
        return [first if first < 0 else first + place * stride
                for first, stride, count in self.neurons[index] for place in range(count)]

    @classmethod
    def from_json(cls, data: Any, what: str) -> "Tap":
        """The inverse of :func:`dataclasses.asdict`. Raises ValueError, which names ``what`` is wrong."""
        data = _fields(data, what, ["shown", "bit", "potentials", "width", "index", "neurons"])
        rows = []
        for row in _list(data["neurons"], f"{what}.neurons"):
            runs = []
            for run in _list(row, f"{what}.neurons"):
                if not isinstance(run, list | tuple) or len(run) != 3:
                    raise ValueError(f"{what}.neurons must hold runs of (first, stride, count)")
                runs.append((_count(run[0], f"{what}.neurons", -1), _count(run[1], f"{what}.neurons"),
                             _count(run[2], f"{what}.neurons", 1)))
            rows.append(tuple(runs))
        if not rows or len({sum(count for *_, count in row) for row in rows}) != 1:
            raise ValueError(f"{what}.neurons must have rows, all of the same length")
        return cls(
            _name(data["shown"], f"{what}.shown"), _count(data["bit"], f"{what}.bit"),
            _name(data["potentials"], f"{what}.potentials"), _count(data["width"], f"{what}.width", 1, 64),
            None if data["index"] is None else _name(data["index"], f"{what}.index"), tuple(rows))


@dataclass(frozen=True)
class LayerDescription:
    """Where a layer's spikes and final potentials are found.

    Attributes
    ----------
    name : :class:`str`
    neurons, window : :class:`int`
    phase : :class:`str`
    spikes : :class:`StreamPort`
    taps : tuple of :class:`Tap`
        Every neuron is in one row of one of them.
    offset : tuple of :class:`int`
        What is to be added to each neuron's number to get its potential.
    """

    name: str
    neurons: int
    window: int
    phase: str
    spikes: StreamPort
    taps: tuple[Tap, ...]
    offset: tuple[int, ...]

    @classmethod
    def from_json(cls, data: Any, what: str) -> "LayerDescription":
        """The inverse of :func:`dataclasses.asdict`. Raises ValueError, which names ``what`` is wrong."""
        data = _fields(data, what, ["name", "neurons", "window", "phase", "spikes", "taps", "offset"])
        neurons = _count(data["neurons"], f"{what}.neurons", 1)
        taps = tuple(Tap.from_json(tap, f"{what}.taps[{place}]")
                     for place, tap in enumerate(_list(data["taps"], f"{what}.taps")))
        shown = sorted(neuron for tap in taps for row in range(len(tap.neurons)) for neuron in tap.row(row)
                       if neuron >= 0)
        if shown != list(range(neurons)):
            raise ValueError(f"{what}.taps must show each of {neurons} neurons once")
        offset = _list(data["offset"], f"{what}.offset")
        if len(offset) != neurons or any(type(value) is not int or abs(value) >= 1 << 63 for value in offset):
            raise ValueError(f"{what}.offset must be {neurons} integers")
        if not isinstance(data["name"], str) or data["phase"] not in ("online", "windowed"):
            raise ValueError(f"{what} must have a name and a phase")
        return cls(data["name"], neurons, _count(data["window"], f"{what}.window", 1), data["phase"],
                   StreamPort.from_json(data["spikes"], f"{what}.spikes"), taps, tuple(offset))


@dataclass(frozen=True)
class CoreDescription:
    """A core from outside.

    Attributes
    ----------
    top, clock, reset : :class:`str`
        The module, its clock (rising edge) and its synchronous reset.
    spikes : :class:`InputPort`
    levels : :class:`LevelPort` or None
        Only with an encoder.
    result : :class:`StreamPort`
    stop_early, decided : :class:`str` or None
        Only with early stop.
    layers : tuple of :class:`LayerDescription`
    """

    top: str
    clock: str
    reset: str
    spikes: InputPort
    levels: LevelPort | None
    result: StreamPort
    stop_early: str | None
    decided: str | None
    layers: tuple[LayerDescription, ...]

    def signals(self) -> list[str]:
        """All names that a bench may read or write."""
        streams = [self.spikes.stream, self.result, *(layer.spikes for layer in self.layers)]
        streams += [self.levels.stream] if self.levels else []
        found = [self.clock, self.reset, *(name for stream in streams for name in stream.signals)]
        found += [name for name in (self.stop_early, self.decided) if name]
        for layer in self.layers:
            for tap in layer.taps:
                found += [tap.shown, tap.potentials, *([tap.index] if tap.index else [])]
        return found

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"format": FORMAT} | asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> "CoreDescription":
        """The inverse of :meth:`to_json`.

        Raises
        ------
        ValueError
            It is of another format, or a field is missing, of another kind or out of range; the sentence
            names the field.
        """
        data = _fields(data, "top", ["format", "top", "clock", "reset", "spikes", "levels", "result",
                                     "stop_early", "decided", "layers"])
        if data["format"] != FORMAT:
            raise ValueError(f"format must be {FORMAT}, not {data['format']!r}")
        spikes = _fields(data["spikes"], "spikes", ["stream", "addresses"])
        levels = data["levels"] and _fields(data["levels"], "levels", ["stream", "count"])
        return cls(
            *(_name(data[part], part) for part in ("top", "clock", "reset")),
            InputPort(StreamPort.from_json(spikes["stream"], "spikes.stream"), tuple(
                _count(address, "spikes.addresses")
                for address in _list(spikes["addresses"], "spikes.addresses"))),
            LevelPort(StreamPort.from_json(levels["stream"], "levels.stream"),
                      _count(levels["count"], "levels.count", 1)) if levels else None,
            StreamPort.from_json(data["result"], "result"),
            *(None if data[part] is None else _name(data[part], part) for part in ("stop_early", "decided")),
            tuple(LayerDescription.from_json(layer, f"layers[{place}]")
                  for place, layer in enumerate(_list(data["layers"], "layers", 256))))
