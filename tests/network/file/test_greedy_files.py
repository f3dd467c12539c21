"""Whatever a file asks for, it is loaded or refused within about two seconds and a gigabyte."""

import resource
import subprocess
import sys
import time

import numpy as np
import pytest
from harness.greedy_files import GREEDY, write_unchecked

SECONDS = 2.0
"""What may be taken on a machine on which :func:`baseline` takes ``USUAL``."""
USUAL = 0.10
MEMORY = 1 << 30

LOAD = """
import resource, sys, time
from firstspike.errors import FirstspikeError
from firstspike.network.file.reading import load
resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[2]),) * 2)
start = time.process_time()
try:
    load(sys.argv[1])
    print(time.process_time() - start, "loaded")
except FirstspikeError as error:
    print(time.process_time() - start, error)
"""

REFUSED = {
    "256 convolutions of 300 x 300": "a network must make at most 8589934592 connections, not ",
    "a masked convolution of 200 x 200 over 200 x 200": "the ranges of the potentials must take at most ",
    "2^28 signs": "a network must have at most 134217728 synapses, not 268435456",
    "1,024 groups of 256 steps": "the ranges of the potentials must take at most ",
    "4,096 groups": "a network must have at most 1024 groups of synapses, not 1025",
    "16 layers of 4,096 steps": "the ranges of the potentials must take at most ",
    "256 layers of 131,072 neurons": "neurons and the addresses that they listen to must be at most 4194304",
    "256 pools of 181 x 181": "neurons and the addresses that they listen to must be at most 4194304",
}
"""What is refused, and why; all else is a network, however large."""


def baseline() -> float:
    """Seconds of work of the same kind: passes over arrays that lie in a cache."""
    start = time.process_time()
    numbers = np.arange(1 << 18, dtype=np.int64)
    for _ in range(250):
        numbers = np.maximum(numbers + 1, numbers >> 1)
    return time.process_time() - start


@pytest.mark.parametrize("what", [
    pytest.param(what, marks=pytest.mark.slow if " bits" in what else ()) for what in GREEDY])
def test_a_file_is_loaded_or_refused_in_time_and_memory(tmp_path, what):
    write_unchecked(tmp_path / "x", *GREEDY[what]())
    before = baseline()
    done = subprocess.run([sys.executable, "-c", LOAD, tmp_path / "x", str(MEMORY)], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    seconds, answer = done.stdout.split(" ", 1)
    assert float(seconds) < SECONDS * max(1.0, before / USUAL, baseline() / USUAL), answer
    if what in REFUSED:
        assert REFUSED[what] in answer
    else:
        assert answer == "loaded\n"


def test_the_limit_of_memory_is_one(tmp_path):
    """The same process with less than a network takes ends in a MemoryError."""
    write_unchecked(tmp_path / "x", *GREEDY["2^25 levels of a probability"]())
    done = subprocess.run([sys.executable, "-c", LOAD, tmp_path / "x", str(1 << 26)], capture_output=True,
                          text=True, check=False)
    assert done.returncode and "MemoryError" in done.stderr
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] != 1 << 26
