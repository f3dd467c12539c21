# amaranth: UnusedElaboratable=no
"""Whatever lanes one side speaks and the other hears, what passes between them is the same."""

import random

import pytest
from firstspike.rtl.streams.banks import Banks
from firstspike.rtl.streams.join import Join
from firstspike.rtl.streams.token import Order, Token
from harness.amaranth import pauses, simulate, stream_get, stream_put
from harness.spikes import flat, meaning, pack, random_windows

LANES = {"one": (1, False), "three": (3, False), "four": (4, False), "banks": (4, True), "others": (2, True)}


def token(name, order):
    lanes, banked = LANES[name]
    return Token(11, 5, value_bits=3, tagged=True, order=order).with_lanes(
        lanes, Banks(11, lanes) if banked else None)


@pytest.mark.parametrize("order", [Order.STEP, Order.NONE])
@pytest.mark.parametrize("target", LANES)
@pytest.mark.parametrize("source", LANES)
def test_nothing_is_lost_or_moved(source, target, order):
    rng = random.Random(f"{source} {target} {order}")
    join = Join(token(source, order), token(target, order))
    transfers = pack(rng, join.source, random_windows(rng, join.source, 4))
    ends = sum(one["kind"].name == "WINDOW" for one in transfers)
    got = []

    async def sink(ctx):
        while sum(one["kind"].name == "WINDOW" for one in got) < ends:
            got.extend(await stream_get(ctx, join.o, 1, pauses(rng, 0.3)))

    async def put(ctx):
        await stream_put(ctx, join.i, transfers, pauses(rng, 0.3))

    simulate(join, put, sink)
    came, went = flat(join.source, transfers), flat(join.token, got)
    assert meaning(went) == meaning(came)


@pytest.mark.parametrize("other", [
    Token(12, 5, value_bits=3, tagged=True), Token(11, 4, value_bits=3, tagged=True),
    Token(11, 5, tagged=True)])
def test_streams_of_other_spikes_are_not_joined(other):
    with pytest.raises(ValueError, match=r"^Streams that are joined must differ in their lanes alone$"):
        Join(token("three", Order.STEP), other)
