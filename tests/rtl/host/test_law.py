# amaranth: UnusedElaboratable=no
"""Which tokens may come, against a plain model."""

import random

import pytest
from firstspike.rtl.host.law import TokenLaw
from firstspike.rtl.streams.token import Kind
from harness.amaranth import simulate
from harness.links import sample_facts

FACTS = {
    "online": sample_facts(window=5, addresses=3),
    "windowed": sample_facts(window=5, addresses=3, online=False, stop_early=False),
    "with values": sample_facts(window=6, addresses=2, value_bits=3, max_value=5, max_spikes=12),
}


def lawful(facts, word, low):
    """Of a word whose steps before ``low`` are closed; and the first step that is not, after it."""
    fields = {name: word >> field.offset & (1 << field.width) - 1 for name, field in facts.token}
    spike, step = fields["kind"] == Kind.SPIKE.value, fields["kind"] == Kind.STEP.value
    good = not word >> facts.token.size and low <= fields["step"] < facts.window
    good = good and (spike or (step and facts.online))
    if spike:
        good = good and fields["address"] < facts.addresses
        good = good and (not facts.value_bits or 0 < fields["value"] <= facts.max_value)
    return good, fields["step"] + step if facts.online else 0


@pytest.mark.parametrize("name", FACTS)
def test_judges_every_word(name):
    """Each word at each place in a window; what is lawful comes now and then, a window ends now and then."""
    facts, rng = FACTS[name], random.Random(name)
    dut = TokenLaw(facts)
    verdicts = []

    async def bench(ctx):
        low = 0
        for _ in range(1500):
            word = rng.getrandbits(facts.token.size) | (rng.random() < 0.1) << facts.token.size
            ctx.set(dut.token, word)
            good, after = lawful(facts, word, low)
            assert ctx.get(dut.lawful) == good, (word, low)
            verdicts.append(good)
            accept, clear = good and rng.random() < 0.5, rng.random() < 0.1
            ctx.set(dut.accept, accept)
            ctx.set(dut.clear, clear)
            await ctx.tick()
            low = 0 if clear else after if accept else low

    simulate(dut, bench)
    assert 50 < sum(verdicts) < 1400
