"""The comparison by itself: an ideal recording passes, and every change to one is counted, once."""

from dataclasses import replace

import numpy as np
import pytest
from firstspike.network import Dense, Latency, Layer, Phase, Readout, batched
from firstspike.rtl.description import CoreDescription, InputPort, Lane, LayerDescription, StreamPort, Tap
from firstspike.sim.compare import Mismatch, horizons
from firstspike.sim.compare import compare as compared
from firstspike.sim.payloads import packed
from harness.naive_core import small_network
from harness.strategies import random_images, random_network
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KINDS = {"SPIKE": 0, "STEP": 1, "WINDOW": 2}
FIELDS = {"kind": (0, 2), "address": (2, 12), "step": (14, 9), "dump": (23, 1)}
WIDTH, LANES = 50, 3


def stream(fields, kinds=KINDS) -> StreamPort:
    return StreamPort("payload", "valid", "ready", 24, fields, kinds)


def described(network, interleaved: bool) -> CoreDescription:
    """Two taps a layer, the first of several rows: neighbours in one row, or in one place of all rows."""
    layers = []
    for layer in network.layers:
        half = -(-layer.size // 2)
        times = -(-half // LANES)
        rows = []
        for row in range(times):
            first, stride = (row, times) if interleaved else (row * LANES, 1)
            there = len(range(first, half if interleaved else min(half, first + LANES), stride))
            rows.append(((first, stride, there), *(((-1, 0, LANES - there),) if there < LANES else ())))
        taps = [Tap("ended", 0, "a", WIDTH, "row" if times > 1 else None, tuple(rows))]
        if layer.size > half:
            taps.append(Tap("ended", 1, "b", WIDTH, None, (((half, 1, layer.size - half),),)))
        layers.append(LayerDescription(
            layer.name, layer.size, layer.window, layer.phase.value, stream(FIELDS), tuple(taps),
            tuple(range(-1, layer.size - 1))))
    result = stream({"label": (0, 12), "step": (12, 10)}, {})
    return CoreDescription("top", "clk", "rst", InputPort(stream(FIELDS), ()), None, result, None, None,
                           tuple(layers))


def compare(network, top, golden, recording, **options):
    """What :func:`compared` says, of payloads that are plain numbers here."""
    rows = {name: np.ascontiguousarray(values, "<u8").view(np.uint8).reshape(-1, 8)
            if name == "results" or name.endswith("payloads") else values
            for name, values in recording.items()}
    return compared(network, top, golden, rows, **options)


def token(kind: str, address=0, step=0, dump=0) -> int:
    return KINDS[kind] | address << 2 | step << 14 | dump << 23


def ideal(network, top, golden) -> dict:
    """What the bench writes down of a core that does just what the golden model does."""
    recording = {"results": (golden.label | golden.step << 12).astype(np.uint64)}
    for index, place in enumerate(top.layers):
        tokens = []
        for image in golden.layers[index].spikes:
            for step, fired in enumerate(image):
                tokens += [token("SPIKE", neuron, step) for neuron in np.flatnonzero(fired)]
                if fired.any():
                    tokens.append(token("STEP", step=step))
            tokens += [token("SPIKE", 0, 0, dump=1), token("WINDOW")]
        recording[f"layer{index}_payloads"] = np.array(tokens, np.uint64)
        for number, tap in enumerate(place.taps):
            size, values, rows = -(-WIDTH * tap.numbers // 8), [], []
            for image in golden.layers[index].potential:
                for row in range(len(tap.neurons)):
                    packed = 0
                    for at, neuron in enumerate(tap.row(row)):
                        if neuron >= 0:
                            shown = int(image[neuron]) - place.offset[neuron]
                            packed |= (shown & (1 << WIDTH) - 1) << at * WIDTH
                    values.append(np.frombuffer(packed.to_bytes(size, "little"), np.uint8))
                    rows.append(row)
            recording[f"layer{index}_final{number}"] = np.array(values)
            recording[f"layer{index}_row{number}"] = np.array(rows)
    return recording


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_what_is_ideal_passes_and_no_change_does(seed, early, interleaved):
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    golden = batched.run(network, random_images(rng, network, 5))
    top = described(network, interleaved)
    recording = ideal(network, top, golden)
    limits = horizons(network, golden.step)
    found = compare(network, top, golden, recording, early=early)
    assert found.mismatches == 0 and found.first is None
    until = [(np.arange(layer.window) <= limit[:, None])[:, :, None] | (not early)
             for layer, limit in zip(network.layers, limits, strict=True)]
    assert found.spikes == sum(int((layer.spikes & kept).sum())
                               for layer, kept in zip(golden.layers, until, strict=True))
    assert found.potentials == (0 if early else 5 * sum(layer.size for layer in network.layers))

    index = int(rng.integers(len(network.layers)))
    layer, image = network.layers[index], int(rng.integers(5))
    name = f"layer{index}_payloads"
    tokens = recording[name]
    windows = np.cumsum(tokens & 3 == 2) - (tokens & 3 == 2)

    # a spike more
    step, neuron = int(rng.integers(layer.window)), int(rng.integers(layer.size))
    at = int(np.flatnonzero((windows == image) & ((tokens & 3 == 2) | (tokens >> 14 & 511 >= step)))[0])
    changed = recording | {name: np.insert(tokens, at, token("SPIKE", neuron, step))}
    found = compare(network, top, golden, changed, early=early)
    seen = not early or step <= limits[index][image]
    assert found.mismatches == int(seen)
    if seen:
        there = int(golden.layers[index].spikes[image, step, neuron])
        assert found.first == Mismatch("spike", image, layer.name, neuron, step, there, there + 1)

    # a spike less
    spikes = np.flatnonzero((tokens & 3 == 0) & (tokens >> 23 == 0))
    if len(spikes):
        at = int(rng.choice(spikes))
        image, step, neuron = int(windows[at]), int(tokens[at] >> 14 & 511), int(tokens[at] >> 2 & 4095)
        found = compare(network, top, golden, recording | {name: np.delete(tokens, at)}, early=early)
        seen = not early or step <= limits[index][image]
        assert found.mismatches == int(seen)
        assert found.first == (Mismatch("spike", image, layer.name, neuron, step, 1, 0) if seen else None)

    # one bit of one neuron's potential
    neuron, image = int(rng.integers(layer.size)), int(rng.integers(5))
    other = golden.layers[index].potential.copy()
    other[image, neuron] ^= 1 << int(rng.integers(40))
    altered = list(golden.layers)
    altered[index] = replace(golden.layers[index], potential=other)
    changed = ideal(network, top, replace(golden, layers=tuple(altered)))
    found = compare(network, top, golden, changed, early=early)
    assert found.mismatches == int(not early)
    if not early:
        right, wrong = int(golden.layers[index].potential[image, neuron]), int(other[image, neuron])
        assert found.first == Mismatch("potential", image, layer.name, neuron, None, right, wrong)


@pytest.fixture
def case():
    network = small_network()
    golden = batched.run(network, np.random.default_rng(2).integers(0, 7, (4, 10)))
    top = described(network, False)
    return network, top, golden, ideal(network, top, golden)


def test_class_and_step(case):
    network, top, golden, recording = case
    recording["results"] = recording["results"] ^ np.array([0, 0, 1, 1 << 12], np.uint64)
    found = compare(network, top, golden, recording, early=True)
    assert found.mismatches == 2
    assert found.first == Mismatch("class", 2, expected=int(golden.label[2]), found=int(golden.label[2]) ^ 1)
    assert "image 2: the class is" in str(found.first)


@pytest.mark.parametrize("more", [-1, 1])
def test_number_of_results(case, more):
    network, top, golden, recording = case
    recording["results"] = np.resize(recording["results"], 4 + more)
    found = compare(network, top, golden, recording, early=True)
    assert found.mismatches == 1 and f"{4 + more} results for 4 windows" in str(found.first)


def test_a_token_after_the_last_window(case):
    network, top, golden, recording = case
    recording["layer0_payloads"] = np.append(recording["layer0_payloads"], np.uint64(token("STEP")))
    found = compare(network, top, golden, recording, early=False)
    assert found.mismatches == 1 and found.first.what == "window"


def test_a_spike_after_its_step(case):
    network, top, golden, recording = case
    tokens = recording["layer0_payloads"]
    at = int(np.flatnonzero(tokens & 3 == 1)[0])  # the first end of a step, after at least one spike
    tokens[[at - 1, at]] = tokens[[at, at - 1]]
    found = compare(network, top, golden, recording, early=False)
    assert found.mismatches == 1
    assert found.first.what == "order" and found.first.step == int(tokens[at] >> 14 & 511)


def test_a_potential_that_is_not_shown(case):
    network, top, golden, recording = case
    for name in ("layer1_final1", "layer1_row1"):
        recording[name] = recording[name][:-1]
    found = compare(network, top, golden, recording, early=False)
    assert found.mismatches == 2  # the column has two neurons
    assert (found.first.what, found.first.image, found.first.neuron) == ("potential", 3, 2)
    assert "the potential is nothing, not" in str(found.first)


def test_of_what_hangs_only_what_came_is_compared(case):
    network, top, golden, recording = case
    half = {name: values[:len(values) // 2] for name, values in recording.items()}
    windows = [int((half[f"layer{index}_payloads"] & 3 == 2).sum()) for index in range(2)]
    found = compare(network, top, golden, half, early=True, complaint="stuck")
    assert found.mismatches == 1
    assert found.first == Mismatch("hang", 2, text="stuck") and str(found.first) == "image 2: stuck"
    until = np.arange(6)[None, :, None] <= golden.step[:, None, None]
    assert found.spikes == sum(int((layer.spikes & until)[:done].sum())
                               for layer, done in zip(golden.layers, windows, strict=True))


def test_horizons():
    """What a windowed layer has heard was sent whole, whatever is decided later."""
    def layers(*phases):
        ones = np.ones((2, 2), np.int8)
        return [Layer(Dense(ones), 6, phase, threshold=1, name=f"{place}")
                for place, phase in enumerate(phases)]

    network = small_network()
    online, windowed = Phase.ONLINE, Phase.WINDOWED
    heard = replace(network.input, size=2, mask=None, encoding=Latency(np.arange(-1, 6)))
    steps = np.array([2, 6])
    for phases, whole in [((online, online, online), "---"), ((online, windowed, online), "w--"),
                          ((online, online, windowed), "ww-"), ((windowed, online, online), "---")]:
        chain = replace(network, input=heard, layers=layers(*phases), readout=Readout.FIRST_SPIKE)
        expected = [[6, 6] if which == "w" else [2, 6] for which in whole]
        assert [limit.tolist() for limit in horizons(chain, steps)] == expected


def test_horizon_of_a_residual():
    """A layer that an online layer hears as well is compared up to the decision only."""
    ones = np.ones((2, 2), np.int8)
    network = small_network()
    heard = replace(network.input, size=2, mask=None, encoding=Latency(np.arange(-1, 6)))
    first = Layer(Dense(ones), 6, threshold=1, name="a")
    second = Layer(Dense(ones), 6, Phase.WINDOWED, threshold=1, name="b")
    last = Layer([Dense(ones, source="a"), Dense(ones, source="b")], 6, threshold=1, name="c")
    network = replace(network, input=heard, layers=(first, second, last))
    assert [limit.tolist() for limit in horizons(network, np.array([1]))] == [[1], [1], [1]]


@pytest.mark.parametrize("banked", [False, True])
def test_several_lanes_are_compared_like_one(case, banked):
    """Each transfer takes up to two spikes of a step, where banked an even and an odd one."""
    network, top, golden, recording = case
    places = {"kind": (0, 2), "step": (2, 9), "v0": (11, 1), "a0": (12, 8), "v1": (20, 1), "a1": (21, 8)}
    lanes = tuple(Lane(places[f"v{n}"], places[f"a{n}"], (20, 0), None,
                       tuple(range(n, 16, 2)) if banked else None) for n in range(2))
    port = StreamPort("p", "v", "r", 29, {name: places[name] for name in ("kind", "step")}, KINDS, lanes)
    layer = top.layers[0]
    wide = replace(top, layers=(replace(layer, spikes=port), *top.layers[1:]))
    transfers = []
    for image in golden.layers[0].spikes:
        for step, fired in enumerate(image):
            spikes = np.flatnonzero(fired).tolist()
            while spikes:
                row = {"kind": KINDS["SPIKE"], "step": step}
                for n in range(2):
                    fitting = [one for one in spikes if not banked or one % 2 == n]
                    if fitting:
                        spikes.remove(fitting[0])
                        row |= {f"v{n}": 1, f"a{n}": fitting[0] // 2 if banked else fitting[0]}
                transfers.append(row)
            if fired.any():
                transfers[-1]["kind"] = KINDS["STEP"]   # the end goes with the last of them
        transfers.append({"kind": KINDS["WINDOW"]})
    fields = {name: np.array([row.get(name, 0) for row in transfers]) for name in places}
    payloads = packed(fields, places, 29)
    rows = {name: values if name != "results" and not name.endswith("payloads")
            else np.ascontiguousarray(values, "<u8").view(np.uint8).reshape(-1, 8)
            for name, values in recording.items()} | {"layer0_payloads": payloads}
    found = compared(network, wide, golden, rows, early=False)
    assert found.mismatches == 0, found.first
    lost = next(n for n, row in enumerate(transfers) if row.get("v0"))
    payloads = payloads.copy()
    payloads[lost, 1] &= 0xF7     # the valid bit of its first lane
    found = compared(network, wide, golden, rows | {"layer0_payloads": payloads}, early=False)
    assert found.mismatches == 1 and found.first.what == "spike" and found.first.found == 0
