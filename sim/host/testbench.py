"""The cocotb bench behind :mod:`.simulated_port`: bytes from a socket to the serial pins and back.

It runs inside the simulator, which inherits the socket, and first sends a byte to say that it is there. A
request is an operation, two numbers and data: ``W`` length 0 data puts bytes on the line; ``R`` size patience
lets time pass until ``size`` bytes have come, or none for ``patience`` clock cycles, and is answered with
length and data. The end of the socket ends the simulation.
"""

import os
import socket
import struct

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Event, FallingEdge, First, Timer

_PERIOD = 10_000  # ps
_HEADER = struct.Struct("<BII")


class _Line:
    """The far end of the serial line."""

    def __init__(self, dut, divisor: float):
        self.rx, self.tx = dut.rx, dut.tx
        self.bit = round(divisor * _PERIOD)
        self.outgoing, self.incoming = bytearray(), bytearray()
        self.came = Event()

    async def send(self) -> None:
        """Send all that is to be sent."""
        while self.outgoing:
            byte = self.outgoing.pop(0)
            for level in (0, *(byte >> place & 1 for place in range(8)), 1):
                self.rx.value = level
                await Timer(self.bit, "ps")

    async def listen(self) -> None:
        """Take bytes for ever."""
        while True:
            await FallingEdge(self.tx)
            await Timer(self.bit // 2, "ps")
            byte = 0
            for place in range(8):
                await Timer(self.bit, "ps")
                byte |= int(self.tx.value) << place
            await Timer(self.bit, "ps")
            self.incoming.append(byte)
            self.came.set()


def _receive(connection: socket.socket, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            return None
        data += piece
    return data


@cocotb.test()
async def serve(dut) -> None:
    """Serve the socket until it is closed."""
    line = _Line(dut, float(os.environ["FIRSTSPIKE_DIVISOR"]))
    line.rx.value = 1
    dut.rst.value = 1
    Clock(dut.clk, _PERIOD, unit="ps").start()
    await Timer(20 * _PERIOD, "ps")
    dut.rst.value = 0
    await Timer(20 * _PERIOD, "ps")
    cocotb.start_soon(line.listen())
    with socket.socket(fileno=int(os.environ["FIRSTSPIKE_SOCKET"])) as connection:
        connection.sendall(b"!")
        while (request := _receive(connection, _HEADER.size)) is not None:
            operation, size, patience = _HEADER.unpack(request)
            if operation == ord("W"):
                line.outgoing += _receive(connection, size) or b""
                continue
            await line.send()
            while len(line.incoming) < size:
                line.came.clear()
                before = len(line.incoming)
                await First(line.came.wait(), Timer(patience * _PERIOD, "ps"))
                if len(line.incoming) == before:
                    break
            given = bytes(line.incoming[:size])
            del line.incoming[:size]
            connection.sendall(struct.pack("<I", len(given)) + given)
