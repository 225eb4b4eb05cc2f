# The one door for developers. Needs GNU make and Python >= 3.11; everything else goes into $(VENV).

PYTHON ?= python3
VENV ?= .venv
BUILD ?= build
JOBS ?= 2

PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet

.PHONY: help demo coq test test-all lint check docs bench bench-soundness format clean
.DELETE_ON_ERROR:
.NOTPARALLEL: # one pip at a time in one environment

help:
	@echo "make demo    one certified flow on real data and its report"
	@echo "make test    linters, types, layers and the test suite"
	@echo "make test-all the same with the slow tests and thousands of random systems and members, an hour or more"
	@echo "make lint    linters, types and layers only"
	@echo "make docs    documentation with executed examples, into $(BUILD)/docs"
	@echo "make bench   times and answers beside other tools, into benchmarks/results.md"
	@echo "make format  rewrite the sources in the common layout"
	@echo "make clean   remove $(VENV) and everything generated"

# --- environment: one stamp per set of packages, renewed when pyproject.toml changes ---------------------------------

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("lyapflow needs Python >= 3.11; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade "pip>=25.1" # the first that knows --group
	@touch $@

$(VENV)/.package: $(VENV)/.python pyproject.toml
	$(PIP) install --editable .
	@touch $@

# Packages of a group come in beside the package itself, in one resolution.
$(VENV)/.group-%: $(VENV)/.package
	$(PIP) install --editable . --group $*
	@touch $@

# --- targets ---------------------------------------------------------------------------------------------------------

demo: $(VENV)/.package
	@mkdir -p $(BUILD)/demo
	cd $(BUILD)/demo && LYAPFLOW_OUTPUT="$$PWD" MPLBACKEND=Agg \
		"$(abspath $(PY))" "$(abspath case_studies/elastic_net_diabetes.py)"
	@echo
	@ls $(BUILD)/demo/*.html | sed 's/^/The report: /'

test: coq lint check

# The proof assistant, for the tests of exported theorems: installed where that is possible, and missed loudly elsewhere.
coq:
	@command -v coqc >/dev/null || { \
		if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends coq; \
		else \
			echo "coqc is missing and cannot be installed here: tests of theorems will be SKIPPED"; \
		fi; }

lint: $(VENV)/.group-lint $(VENV)/.group-test
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-cache

# One thread of linear algebra a worker: more would wait for each other.
check: $(VENV)/.group-test
	OPENBLAS_NUM_THREADS=1 MPLBACKEND=Agg $(PY) -m pytest -n $(JOBS)

test-all: coq lint $(VENV)/.group-test
	OPENBLAS_NUM_THREADS=1 HYPOTHESIS_PROFILE=deep LYAPFLOW_TRIALS=250 MPLBACKEND=Agg $(PY) -m pytest -n $(JOBS) -m ""

docs: $(VENV)/.group-docs
	MPLBACKEND=Agg $(PY) -m sphinx -W --keep-going -b html docs $(BUILD)/docs
	@echo "The documentation: $(BUILD)/docs/index.html"

# The peers have an environment of their own: one of them is GPL-3 and no part of anything else here.
BENCH := $(BUILD)/bench-venv

$(BENCH)/.ready: benchmarks/requirements.txt pyproject.toml
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip --disable-pip-version-check --quiet install --editable . --requirement $<
	@touch $@

bench: $(BENCH)/.ready
	$(BENCH)/bin/python -m benchmarks.run
	$(BENCH)/bin/python -m benchmarks.large_plants
	$(BENCH)/bin/python -m benchmarks.factorization

bench-soundness: $(BENCH)/.ready
	$(BENCH)/bin/python -m benchmarks.random_systems --jobs $(JOBS) --store $(BUILD)/random_systems.jsonl

format: $(VENV)/.group-lint
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

clean:
	rm -rf $(VENV) $(BUILD) dist docs/generated docs/gallery docs/sg_execution_times.rst
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
