"""Bits that never change have their value in a simulation of the emitted Verilog, not X and not 0."""

import sys

from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from firstspike.boards.tools import to_verilog
from firstspike.sim.simulators.registry import simulator as find

BENCH = """
import cocotb
from cocotb.triggers import Timer

@cocotb.test()
async def constants(dut):
    for choice in (0, 1, 0):
        dut.choice.value = choice
        await Timer(1, "ns")
        assert str(dut.parts.value) == ("01100" if choice else "01111"), dut.parts.value
"""


class Constants(wiring.Component):
    choice: In(1)
    parts: Out(data.StructLayout({"moves": 2, "stays": 3}))

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.parts.stays.eq(3)
        with m.If(~self.choice):
            m.d.comb += self.parts.moves.eq(3)
        return m


def test_constants(tmp_path, simulator, monkeypatch):
    (tmp_path / "constants.v").write_text(to_verilog(Constants(), "constants"))
    (tmp_path / "constants_bench.py").write_text(BENCH)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    program = find(simulator).compile([tmp_path / "constants.v"], "constants", ["choice", "parts"])
    program.start("constants_bench", tmp_path, {}, top="constants").wait(60)
    assert "PASS=1 FAIL=0" in (tmp_path / "log").read_text()
