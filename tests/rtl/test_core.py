"""Whole cores in Amaranth's simulator, spike for spike and potential for potential."""

import numpy as np
import pytest
from firstspike.network import Dense, Input, Layer, Network, Readout, Spikes
from firstspike.rtl.event.forms import FoldedForm, ParallelForm
from harness.cores import CoreRun, fold
from harness.strategies import Wanted, random_images, random_network


def random_forms(rng, network):
    """One of each kind: side by side, folded, in one column, in many."""
    return [random_form(rng) for _ in network.layers]


def random_form(rng):
    folds = int(rng.choice([1, 1, 4, 8]))
    if folds > 1:
        return FoldedForm(int(rng.integers(1, 4)) * folds, folds)
    queue, scan, zero_init = (bool(flag) for flag in rng.integers(0, 2, 3))
    return ParallelForm(int(rng.integers(1, 12)), group=int(rng.integers(1, 7)), queue=queue, scan=scan,
                        fetch_registers=int(rng.integers(3)), zero_init=zero_init,
                        carry=int(rng.choice([1, 3, 4])))


@pytest.mark.parametrize("seed", range(40))
def test_random_networks_are_bit_exact(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, Wanted(residual=False))
    early = network.readout is Readout.FIRST_SPIKE and bool(rng.random() < 0.7)
    core = fold(network, random_forms(rng, network), early_stop=early)
    CoreRun(core, random_images(rng, network, 4), stop_early=early and bool(rng.random() < 0.6),
            stall=float(rng.choice([0, 0.5])), seed=seed).check()


def chain(rng, *, inputs=20, hidden=30, classes=5, window=8):
    """A network that fires once and online, and images for it."""
    def signs(*shape):
        return rng.choice(np.array([-1, 1], np.int8), shape)
    network = Network(Input(inputs, window, Spikes(once=True)), [
        Layer(Dense(signs(hidden, inputs)), window, threshold=rng.integers(1, 4, hidden)),
        Layer(Dense(signs(classes, hidden)), window, threshold=2)])
    steps = rng.integers(0, window, (12, 1, inputs))
    images = (np.arange(window)[None, :, None] == steps) & (rng.random((12, 1, inputs)) < 0.7)
    return network, images


@pytest.mark.parametrize("stall", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("stop_early", [False, True])
def test_stalls_change_nothing(stop_early, stall):
    rng = np.random.default_rng(3)
    network, images = chain(rng)
    core = fold(network, [ParallelForm(7, group=3), ParallelForm(5, group=5)], early_stop=True)
    CoreRun(core, images, stop_early=stop_early, stall=stall).check()


@pytest.mark.parametrize("carry, queue", [(1, False), (3, True), (4, True)])
@pytest.mark.parametrize("stall", [0, 0.5])
def test_counters_and_closing_adds(carry, queue, stall):
    """Layers that only count, with all that makes them fast; the second is read. Spikes close steps."""
    rng = np.random.default_rng(carry)
    network, images = chain(rng)
    core = fold(network, [ParallelForm(11, group=4, queue=queue, fetch_registers=2, carry=carry),
                          ParallelForm(5, group=5, fetch_registers=2, carry=carry)], early_stop=True)
    assert all(layer.sequencer.closing for layer in core.core.layers)
    CoreRun(core, images, stall=stall, seed=carry).check()


def test_early_stop_shortens_the_interval():
    rng = np.random.default_rng(4)
    network, images = chain(rng, window=16)
    runs = []
    for stop_early in (False, True):
        core = fold(network, [ParallelForm(15, group=5), ParallelForm(5, group=5)], early_stop=True)
        run = CoreRun(core, images, stop_early=stop_early)
        run.check()
        runs.append(run.times[-1])
    assert runs[1] < runs[0]


def test_one_spike_a_cycle():
    """A window that only integrates takes its spikes one a cycle, and a fixed time on top."""
    def cycles(inputs):
        network = Network(Input(inputs, 2, Spikes(once=True)), [
            Layer(Dense(np.ones((4, inputs), np.int8)), 2, threshold=2 * inputs)])
        images = np.zeros((2, 2, inputs), bool)
        images[:, 0] = True
        run = CoreRun(fold(network, [ParallelForm(4)], early_stop=False), images)
        run.check()
        return run.times[1] - run.times[0]
    assert cycles(60) - cycles(20) == 40
    assert cycles(20) <= 20 + 12
