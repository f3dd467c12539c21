"""The smallest engine: a layer as an adder tree a neuron, to show what an engine has to bring and no more."""

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from firstspike.gen.engines import LayerCircuit, Offer
from firstspike.gen.resources import Resources
from firstspike.network import Dense, Fires, WeightKind
from firstspike.rtl.description import Tap
from firstspike.rtl.streams.banks import Banks
from firstspike.rtl.streams.token import Kind

__all__ = ["AdderTreeEngine"]


@dataclass(frozen=True)
class Form:
    """There is but one."""


class AdderTreeEngine:
    """Online layers of signs that fire once and are not read, hearing on so many lanes, or in banks."""

    name = "toy"

    def __init__(self, lanes=1, banked=False):
        self.lanes, self.banked = lanes, banked

    def refusals(self, job):
        group, lanes = job.layer.synapses[0], job.lanes
        plain = job.online and not job.is_read and not lanes.every_step and not lanes.fires_at_start
        fits = (plain and job.layer.fires is Fires.ONCE and len(job.layer.synapses) == 1
                and isinstance(group, Dense) and group.pool is None and group.weight_kind is WeightKind.SIGN
                and job.sources[0].highest == 1 and (group.kernel == 1).all())
        return [] if fits else ["more than an adder tree can do"]

    def offers(self, job, fabric):
        facts = {"trees": job.layer.size}
        yield Offer(self.name, Form(), Resources(luts=1), 1.0, 1.0, "a whole step at once", facts,
                    hears=self.lanes)

    def form(self, data):
        return Form(**data)

    def circuit(self, job, form):
        source = job.sources[0].token
        if self.lanes > 1:
            source = source.with_lanes(
                self.lanes, Banks(source.addresses, self.lanes) if self.banked else None)
        layer = AdderTreeLayer(job, source)
        tap = Tap("ended", 0, "final", job.lanes.neurons.width, None, (((0, 1, job.layer.size),),))
        return LayerCircuit(layer, (tap,), {"ended": layer.ended, "final": layer.final}, ())


class AdderTreeLayer(wiring.Component):
    """Takes the spikes of a step, adds them all at once, and sends what fires before it takes more."""

    def __init__(self, job, source):
        self.neurons, self.token, self.source = job.lanes.neurons, job.token, source
        self.weights = job.layer.synapses[0].weights[:, job.sources[0].used]
        self.ended = Signal()
        self.final = Signal(len(self.weights) * self.neurons.width)
        super().__init__({"i": In(stream.Signature(self.source)), "o": Out(stream.Signature(self.token)),
                          "decided": In(2)})

    def elaborate(self, platform):
        m = Module()
        heard, out = self.i.payload, self.o.payload
        values = [Signal(signed(self.neurons.width), init=start) for start in self.neurons.start]
        spikes, step = Signal(self.source.addresses), Signal(range(self.source.window))
        fired, waiting = Signal(len(values)), Signal(len(values))
        coming, taken = self.source.spikes(heard), Signal()   # taken: the spikes of what is on offer
        some = Cat(spike.valid for spike in coming).any()
        late = spikes.any() & some & (coming[0].step != step)
        m.d.comb += [self.final.eq(Cat(values)), out.step.eq(step), out.tag.eq(heard.tag)]
        with m.FSM():
            with m.State("LISTEN"):
                with m.If(self.i.valid & ~taken):
                    with m.If(late):
                        m.next = "ADD"
                    with m.Else():
                        m.d.sync += taken.eq(1)
                        for spike in coming:
                            with m.If(spike.valid):
                                m.d.sync += [spikes.bit_select(spike.address, 1).eq(1), step.eq(spike.step)]
                with m.Elif(self.i.valid & (heard.kind != Kind.SPIKE) & spikes.any()):
                    m.next = "ADD"
                with m.Elif(self.i.valid & (heard.kind == Kind.WINDOW)):
                    m.next = "END"
                with m.Elif(self.i.valid):
                    m.d.comb += self.i.ready.eq(1)
                    m.d.sync += taken.eq(0)
            with m.State("ADD"):
                for neuron, (value, row) in enumerate(zip(values, self.weights, strict=True)):
                    plus = Cat(spikes[at] for at in np.flatnonzero(row > 0).tolist())
                    minus = Cat(spikes[at] for at in np.flatnonzero(row < 0).tolist())
                    total = value + sum(plus, 0) - sum(minus, 0)
                    m.d.sync += value.eq(total)
                    m.d.sync += waiting[neuron].eq((total >= 0) & ~fired[neuron])
                m.d.sync += spikes.eq(0)
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += self.o.valid.eq(1)
                for neuron in reversed(range(len(values))):
                    with m.If(waiting[neuron]):
                        m.d.comb += out.address.eq(neuron)
                with m.If(waiting.any()):
                    m.d.comb += out.kind.eq(Kind.SPIKE)
                    with m.If(self.o.ready):
                        m.d.sync += [waiting.eq(waiting & (waiting - 1)), fired.eq(fired | waiting)]
                with m.Else():
                    m.d.comb += out.kind.eq(Kind.STEP)
                    with m.If(self.o.ready):
                        m.next = "LISTEN"
            with m.State("END"):
                m.d.comb += [self.o.valid.eq(1), out.kind.eq(Kind.WINDOW), self.i.ready.eq(self.o.ready)]
                m.d.comb += self.ended.eq(self.o.ready)
                with m.If(self.o.ready):
                    m.d.sync += [fired.eq(0), taken.eq(0), *(value.eq(value.init) for value in values)]
                    m.next = "LISTEN"
        return m
