# amaranth: UnusedElaboratable=no
"""The law of tokens, proven by induction: what it lets pass is a window as a core wants it."""

import pytest
from amaranth.hdl import Array, Assert, Cover, Elaboratable, Module, Signal
from firstspike.rtl.host.law import TokenLaw
from firstspike.rtl.streams.token import Kind
from harness.links import sample_facts
from harness.proofs import anything, assert_formal, refute_formal


class Sorted(Elaboratable):
    """Of the lawful tokens none is in a step that one before it has closed, and each is the network's.

    ``broken``: tokens are accepted unseen, or an end of step is thought to close the steps before it only.
    """

    def __init__(self, facts, broken=None):
        self.facts = facts
        self.broken = broken

    def elaborate(self, platform):
        m = Module()
        facts = self.facts
        m.submodules.dut = dut = TokenLaw(facts)
        anything(m, dut.token, dut.clear)
        token = facts.token(dut.token[:facts.token.size])
        accept = Signal()
        anything(m, accept)
        m.d.comb += dut.accept.eq(accept & (dut.lawful if self.broken != "unseen" else 1))

        closed = Array(Signal(name=f"closed_{step}") for step in range(facts.window))
        ends = (token.kind == Kind.STEP) & (self.broken != "before")
        with m.If(dut.lawful):
            m.d.comb += [
                Assert(token.kind != Kind.WINDOW), Assert(token.step < facts.window),
                Assert((token.kind == Kind.STEP) | (token.address < facts.addresses)),
            ]
            if facts.online:
                m.d.comb += Assert(~closed[token.step])
        with m.If(dut.accept & facts.online):
            m.d.sync += [flag.eq(flag | (step < token.step + ends)) for step, flag in enumerate(closed)]
        with m.If(dut.clear):
            m.d.sync += [flag.eq(0) for flag in closed]
        m.d.comb += [Assert(flag == (step < dut.low)) for step, flag in enumerate(closed)]
        m.d.comb += Cover(dut.lawful & (token.kind == Kind.SPIKE) & (closed[0] if facts.online else 1)
                          & (token.step == facts.window - 1))
        return m


FACTS = {
    "online": sample_facts(window=5, addresses=3),
    "windowed": sample_facts(window=5, addresses=3, online=False, stop_early=False),
}


@pytest.mark.parametrize("name", FACTS)
def test_no_token_comes_late(name):
    assert_formal(Sorted(FACTS[name]), "prove", 2)
    assert_formal(Sorted(FACTS[name]), "cover", 5)


@pytest.mark.parametrize("broken", ["unseen", "before"])
def test_what_is_broken_is_seen(broken):
    refute_formal(Sorted(FACTS["online"], broken), "bmc", 5)
