"""Measure everything, one after the other: ``python -m bench``, or ``python -m bench NAME ...``."""

import runpy
import sys

from .table import main as show_table

NAMES = ("accuracy", "golden_speed", "verify_speed", "mnist_ulx3s", "mnist_icebreaker", "estimates")

for name in sys.argv[1:] or NAMES:
    print(f"== {name}", flush=True)
    runpy.run_module(f"bench.{name}", run_name="__main__")
show_table()
