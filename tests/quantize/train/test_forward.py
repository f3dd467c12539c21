"""A trainable module in evaluation mode, the torch evaluation and the golden model: one arithmetic."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import (  # noqa: E402
    Dense,
    Direct,
    Fires,
    Input,
    Latency,
    Layer,
    Network,
    Phase,
    Readout,
    batched,
    golden,
)
from firstspike.quantize.train.encode import (  # noqa: E402
    arrivals,
    halving_table,
    latency_table,
    table_for,
    used_inputs,
    values,
)
from firstspike.quantize.train.evaluate import evaluate, first_decisions  # noqa: E402
from firstspike.quantize.train.kernels import Kernel  # noqa: E402
from firstspike.quantize.train.online import DecisionCost, OnlineMlp, grouped  # noqa: E402
from firstspike.quantize.train.windowed import WindowedMlp  # noqa: E402
from harness.pruned import check_pruned  # noqa: E402


def an_input(generator, size=30, window=6, dark=40):
    return Input(size, window, Latency(latency_table(window, dark)), generator.random(size) < 0.8)


def some_levels(generator, count, size=30):
    return generator.integers(0, 256, (count, size)).astype(np.uint8)


def same_as_golden(network, levels):
    """Check `evaluate` against the batched golden model in everything, the readable one in the decision."""
    seen, gold = evaluate(network, levels, batch=7), batched.run(network, levels.astype(np.int64))
    np.testing.assert_array_equal(seen.labels, gold.label)
    np.testing.assert_array_equal(seen.steps, gold.step)
    np.testing.assert_array_equal(seen.potentials[:, -1], gold.layers[-1].potential)
    np.testing.assert_allclose(seen.mean_spikes, gold.mean_spikes, atol=1e-3)
    by_step = [gold.input_spikes != 0, *(layer.spikes for layer in gold.layers)]
    for index, spikes in enumerate(by_step):
        np.testing.assert_array_equal(seen.spikes[:, index], spikes.sum(axis=(1, 2)))
        if all(layer.phase is Phase.ONLINE for layer in network.layers[index:]):  # its window is the output's
            early = np.arange(spikes.shape[1])[None, :, None] <= gold.step[:, None, None]
            spikes = spikes & early
        np.testing.assert_array_equal(seen.spikes_until[:, index], spikes.sum(axis=(1, 2)))
    for image in range(3):
        trace = golden.run(network, levels[image].astype(np.int64))
        assert (trace.label, trace.step) == (seen.labels[image], seen.steps[image])
    return seen


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hidden", [(17,), (13, 11)])
@pytest.mark.parametrize(("kernel", "prune"), [
    (Kernel("linear", 5), 0.0), (Kernel("linear", 8), 0.4),
    (Kernel("two", 6), 0.0), (Kernel("two", 12), 0.25)])
def test_windowed(seed, hidden, kernel, prune):
    generator = np.random.default_rng(seed)
    torch.manual_seed(seed)
    source = an_input(generator, window=kernel.window)
    module = WindowedMlp(source, (*hidden, 4), kernel, seed, prune=prune)
    levels = some_levels(generator, 64)
    with torch.no_grad():
        for layer in module.hidden:
            layer.gain.copy_(torch.randn(layer.gain.shape) * kernel.stretch)
            layer.shift.copy_(torch.randn(layer.shift.shape))
        module.output.offset.copy_(torch.randn(4) * 9)
        module.train()
        for _ in range(20):
            module(torch.tensor(levels))
        module.eval()
        potentials = module(torch.tensor(levels)).numpy()
    network = module.network()
    assert all(np.all(np.asarray(layer.threshold) >= 1) for layer in network.layers[:-1])
    seen = same_as_golden(network, levels)
    np.testing.assert_array_equal(seen.potentials[:, 0], potentials)
    assert seen.spikes[:, 1].sum() > 0
    check_pruned(network.layers[0].synapses[0].weights[:, network.input.used], prune)
    for layer in network.layers[1:]:
        check_pruned(layer.synapses[0].weights, prune)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hidden", [(17,), (13, 11)])
@pytest.mark.parametrize(("half", "prune"), [(False, 0.0), (True, 0.0), (True, 0.1)])
def test_online(seed, hidden, half, prune):
    generator = np.random.default_rng(seed)
    torch.manual_seed(seed)
    module = OnlineMlp(an_input(generator), (*hidden, 4), DecisionCost(), seed, half, prune)
    levels = some_levels(generator, 64)
    with torch.no_grad():
        for layer in module.hidden:
            layer.threshold.copy_(torch.rand(layer.threshold.shape) * 5 - 0.5)
        module.offset.copy_(torch.randn(4) * 2)
        module.threshold.fill_(2.4)
        potentials, hidden_spikes = module.eval()(torch.tensor(levels))
    network = module.network()
    seen = same_as_golden(network, levels)
    np.testing.assert_array_equal(seen.potentials, potentials.transpose(0, 1).numpy())
    np.testing.assert_array_equal(seen.spikes[:, 1:-1].sum(axis=1), hidden_spikes[-1].numpy())
    labels, steps = first_decisions(seen.potentials, 2)
    np.testing.assert_array_equal(labels, seen.labels)
    np.testing.assert_array_equal(steps, seen.steps)
    assert np.any(steps < 6)
    check_pruned(network.layers[0].synapses[0].weights[:, network.input.used], prune)
    for layer in network.layers[1:]:
        check_pruned(layer.synapses[0].weights, prune)


@pytest.mark.parametrize("readout", [Readout.POTENTIAL, Readout.FIRST_SPIKE])
@pytest.mark.parametrize("phases", [("online", "online"), ("windowed", "windowed"), ("online", "windowed")])
def test_schedules(phases, readout):
    generator = np.random.default_rng(5)
    source = an_input(generator)

    def signs(*shape):
        return generator.choice(np.array([-1, 1], np.int8), shape)

    online = Phase(phases[1]) is Phase.ONLINE
    reads = readout is Readout.FIRST_SPIKE
    network = Network(source, [
        Layer(Dense(signs(12, 30), [9, 7, 5, 3, 1, 2]), 6, Phase(phases[0]), Fires.ONCE,
              threshold=generator.integers(1, 9, 12), initial=generator.integers(-4, 5, 12),
              threshold_schedule=[6, 4, 3, 5, 2, 1]),
        Layer(Dense(signs(5, 12), [5, 4, 3, 2, 1, 0]), 6 if online else 4, Phase(phases[1]),
              Fires.ONCE if reads else Fires.NEVER, threshold=generator.integers(1, 9, 5) if reads else None,
              initial=generator.integers(-4, 5, 5),
              threshold_schedule=np.arange(6 if online else 4, 0, -1) if reads else 1),
    ], readout)
    same_as_golden(network, some_levels(generator, 60))


def test_large_sums_stay_whole():
    source = Input(30, 2, Latency(latency_table(2, 1)))
    layer = Layer(Dense(np.ones((2, 30), np.int8), [1 << 22, (1 << 22) - 1]), 1, Phase.WINDOWED, Fires.NEVER,
                  initial=[1, 2])
    network = Network(source, [layer], Readout.POTENTIAL)
    same_as_golden(network, some_levels(np.random.default_rng(0), 9))


def test_ties_go_to_the_lower_index_and_only_firing_outputs_count():
    potentials = np.array([[[0, 3, 3], [0, 4, 4]], [[2, 5, 9], [2, 5, 9]], [[1, 1, 0], [1, 2, 0]]])
    labels, steps = first_decisions(potentials, [1, 3, 10])
    np.testing.assert_array_equal(labels, [1, 1, 0])
    np.testing.assert_array_equal(steps, [0, 0, 0])
    labels, steps = first_decisions(potentials, 20)
    np.testing.assert_array_equal(labels, [1, 2, 1])
    np.testing.assert_array_equal(steps, [2, 2, 2])


def test_refused():
    layer = Layer(Dense(np.ones((2, 3), np.int8)), 4, threshold=1)
    with pytest.raises(ValueError, match="latency encoding"):
        evaluate(Network(Input(3, 4, Direct(9)), [layer]), np.zeros((1, 3), int))
    with pytest.raises(ValueError, match="layer 'layer0'"):
        many = Layer(layer.synapses, 4, fires=Fires.MANY, threshold=1)
        evaluate(Network(Input(3, 4, Latency(latency_table(4, 1))), [many]), np.zeros((1, 3), int))


def test_halving_table():
    table = halving_table(8, 1)
    assert table.tolist() == [-1] + [7 - (level.bit_length() - 1) for level in range(1, 256)]
    assert halving_table(3, 1)[31] == -1 and halving_table(3, 1)[32] == 2
    assert np.all(halving_table(8, 20)[:20] == -1) and halving_table(12, 1).max() == 7
    kernel = Kernel("two", 8)
    heard = kernel.schedule[table[1:]]
    assert np.all(heard <= np.arange(1, 256)) and np.all(2 * heard > np.arange(1, 256))
    np.testing.assert_array_equal(table_for(kernel, 30), halving_table(8, 30))
    np.testing.assert_array_equal(table_for(Kernel("linear", 8), 30), latency_table(8, 30))


def test_latency_table():
    table = latency_table(16, 1)
    assert (table[0], table[1], table[255], len(table)) == (-1, 15, 0, 256)
    assert np.all(np.diff(table[1:]) <= 0)
    counts = np.bincount(table[1:], minlength=16)
    assert counts.min() >= 15 and counts.max() <= 16
    assert np.all(latency_table(4, 100)[:100] == -1)
    with pytest.raises(ValueError, match=r"^dark must be from 1 to 255, not 0$"):
        latency_table(4, 0)
    with pytest.raises(ValueError, match=r"^window must be a positive integer, not 0$"):
        latency_table(0, 1)


def test_used_inputs():
    levels = np.zeros((10, 4), int)
    levels[:, 0], levels[:5, 1], levels[:1, 2] = 255, 100, 255
    table = latency_table(4, 50)
    np.testing.assert_array_equal(used_inputs(levels, table, 0.0), [True, True, True, False])
    np.testing.assert_array_equal(used_inputs(levels, table, 0.1), [True, True, False, False])
    np.testing.assert_array_equal(used_inputs(levels, table, 1.0), [True, False, False, False])


def test_arrivals_and_values():
    source = Input(3, 4, Latency(latency_table(4, 64)), np.array([True, False, True]))
    levels = torch.tensor([[255, 255, 64], [63, 0, 207]])
    spikes = arrivals(levels, source, torch.float32)
    assert spikes.shape == (4, 2, 2)
    np.testing.assert_array_equal(spikes.sum(dim=0), [[1, 1], [0, 1]])
    np.testing.assert_array_equal(spikes.argmax(dim=0), [[0, 3], [0, 1]])
    np.testing.assert_array_equal(values(levels, source, np.array([4, 3, 2, 1])), [[4, 1], [0, 3]])


def test_grouped_steps():
    """In training mode the steps of a group count as one; at its end nothing that came is missing."""
    assert grouped(16) == (0, 1, 2, 3, 4, 6, 9, 12, 15)
    assert all(grouped(window)[-1] == window - 1 for window in range(1, 40))
    assert all(np.all(np.diff(grouped(window)) > 0) for window in range(1, 40))
    source = an_input(np.random.default_rng(1), window=16)
    levels = torch.tensor(some_levels(np.random.default_rng(2), 20))
    whole = arrivals(levels, source, torch.float32)
    parts = arrivals(levels, source, torch.float32, grouped(16))
    np.testing.assert_array_equal(whole.cumsum(0)[list(grouped(16))], parts.cumsum(0))
