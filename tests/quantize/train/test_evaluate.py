"""The torch evaluation of every kind of synapse it takes: the golden model's values, all of them."""

import numpy as np
import pytest

pytest.importorskip("torch")

from firstspike.network import (
    Convolution,
    Dense,
    Fires,
    Input,
    Latency,
    Layer,
    Network,
    Phase,
    Pool,
    Probability,
    Readout,
    batched,
    golden,
)
from firstspike.quantize.train.encode import latency_table
from firstspike.quantize.train.evaluate import Evaluation, evaluate
from firstspike.quantize.train.hearing import heard_in_window

KINDS = {"sign": [-1, 1], "ternary": [-1, 0, 1], "integer": [-128, -3, 0, 2, 127]}


def same_as_golden(network, levels, batch=7) -> Evaluation:
    """Check `evaluate` against the batched golden model in everything, the readable one in the decision."""
    levels = levels.astype(np.int64)
    seen, gold = evaluate(network, levels, batch=batch), batched.run(network, levels)
    for ours in (seen.labels, seen.steps, seen.spikes, seen.spikes_until, seen.potentials):
        assert ours.dtype == np.int64
    np.testing.assert_array_equal(seen.labels, gold.label)
    np.testing.assert_array_equal(seen.steps, gold.step)
    np.testing.assert_array_equal(seen.potentials[:, -1], gold.layers[-1].potential)
    by_step = [gold.input_spikes != 0, *(layer.spikes for layer in gold.layers)]
    for index, spikes in enumerate(by_step):
        np.testing.assert_array_equal(seen.spikes[:, index], spikes.sum(axis=(1, 2)))
        if all(layer.phase is Phase.ONLINE for layer in network.layers[index:]):  # its window is the output's
            spikes = spikes & (np.arange(spikes.shape[1])[None, :, None] <= gold.step[:, None, None])
        np.testing.assert_array_equal(seen.spikes_until[:, index], spikes.sum(axis=(1, 2)))
    for image in range(2):
        trace = golden.run(network, levels[image])
        assert (trace.label, trace.step) == (seen.labels[image], seen.steps[image])
        np.testing.assert_array_equal(seen.potentials[image, -1], trace.layers[-1].potential)
    return seen


class Maker:
    """Random parts of networks."""

    def __init__(self, seed, kind="sign", window=5):
        self.generator, self.values, self.window = np.random.default_rng(seed), KINDS[kind], window

    def weights(self, *shape):
        return self.generator.choice(np.array(self.values, np.int8), shape)

    def kernel(self):
        return self.generator.integers(0, 6, self.window)

    def source(self, size):
        return Input(size, self.window, Latency(latency_table(self.window, 30)),
                     self.generator.random(size) < 0.9)

    def layer(self, synapses, phase, *, reads=False, name=""):
        groups = synapses if isinstance(synapses, list) else [synapses]
        size, scale = groups[0].size, int(np.abs(self.values).max())
        if reads:
            return Layer(synapses, self.window, phase, Fires.NEVER,
                         initial=self.generator.integers(-9, 9, size), name=name)
        return Layer(synapses, self.window, phase, Fires.ONCE, initial=self.generator.integers(-9, 9, size),
                     threshold=self.generator.integers(1, 6, size) * scale,
                     threshold_schedule=self.generator.integers(1, 6, self.window), name=name)

    def levels(self, count, size):
        return self.generator.integers(0, 256, (count, size))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("phase", [Phase.ONLINE, Phase.WINDOWED])
@pytest.mark.parametrize("seed", range(3))
def test_convolutions_and_pools(kind, phase, seed):
    """Strides, dilation, groups, uneven padding, overlapping and padded pools, a scale, a dense output."""
    make = Maker(seed, kind)
    scale = make.generator.integers(1, 4, 2)
    first = Convolution(make.weights(4, 2, 3, 3), (2, 7, 6), stride=(1, 2), padding=(1, 0, 2, 1),
                        kernel=make.kernel(), scale=scale)
    heard = Pool("max", (2, 2), (1, 2), (1, 0, 0, 1), first.output_shape)
    second = Convolution(make.weights(6, 2, 2, 3), heard.output_shape, dilation=(2, 1), groups=2,
                         padding=(0, 1), kernel=make.kernel(), pool=heard)
    summed = Pool("sum", 2, 1, source_shape=second.output_shape)
    output = Dense(make.weights(5, int(np.prod(summed.output_shape))), kernel=make.kernel(), pool=summed)
    network = Network(make.source(84), [
        make.layer(first, phase), make.layer(second, phase), make.layer(output, phase, reads=seed == 0),
    ], Readout.POTENTIAL if seed == 0 else Readout.FIRST_SPIKE if seed == 1 else Readout.COUNT)
    seen = same_as_golden(network, make.levels(25, 84))
    assert np.all(seen.spikes[:, :3].sum(axis=0) > 0)


@pytest.mark.parametrize("phases", [("online", "online", "online"), ("windowed", "online", "online"),
                                    ("online", "windowed", "windowed")])
def test_residual(phases):
    """A layer that hears the one before and, through a depthwise identity, the one before that."""
    make = Maker(3)
    first = Convolution(make.weights(3, 1, 3, 3), (1, 6, 6), padding=1, kernel=make.kernel())
    second = Convolution(make.weights(3, 3, 3, 3), (3, 6, 6), padding=1, kernel=make.kernel())
    skip = Convolution(np.ones((3, 1, 1, 1), np.int8), (3, 6, 6), groups=3, kernel=3 * make.kernel(),
                       source="first")
    output = Dense(make.weights(4, 108), kernel=make.kernel())
    network = Network(make.source(36), [
        make.layer(first, Phase(phases[0]), name="first"), make.layer([second, skip], Phase(phases[1])),
        make.layer(output, Phase(phases[2])),
    ], Readout.FIRST_SPIKE)
    seen = same_as_golden(network, make.levels(30, 36))
    assert np.any(seen.steps < make.window)


def test_parts_are_small_where_layers_are_large(monkeypatch):
    make = Maker(4)
    first = Convolution(make.weights(8, 1, 3, 3), (1, 9, 9), padding=1, kernel=make.kernel())
    output = Dense(make.weights(3, 648), kernel=make.kernel())
    network = Network(make.source(81), [make.layer(first, Phase.ONLINE), make.layer(output, Phase.ONLINE)])
    levels, counts = make.levels(20, 81), []

    def counted(synapse, fired, dtype):
        counts.append(len(fired))
        return heard(synapse, fired, dtype)

    from firstspike.quantize.train import evaluate as module
    heard = module.heard_at_each_step
    monkeypatch.setattr(module, "heard_at_each_step", counted)
    monkeypatch.setattr(module, "MOST_NUMBERS", {"cpu": 4 * 9 * 81 * make.window})
    same_as_golden(network, levels, batch=500)
    assert max(counts) == 4 and sum(counts) == 2 * 20


def test_levels_are_searched_where_a_table_would_be_long(monkeypatch):
    from firstspike.quantize.train import evaluate as module
    monkeypatch.setattr(module, "LONGEST_TABLE", 1)
    make = Maker(6)
    first = Dense(make.weights(40, 60), kernel=make.kernel())
    output = Dense(make.weights(5, 40), kernel=make.kernel())
    layers = [make.layer(synapses, Phase.WINDOWED) for synapses in (first, output)]
    network = Network(make.source(60), layers)
    seen = same_as_golden(network, make.levels(20, 60))
    assert seen.spikes[:, 1].sum() > 0


def test_an_accelerator_gets_the_same_sums(monkeypatch):
    """The unfolded product is the direct sum."""
    import torch
    make = Maker(5, "integer")
    synapse = Convolution(make.weights(6, 2, 3, 2), (4, 8, 7), stride=(2, 1), padding=(1, 0, 1, 1),
                          dilation=(1, 2), groups=2, kernel=make.kernel())
    fired = torch.as_tensor(make.generator.integers(0, make.window + 1, (9, 224)))
    direct = heard_in_window(synapse, fired, torch.float64)
    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "device", property(lambda _: torch.device("meta")))
        patch.setattr(torch, "as_tensor", lambda data, device: torch.tensor(data))
        unfolded = heard_in_window(synapse, fired, torch.float64)
    np.testing.assert_array_equal(direct.numpy(), unfolded.numpy())


@pytest.mark.parametrize("window", [255, 256, 300])
def test_long_windows(window):
    make = Maker(6, window=window)
    first = Layer(Dense(make.weights(9, 20), kernel=np.arange(window, 0, -1)), window, Phase.WINDOWED,
                  threshold=make.generator.integers(1, 9, 9), threshold_schedule=np.arange(window, 0, -1))
    network = Network(make.source(20), [first, make.layer(Dense(make.weights(3, 9)), Phase.WINDOWED,
                                                          reads=True)], Readout.POTENTIAL)
    assert np.ptp(same_as_golden(network, make.levels(15, 20)).spikes[:, 1]) > 0


def test_chance_is_refused():
    layer = Layer(Dense(np.ones((2, 3), np.int8), probability=Probability(128)), 4, threshold=1)
    with pytest.raises(ValueError, match="layer 'layer0'"):
        evaluate(Network(Input(3, 4, Latency(latency_table(4, 1))), [layer]), np.zeros((1, 3), int))
