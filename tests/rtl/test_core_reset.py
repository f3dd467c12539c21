"""A reset at any time: what comes after it is as if it were the first."""

import itertools

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal
from firstspike.network import Bits, Direct, Latency, Readout, golden
from firstspike.rtl.event.forms import FoldedForm, ParallelForm
from harness.amaranth import pauses, simulate, stream_get, stream_put
from harness.cores import CoreRun, fold
from harness.strategies import Wanted, random_images, random_network

SMALL = {"inputs": 12, "neurons": 12, "residual": False}


def random_forms(rng, network):
    forms = []
    for _ in network.layers:
        folds, neurons, group = (int(rng.choice(choices)) for choices in ([1, 4], range(1, 7), range(1, 7)))
        queue, scan, zero_init = (bool(flag) for flag in rng.integers(0, 2, 3))
        forms.append(FoldedForm(neurons * folds, folds) if folds > 1 else ParallelForm(
            neurons, group=group, queue=queue, scan=scan, zero_init=zero_init, carry=int(rng.choice([1, 3]))))
    return forms


@pytest.mark.parametrize("seed", range(16))
def test_a_core_is_bit_exact_after_a_reset(seed):
    """Every spike and every potential of every layer."""
    rng = np.random.default_rng(seed)
    network = random_network(rng, Wanted(**SMALL))
    early = network.readout is Readout.FIRST_SPIKE
    core = fold(network, random_forms(rng, network), early_stop=early)
    CoreRun(core, random_images(rng, network, 3), stop_early=early and bool(rng.random() < 0.6),
            stall=float(rng.choice([0, 0.3])), seed=seed, reset_first=int(rng.integers(1, 150))).check()


class NumpyDice:
    """What :func:`pauses` needs of a random generator."""

    def __init__(self, rng):
        self.random = rng.random
        self.randint = lambda low, high: int(rng.integers(low, high + 1))


@pytest.mark.parametrize("encoding", [Latency, Direct, Bits], ids=lambda encoding: encoding.__name__.lower())
@pytest.mark.parametrize("seed", range(2))
def test_a_core_with_its_encoder_is_right_after_a_reset(encoding, seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, Wanted(**SMALL, encodings=(encoding,)))
    early = network.readout is Readout.FIRST_SPIKE
    core = fold(network, random_forms(rng, network), early_stop=early, encoder=True).core
    broken, images = random_images(rng, network, 20), random_images(rng, network, 3)
    traces = [golden.run(network, image) for image in images]
    reset, got, clean = Signal(), [], []

    async def source(ctx):
        if early:
            ctx.set(core.stop_early, seed)
        levels = itertools.cycle(broken.flat)
        cut = int(rng.integers(1, 200))
        for _ in range(cut):
            if not ctx.get(core.levels.valid):
                ctx.set(core.levels.payload, int(next(levels)))
                ctx.set(core.levels.valid, int(rng.random() < 0.8))
            ctx.set(core.result.ready, int(rng.random() < 0.5))
            *_, ready = await ctx.tick().sample(core.levels.ready)
            if ready:
                ctx.set(core.levels.valid, 0)
        ctx.set(core.levels.valid, 0)
        ctx.set(core.result.ready, 0)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        clean.append(True)
        await stream_put(ctx, core.levels, [int(level) for level in images.flat], pauses(NumpyDice(rng), 0.2))

    async def sink(ctx):
        while not clean:
            await ctx.tick()
        got.extend(await stream_get(ctx, core.result, len(images)))

    simulate(ResetInserter(reset)(core), source, sink)
    assert [(result["label"], result["step"]) for result in got] == [
        (trace.label, trace.step) for trace in traces]
