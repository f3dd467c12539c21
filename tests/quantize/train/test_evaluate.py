"""What is counted of a network's images is what the golden model does with each of them."""

import numpy as np
import pytest
from firstspike.network import (
    Convolution,
    Dense,
    Direct,
    Fires,
    Input,
    Layer,
    Network,
    Phase,
    Pool,
    Readout,
)
from firstspike.quantize.train import evaluate as module
from firstspike.quantize.train.evaluate import Evaluation, accuracy, evaluate, output_potentials
from harness.training import as_golden, made_input, made_levels


def plain_potentials(weights, kernel, initial, trains):
    """Potentials after each step's adds, by the equation: shape ``(count, window, outputs)``."""
    return initial + np.cumsum((trains @ weights.T) * kernel[:, None], axis=1)


def made_network(generator, phases, readout):
    """Two layers that fire once or, read by potential, not at all."""
    online, reads = Phase(phases[1]) is Phase.ONLINE, readout is not Readout.POTENTIAL
    window = 6 if online else 4
    return Network(made_input(generator), [
        Layer(Dense(generator.choice([-1, 1], (12, 30)), [9, 7, 5, 3, 1, 2]), 6, Phase(phases[0]), Fires.ONCE,
              threshold=generator.integers(1, 9, 12), initial=generator.integers(-4, 5, 12),
              threshold_schedule=[6, 4, 3, 5, 2, 1]),
        Layer(Dense(generator.choice([-1, 1], (5, 12)), [5, 4, 3, 2, 1, 0]), window, Phase(phases[1]),
              Fires.ONCE if reads else Fires.NEVER, threshold=generator.integers(1, 9, 5) if reads else None,
              initial=generator.integers(-4, 5, 5),
              threshold_schedule=np.arange(window, 0, -1) if reads else 1),
    ], readout)


@pytest.mark.parametrize("readout", list(Readout))
@pytest.mark.parametrize("phases", [("online", "online"), ("windowed", "windowed"), ("online", "windowed"),
                                    ("windowed", "online")])
def test_every_count_is_the_golden_model_s(phases, readout, monkeypatch):
    monkeypatch.setattr(module, "MOST_SPIKES", 9 * (30 * 6 + 12 * 6 + 5 * 6))  # in parts
    generator = np.random.default_rng(5)
    network = made_network(generator, phases, readout)
    seen = as_golden(network, made_levels(generator, 40))
    assert seen.spikes[:, 1].sum() > 0
    if readout is Readout.FIRST_SPIKE:
        assert np.any(seen.spikes_until[:, -1] < seen.spikes[:, -1])


def test_networks_of_other_kinds():
    """Leaks, resets and levels as values are the golden model's business as well."""
    generator = np.random.default_rng(2)
    network = Network(Input(9, 5, Direct(16)), [
        Layer(Dense(generator.choice([-1, 1], (7, 9))), 5, fires=Fires.MANY, threshold=20, leak=1),
        Layer(Dense(generator.choice([-1, 1], (3, 7))), 5, fires=Fires.MANY, threshold=2)], Readout.COUNT)
    seen = as_golden(network, generator.integers(0, 16, (12, 9)))
    assert seen.spikes.sum() > 0


def test_accuracy_is_the_share_of_the_right_classes():
    generator = np.random.default_rng(5)
    network = made_network(generator, ("online", "online"), Readout.FIRST_SPIKE)
    levels, labels = made_levels(generator, 60), generator.integers(0, 5, 60)
    seen = evaluate(network, levels)
    right = sum(int(found == label) for found, label in zip(seen.labels, labels, strict=True))
    assert 0 < right < 60
    assert accuracy(network, levels, labels) == seen.accuracy(labels) == right / 60


def test_figures():
    seen = Evaluation(Readout.FIRST_SPIKE, labels=np.array([0, 1, 1, 0]), steps=np.array([1, 0, 3, 3]),
                      first=np.array([[1, 1], [0, 1], [0, 0], [0, 0]], bool),
                      spikes=np.array([[9, 4, 2], [7, 2, 1], [8, 6, 0], [8, 0, 0]]),
                      spikes_until=np.array([[5, 1, 2], [1, 0, 1], [8, 6, 0], [8, 0, 0]]))
    labels = np.array([1, 1, 1, 1])
    assert seen.accuracy(labels) == 0.5
    assert seen.lenient_accuracy(labels) == 0.75  # the first image: output 1 fires too
    assert seen.figures(labels) == {
        "images": 4, "accuracy": 0.5, "mean_spikes": [8.0, 3.0, 0.75], "mean_step": 1.75,
        "mean_spikes_until_decision": [5.5, 1.75, 0.75], "mean_most_spikes_until_decision": 5.5}
    by_potential = Evaluation(Readout.POTENTIAL, seen.labels, seen.steps, seen.first, seen.spikes,
                              seen.spikes_until)
    assert set(by_potential.figures(labels)) == {"images", "accuracy", "mean_spikes"}


def test_output_potentials_of_each_step():
    """Of a layer, and of the input itself, as the equation has them."""
    generator = np.random.default_rng(8)
    network = made_network(generator, ("online", "online"), Readout.FIRST_SPIKE)
    levels, output = made_levels(generator, 30), network.output
    trains = module.batched.run(network, levels).layers[0].spikes
    np.testing.assert_array_equal(
        output_potentials(network, levels),
        plain_potentials(output.synapses[0].weights, output.synapses[0].kernel, output.initial, trains))
    alone = Network(network.input, [Layer(Dense(generator.choice([-1, 1], (4, 30))), 6, threshold=3)])
    trains = module.batched.run(alone, levels).input_spikes
    np.testing.assert_array_equal(
        output_potentials(alone, levels),
        plain_potentials(alone.output.synapses[0].weights, np.ones(6, int), 0, trains))


@pytest.mark.parametrize("kind", ["max", "sum"])
def test_output_potentials_behind_a_pool(kind):
    generator = np.random.default_rng(3)
    first = Convolution(generator.choice([-1, 1], (3, 1, 3, 3)), (1, 6, 5), padding=1)
    pool = Pool(kind, 2, source_shape=first.output_shape)
    network = Network(made_input(generator), [
        Layer(first, 6, threshold=2), Layer(Dense(generator.choice([-1, 1], (4, 18)), pool=pool), 6,
                                            threshold=3)])
    levels = made_levels(generator, 20)
    found = output_potentials(network, levels)
    seen = evaluate(network, levels)
    decided = seen.steps < 6
    fires = found >= 3
    np.testing.assert_array_equal(fires.any(axis=(1, 2)), decided)
    np.testing.assert_array_equal(fires.any(axis=2)[decided].argmax(axis=1), seen.steps[decided])
    np.testing.assert_array_equal(found[:, -1], module.batched.run(network, levels).layers[-1].potential)
    assert decided.any()


def test_output_potentials_refused():
    generator = np.random.default_rng(5)
    network = made_network(generator, ("online", "windowed"), Readout.FIRST_SPIKE)
    with pytest.raises(ValueError, match=r"^the last layer must be online, fire at most once and have one "
                                         r"source, unlike 'layer1'$"):
        output_potentials(network, made_levels(generator, 2))
