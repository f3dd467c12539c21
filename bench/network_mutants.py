"""A million network files changed at random: how many are refused, how many are networks and used as such.

``python -m bench.network_mutants [BYTE_MUTANTS [REDIGESTED]]``. What neither refuses nor works ends this with
its seed. The changes are those of the tests, which make 10,000 and 1,000.
"""

import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from .common import Figure, write_results

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

EACH = 500
"""Mutants of one seed."""
NETWORK = 25
"""Mutants of one network."""


def outcomes(kind: str, seed: int) -> Counter[str]:
    """What became of the mutants of one seed."""
    from harness.mutants import byte_mutant, outcome, redigested_mutant, some_network
    rng = np.random.default_rng([seed, kind == "bytes"])
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        for _ in range(EACH // NETWORK):
            some_network(rng).save(path)
            whole = path.read_bytes()
            for _ in range(NETWORK):
                path.write_bytes(byte_mutant(rng, whole) if kind == "bytes" else whole)
                if kind != "bytes":
                    redigested_mutant(rng, path)
                try:
                    found[f"{kind} {outcome(path, rng)}"] += 1
                except BaseException as error:
                    raise AssertionError(f"a mutant of the seed {seed} ({kind}): {error!r}") from error
    return found


def main() -> None:
    """Make the mutants and write the figures."""
    wanted = dict(zip(("bytes", "redigested"), [*map(int, sys.argv[1:]), 1_000_000, 100_000], strict=False))
    if len(sys.argv) == 2:
        wanted["redigested"] = 100_000
    found: Counter[str] = Counter()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for kind, count in wanted.items():
            for part in pool.map(outcomes, [kind] * (count // EACH), range(count // EACH)):
                found += part
    write_results("network_mutants", [
        Figure(f"network files changed, {kind}: {outcome}", found[f"{kind} {outcome}"], "files", "higher")
        for kind in wanted for outcome in ("refused", "used")], seed=0)


if __name__ == "__main__":
    main()
