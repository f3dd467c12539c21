"""What the hardware did against what the golden model did: every spike, every potential, every class."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from ..network import Network, Phase
from ..network.batched import Batch
from ..rtl.description import CoreDescription, LayerDescription, Place, StreamPort
from .payloads import field, packed

__all__ = ["Comparison", "Mismatch", "compare", "horizons"]


@dataclass(frozen=True)
class Mismatch:
    """A difference between the two.

    ``what``: "spike" (``expected`` and ``found``: how often the neuron fired in the step), "potential",
    "class", "decision step", "order" (a spike after the end of its step), "window" (a window too many) or
    "hang" (``text`` says where). What does not apply is None.
    """

    what: str
    image: int
    layer: str | None = None
    neuron: int | None = None
    step: int | None = None
    expected: int | None = None
    found: int | None = None
    text: str = ""
    run: str = ""

    def __str__(self) -> str:
        place = [f"image {self.image}"]
        if self.layer is not None:
            place.append(f"layer {self.layer!r}")
        if self.neuron is not None:
            place.append(f"neuron {self.neuron}")
        if self.step is not None:
            place.append(f"step {self.step}")
        said = self.text
        if self.what == "spike":
            said = "a spike is missing" if not self.found else "a spike too many"
        elif not said:
            found = "nothing" if self.found is None else self.found
            said = f"the {self.what} is {found}, not {self.expected}"
        return f"{', '.join(place)}: {said}" + (f" ({self.run})" if self.run else "")

    def as_dict(self) -> dict:
        """For JSON; with a sentence, ``text``, in any case."""
        return asdict(self) | {"text": str(self)}


@dataclass(frozen=True)
class Comparison:
    """``spikes``, ``potentials``: how many of the golden model's were compared; ``mismatches``: how many
    differences there are; ``first``: the earliest, by image, layer and step."""

    spikes: int
    potentials: int
    mismatches: int
    first: Mismatch | None


def horizons(network: Network, steps: np.ndarray) -> list[np.ndarray]:
    """Up to which step each layer's spikes are compared where windows are stopped early.

    All spikes up to the decision step, and all of a layer that a windowed layer listens to on the way to the
    output: they were sent before anything could be decided.

    Parameters
    ----------
    steps: the decision steps, shape ``(count,)``.

    Returns
    -------
    One array of shape ``(count,)`` for each layer.
    """
    whole: dict[str, bool] = {network.output.name: False}
    for layer in reversed(network.layers):
        for synapse in layer.synapses:
            complete = layer.phase is Phase.WINDOWED or whole[layer.name]
            whole[synapse.source] = whole.get(synapse.source, True) and complete
    return [np.full_like(steps, layer.window) if whole[layer.name] else steps for layer in network.layers]


def compare(network: Network, top: CoreDescription, golden: Batch, recording: Mapping[str, np.ndarray], *,
            early: bool, complaint: str = "") -> Comparison:
    """Hold a recording of :mod:`.testbench` against the golden model.

    Parameters
    ----------
    top: the core from outside.
    golden: what the golden model did with the same windows.
    early: whether windows were stopped early; then spikes after the decision step and potentials are not
        compared.
    complaint: why the bench gave up; only what had come until then is compared, and this counts as one
        mismatch.
    """
    count = len(golden.label)
    found: list[tuple[tuple, Mismatch]] = []
    total = spikes = potentials = 0
    limits = horizons(network, golden.step) if early else [np.full(count, 1 << 30)] * len(network.layers)
    for index, (layer, place) in enumerate(zip(network.layers, top.layers, strict=True)):
        stream = _Stream(place, recording[f"layer{index}_payloads"])
        ended = min(count, stream.windows) if complaint else count
        expected = golden.layers[index].spikes
        assert expected is not None, "the spikes were not kept"
        spikes += int((expected[:ended] & _until(limits[index][:ended], layer.window)).sum())
        for number, mismatches in (
            _compare_spikes(stream, expected, limits[index], ended),
            _compare_order(stream, limits[index], ended),
            _compare_windows(stream, count),
        ):
            total += number
            found += [((mismatch.image, index, 0, mismatch.step or 0), mismatch) for mismatch in mismatches]
        if not early:
            done = int(min(count, len(recording["results"]))) if complaint else count
            number, mismatches = _compare_potentials(
                place, index, golden.layers[index].potential, recording, done)
            total += number
            potentials += done * layer.size
            found += [((mismatch.image, index, 1, 0), mismatch) for mismatch in mismatches]
    number, mismatches = _compare_results(top.result, golden, recording["results"], bool(complaint))
    total += number
    found += [((mismatch.image, len(network.layers), 0, 0), mismatch) for mismatch in mismatches]
    if complaint:
        image = min(count - 1, len(recording["results"]))
        found.append(((image, len(network.layers), 1, 0), Mismatch("hang", image, text=complaint)))
        total += 1
    first = min(found, key=lambda item: item[0])[1] if found else None
    return Comparison(spikes, potentials, total, first)


class _Stream:
    """A layer's tokens, apart; ``window``: in which window each came."""

    def __init__(self, layer: LayerDescription, payloads: np.ndarray):
        places, kinds = layer.spikes.fields, layer.spikes.kinds
        if layer.spikes.lanes:
            payloads, places = _on_one_lane(layer.spikes, payloads)
        kind = field(payloads, places["kind"])
        self.name, self.size = layer.name, layer.neurons
        self.step, self.address = field(payloads, places["step"]), field(payloads, places["address"])
        ends = kind == kinds["WINDOW"]
        self.window = np.cumsum(ends) - ends
        self.windows = int(ends.sum())
        self.spike = kind == kinds["SPIKE"]
        if "dump" in places:
            self.spike &= field(payloads, places["dump"]) == 0
        self.closes = kind == kinds["STEP"]


def _on_one_lane(stream: StreamPort, payloads: np.ndarray) -> tuple[np.ndarray, dict[str, Place]]:
    """What the same tokens are on a stream of one lane, in a layout of our own: spikes, then the end."""
    places: dict[str, Place] = {"kind": (0, 2), "step": (2, 16), "address": (18, 32)}
    kinds = stream.kinds
    kind = field(payloads, stream.fields["kind"])
    together = field(payloads, stream.fields["step"])
    rows = []   # which transfer, which place in it, and the token
    for place, lane in enumerate(stream.lanes):
        there = np.flatnonzero(field(payloads, lane.valid))
        address = field(payloads[there], lane.address)
        if lane.addresses is not None:
            address = np.array(lane.addresses)[np.minimum(address, len(lane.addresses) - 1)]
        step = together[there] if lane.step is None else field(payloads[there], lane.step)
        rows.append((there, np.full_like(there, place), np.full_like(there, kinds["SPIKE"]), step, address))
    ends = np.flatnonzero(kind != kinds["SPIKE"])
    last = np.full_like(ends, len(stream.lanes))
    rows.append((ends, last, kind[ends], together[ends], np.zeros_like(ends)))
    transfer, place, kind, step, address = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    order = np.lexsort((place, transfer))
    tokens = packed({"kind": kind[order], "step": step[order], "address": address[order]}, places, 50)
    return tokens, places


_Found = tuple[int, list[Mismatch]]  # how many, and the first of them


def _until(limits: np.ndarray, window: int) -> np.ndarray:
    """Which steps are compared: bool, shape ``(count, window, 1)``."""
    return (np.arange(window) <= limits[:, None])[:, :, None]


def _compare_spikes(stream: _Stream, expected: np.ndarray, limits: np.ndarray, count: int) -> _Found:
    """As sets, each spike once: order within a step is free, and steps are part of the spike."""
    window, size = expected.shape[1:]
    kept = stream.spike & (stream.window < count)
    image, step, neuron = stream.window[kept], stream.step[kept], stream.address[kept]
    compared = step <= limits[image]
    image, step, neuron = image[compared], step[compared], neuron[compared]
    wide, tall = max(size, 1 + int(neuron.max(initial=0))), max(window, 1 + int(step.max(initial=0)))
    codes, often = np.unique((image * tall + step) * wide + neuron, return_counts=True)
    where, when, who = np.nonzero(expected[:count] & _until(limits[:count], window))
    golden = (where * tall + when) * wide + who  # sorted, as nonzero goes in order
    missing = np.setdiff1d(golden, codes, assume_unique=True)
    extra = ~np.isin(codes, golden, assume_unique=True)
    often = often - ~extra
    wrong = codes[often > 0]

    def describe(code: int, expected: int, found: int) -> Mismatch:
        rest, neuron = divmod(int(code), wide)
        image, step = divmod(rest, tall)
        return Mismatch("spike", image, stream.name, neuron, step, expected, found)

    mismatches = [describe(code, 1, 0) for code in missing[:1]]
    for code in wrong[:1]:
        again = int(~extra[codes == code][0])
        mismatches.append(describe(code, again, int(often[codes == code][0]) + again))
    return len(missing) + int(often[often > 0].sum()), mismatches


def _compare_order(stream: _Stream, limits: np.ndarray, count: int) -> _Found:
    """After the end of a step no spike of that step or of an earlier one may come."""
    tall = 1 + int(stream.step.max(initial=0))
    base = stream.window * (tall + 1)
    closed = np.maximum.accumulate(np.where(stream.closes, base + stream.step + 1, 0))
    late = stream.spike & (base + stream.step < closed) & (stream.window < count)
    late[late] = stream.step[late] <= limits[stream.window[late]]
    return int(late.sum()), [
        Mismatch("order", int(stream.window[at]), stream.name, int(stream.address[at]), int(stream.step[at]),
                 text="a spike comes after the end of its step") for at in np.flatnonzero(late)[:1]]


def _compare_windows(stream: _Stream, count: int) -> _Found:
    """No window is ended twice, and nothing comes after the last."""
    over = stream.windows - count
    tail = int((stream.window >= count).sum())
    if not tail:
        return 0, []
    return tail, [Mismatch("window", count - 1, stream.name, expected=count, found=count + max(over, 0),
                           text=f"{tail} tokens come after the end of the last window")]


def _compare_potentials(place: LayerDescription, index: int, expected: np.ndarray,
                        recording: Mapping[str, np.ndarray], count: int) -> _Found:
    """Tap by tap and row by row; the n-th time that a row is shown is the n-th window."""
    total, mismatches = 0, []
    offset = np.asarray(place.offset, np.int64)
    for number, tap in enumerate(place.taps):
        values, shown = recording[f"layer{index}_final{number}"], recording[f"layer{index}_row{number}"]
        for row in range(len(tap.neurons)):
            who = np.array(tap.row(row))
            lanes = np.flatnonzero(who >= 0)
            who = who[lanes]
            found = _numbers(values[shown == row], tap.width, tap.numbers)[:, lanes] + offset[who]
            golden, both = expected[:count, who], min(count, len(found))
            wrong = found[:both] != golden[:both]
            lost = (count - both) * len(who)
            total += int(wrong.sum()) + lost
            if wrong.any():
                image, lane = (int(at) for at in np.argwhere(wrong)[0])
                mismatches.append(Mismatch("potential", image, place.name, int(who[lane]), None,
                                           int(golden[image, lane]), int(found[image, lane])))
            elif lost:
                mismatches.append(Mismatch("potential", both, place.name, int(who[0]), None,
                                           int(golden[both, 0]), None))
            if len(found) > len(expected):
                total += 1
                mismatches.append(Mismatch("potential", len(expected) - 1, place.name, int(who[0]),
                                           text="final potentials show more often than windows end"))
    return total, mismatches


def _numbers(values: np.ndarray, width: int, count: int) -> np.ndarray:
    """Signed numbers of ``width`` bits from little-endian bytes: int64, shape ``(rows, count)``."""
    bits = np.unpackbits(values, axis=1, bitorder="little")[:, :width * count]
    weights = 1 << np.arange(width, dtype=np.int64)
    weights[-1] = -weights[-1]
    return bits.reshape(len(values), count, width) @ weights


def _compare_results(result: StreamPort, golden: Batch, payloads: np.ndarray, partial: bool) -> _Found:
    """The class and the decision step of each window."""
    fields, count = result.fields, len(golden.label)
    total, mismatches = 0, []
    both = min(count, len(payloads))
    for what, name, expected in (("class", "label", golden.label), ("decision step", "step", golden.step)):
        shown = field(payloads, fields[name])
        wrong = np.flatnonzero(shown[:both] != expected[:both])
        total += len(wrong)
        mismatches += [Mismatch(what, int(at), expected=int(expected[at]), found=int(shown[at]))
                       for at in wrong[:1]]
    if len(payloads) != count and not partial:
        total += abs(len(payloads) - count)
        mismatches.append(Mismatch("class", both if both < count else count - 1, expected=count,
                                   found=len(payloads), text=f"{len(payloads)} results for {count} windows"))
    return total, mismatches
