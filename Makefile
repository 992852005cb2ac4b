# Everything a newcomer needs: `make demo`, `make test`. Works with Python 3.11 or newer and GNU make, as root or not.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := worker tasks tests benchmarks migrations celeryconfig.py
# Tests run in one process a core; more than 8 would only crowd the one PostgreSQL they share.
PYTEST := $(BIN)/python -m pytest -n logical --maxprocesses=8 --dist=worksteal

.DEFAULT_GOAL := help
.PHONY: help venv venv-dev demo up test test-long lint format bench soak migrations-check lock audit sbom clean

# LOCKED=1 installs exactly what requirements/ names, each file by its hash; otherwise what pyproject.toml lets in.
LOCKED :=
PIP_LOCKED := $(BIN)/python -m pip install --quiet --require-hashes --requirement
# Tools about the dependencies, apart from them.
SUPPLY := .venv-supply
COMPILE := $(SUPPLY)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --all-extras --group build

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 26

venv: $(VENV)/.installed ## Make the virtual environment and install the product into it; LOCKED=1: by its lock
venv-dev: $(VENV)/.installed-dev ## The same with the tools for tests and checks

# An interpreter counts if it is new enough and can make virtual environments (Debian: package python3-venv).
$(BIN)/python:
	@set -e; for python in "$$PYTHON" python3 python3.13 python3.12 python3.11; do \
	  if [ -n "$$python" ] && "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "virtual environment with $$("$$python" --version)"; exec "$$python" -m venv $(VENV); \
	  fi; \
	done; echo "no Python 3.11 or newer with venv was found; name one: make PYTHON=/path/to/python3.12" >&2; exit 1

# The stamps are newer than pyproject.toml as long as what it asks for is installed.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
ifeq ($(LOCKED),1)
	$(PIP_LOCKED) requirements/run.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
else
	$(BIN)/python -m pip install --quiet --editable '.[embedded,asyncpg,docs,reports]'
endif
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
ifeq ($(LOCKED),1)
	$(PIP_LOCKED) requirements/dev.txt
else
	$(BIN)/python -m pip install --quiet --group dev
endif
	@touch $@

# What the lock names may change while pyproject.toml stays.
ifeq ($(LOCKED),1)
$(VENV)/.installed: requirements/run.txt
$(VENV)/.installed-dev: requirements/dev.txt
endif

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --group bench
	@touch $@

demo: venv ## The main job on real content, end to end; ARGS=--stay keeps it running
	$(BIN)/elp demo $(ARGS)

up: venv ## Start all processes with made-up secrets; ARGS are added
	$(BIN)/elp up --demo-secrets $(ARGS)

test: venv-dev ## The suite, some minutes; ARGS go to pytest
	$(PYTEST) -m 'not long' $(ARGS)

test-long: venv-dev ## What takes minutes a test: faults of the whole platform, days of simulated time
	$(PYTEST) -m long $(ARGS)

lint: venv-dev ## Rules, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: venv-dev ## Put the code into shape
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

bench: $(VENV)/.installed-bench ## Measure against the limits; ARGS go to the benchmarks
	$(BIN)/python -m benchmarks $(ARGS)

soak: venv-dev ## Hurt the whole platform at random for ten minutes, then check everything; ARGS="--minutes 60 --seed 7"
	$(BIN)/python -m tests.reliability.soak $(ARGS)

migrations-check: venv-dev ## Migrate an empty database up, down and up again, and compare it with the models
	$(BIN)/elp servers run --scratch -- sh -ec 'alembic upgrade head; alembic check; alembic downgrade base; alembic upgrade head; alembic check'

$(SUPPLY)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m venv $(SUPPLY)
	$(SUPPLY)/bin/python -m pip install --quiet --timeout 20 --upgrade 'pip>=25.1'
	$(SUPPLY)/bin/python -m pip install --quiet --timeout 20 --group supply
	@touch $@

lock: $(SUPPLY)/.installed ## Lock what pyproject.toml asks for, for Python 3.11 and newer; ARGS=--upgrade takes newest
	$(COMPILE) pyproject.toml --output-file requirements/run.txt $(ARGS)
	$(COMPILE) --group dev --constraint requirements/run.txt pyproject.toml --output-file requirements/dev.txt $(ARGS)

audit: $(SUPPLY)/.installed ## Ask whether versions of the lock have known weaknesses
	$(SUPPLY)/bin/python requirements/audit.py requirements/run.txt

sbom: $(SUPPLY)/.installed ## Write the bill of materials of the lock (CycloneDX) to build/sbom.json
	@mkdir -p build
	$(SUPPLY)/bin/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml --output-reproducible \
	  --output-file build/sbom.json

clean: ## Stop the embedded servers; remove their data, the virtual environment and caches
	@if [ -x $(BIN)/elp ] && [ -d .elp ]; then ELP_DATA_DIR=.elp $(BIN)/elp servers stop; fi
	rm -rf .elp $(VENV) $(SUPPLY) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
