"""Sorts the spikes of a window by step: a linked list for each step, built while the events come."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..memory import Ram
from ..streams.token import Kind, Token
from .encoder import hear_drop
from .levels import Event
from .parameters import check_one_or_two, check_positive

__all__ = ["SpikeSorter"]


class SpikeSorter(wiring.Component):
    """Takes the events of one image, then gives its spikes by step: one pass each.

    Each step has a list of its spikes, the last one first. A row of ``links`` points from a spike to the
    one that came ``read_latency`` spikes before it in its step, a row of ``heads`` to the last
    ``read_latency`` spikes of a step; so a memory that takes two cycles from pointer to pointer still
    gives a spike every cycle. A scan reads and clears the heads, running ahead to the next step that has
    spikes while a list is given out.

    Taking: one event a cycle, none while a list is given out. Giving: one token a cycle; from the image's
    last event to its first token ``2 + 2 * read_latency`` cycles and one for each silent step before it;
    then the tokens are a cycle apart, except that the scan takes a cycle for every step. The next image
    is taken from the cycle in which ``WINDOW`` is offered. After a reset, which may come at any time, the
    heads are cleared first: events wait ``window + read_latency`` cycles.

    Order: spikes by step, in a step the last address first; after the spikes of a step its ``STEP``;
    last ``WINDOW``. Steps without spikes have no token.

    Parameters
    ----------
    addresses, window : :class:`int`
        Number of addresses and steps. An address speaks at most once in an image.
    read_latency : :class:`int`
        1: the memory's output goes straight on, small. 2: a register follows it, fast.

    Members
    -------
    events : ``In(stream.Signature(Event(addresses, range(window))))``
        ``data`` is the step.
    spikes : ``Out(stream.Signature(Token(addresses, window)))``
    drop : ``In(1)``
        As in :class:`~.encoder.Encoder`.

    Attributes
    ----------
    listing : ``Signal(1)``
        The image is complete and its ``WINDOW`` not yet offered.
    """

    def __init__(self, addresses: int, window: int, *, read_latency: int = 1):
        self.addresses = check_positive("Addresses", addresses)
        self.window = check_positive("Window", window)
        self.read_latency = check_one_or_two("Read latency", read_latency)
        self.listing = Signal()
        super().__init__({
            "events": In(stream.Signature(Event(addresses, range(window)))),
            "spikes": Out(stream.Signature(Token(addresses, window))),
            "drop": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        latency = self.read_latency
        pointer = data.StructLayout({"address": range(self.addresses), "some": 1})
        head = data.ArrayLayout(pointer, latency)
        m.submodules.heads = heads = Ram(head, self.window)
        m.submodules.links = links = Ram(pointer, self.addresses)
        event, token = self.events.payload, self.spikes.payload

        def delayed(signal, shape, name, enable, cycles=latency):
            """The signal 0, 1, ... cycles of ``enable`` later."""
            stages = [signal]
            for stage in range(1, cycles + 1):
                stages.append(Signal(shape, name=f"{name}_{stage}"))
                with m.If(enable):
                    m.d.sync += stages[-1].eq(stages[-2])
            return stages

        # The pipeline through the heads carries either events or the scan, never both.
        scan, scanning = Signal(range(self.window)), Signal(init=1)
        listing = self.listing
        advance = Signal()
        taking = Signal()
        scanned = delayed(scanning, 1, "scanned", advance)
        steps = delayed(Mux(scanning, scan, event.data), range(self.window), "step", advance)
        spike = delayed(taking & event.spike, 1, "spike", 1)
        last = delayed(taking & event.last, 1, "last", 1)
        address = delayed(event.address, range(self.addresses), "address", 1)
        m.d.comb += [
            self.events.ready.eq(~(scanning | Cat(scanned[1:], last[1:]).any() | listing)),
            taking.eq(self.events.valid & self.events.ready),
            heads.read_address.eq(steps[0]), heads.read_enable.eq(advance),
        ]
        found = delayed(heads.read_data, head, "head", advance, latency - 1)[-1]

        # Taking: what the last few events wrote was too late for the read, so it is passed on beside it.
        wrote = [Signal(head, name=f"wrote_{age}", reset_less=True) for age in range(latency)]
        before, after = Signal(head), Signal(head)
        m.d.comb += before.eq(found)
        for age in reversed(range(latency)):
            same = delayed((steps[0] == steps[1 + age]) & spike[1 + age], 1, f"same_{age}", 1)
            with m.If(same[latency]):
                m.d.comb += before.eq(wrote[age])
        m.d.comb += after[0].address.eq(address[latency]), after[0].some.eq(1)
        m.d.comb += [after[lag].eq(before[lag - 1]) for lag in range(1, latency)]
        m.d.sync += wrote[0].eq(after)
        m.d.sync += [wrote[age].eq(wrote[age - 1]) for age in range(1, latency)]
        m.d.comb += [
            links.write_address.eq(address[latency]), links.write_data.eq(before[latency - 1]),
            links.write_enable.eq(spike[latency]),
            heads.write_address.eq(steps[latency]), heads.write_data.eq(after),
            heads.write_enable.eq(spike[latency] | scanned[latency]),
        ]
        with m.If(scanned[latency]):
            m.d.comb += [heads.write_data[lag].some.eq(0) for lag in range(latency)]

        with m.If(last[latency]):
            m.d.sync += scanning.eq(1), listing.eq(1)
        with m.If(scanning & advance):
            m.d.sync += scan.eq(scan + 1)
            with m.If(scan == self.window - 1):
                m.d.sync += scan.eq(0), scanning.eq(0)

        # Giving: the first pointers of a list come from its head, the others from the links.
        place = Signal(range(latency + 1))      # in the list; stays at `latency` until its end
        move = ~self.spikes.valid | self.spikes.ready
        linked = delayed(links.read_data, pointer, "link", move, latency - 1)[-1]
        here = Signal(pointer)
        with m.Switch(place):
            for lag in range(latency):
                with m.Case(lag):
                    m.d.comb += here.eq(found[lag])
            with m.Default():
                m.d.comb += here.eq(linked)
        m.d.comb += links.read_address.eq(here.address), links.read_enable.eq(move)

        waiting = scanned[latency] & found[0].some & listing
        m.d.comb += advance.eq(~waiting | (move & (place == latency - 1)))
        dropping, heard = hear_drop(m, self.drop, self.spikes)

        with m.If(move):
            m.d.sync += self.spikes.valid.eq(0), token.address.eq(here.address), token.kind.eq(Kind.SPIKE)
            with m.If(place == 0):
                m.d.sync += token.step.eq(steps[latency])
            with m.If(place != 0):
                m.d.sync += self.spikes.valid.eq(1)
                with m.If(here.some):
                    m.d.sync += place.eq(Mux(place == latency, latency, place + 1))
                with m.Else():
                    m.d.sync += token.kind.eq(Kind.STEP), place.eq(0)
            with m.Elif(waiting):
                m.d.sync += self.spikes.valid.eq(1), place.eq(1)
            with m.If(listing & (dropping | heard | ~(scanning | Cat(scanned[1:]).any() | (place != 0)))):
                m.d.sync += [
                    self.spikes.valid.eq(1), token.kind.eq(Kind.WINDOW),
                    place.eq(0), listing.eq(0), dropping.eq(0),
                ]
        return m
