"""What Firstspike is measured by: one command a file, results in ``bench/results``, ``make bench-table``."""
