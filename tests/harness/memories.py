"""Memories as bad as their contract allows."""

from amaranth.hdl import Array, Elaboratable, Module, Shape, Signal, Value

__all__ = ["Careless"]


class Careless:
    """A platform whose memories give the complement where a read meets a write on its row."""

    def get_memory(self, memory):
        return _CarelessMemory(memory)


class _CarelessMemory(Elaboratable):
    def __init__(self, memory):
        self.memory = memory

    def elaborate(self, platform):
        m = Module()
        memory, width = self.memory, Shape.cast(self.memory.shape).width
        writes = memory.write_ports
        rows = Array(Signal(width, name=f"row_{row}", init=0 if writes else memory.init[row], reset_less=True)
                     for row in range(memory.depth))
        for write in writes:
            with m.If(write.en):
                m.d.sync += rows[write.addr].eq(Value.cast(write.data))
        for read in memory.read_ports:
            word = Signal(width, reset_less=True)
            met = sum((write.en & (write.addr == read.addr) for write in writes), start=Value.cast(0)).any()
            with m.If(read.en):
                m.d.sync += word.eq(rows[read.addr] ^ met.replicate(width))
            m.d.comb += Value.cast(read.data).eq(word)
        return m
