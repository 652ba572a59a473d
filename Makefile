# `make` or `make help` lists what there is. Everything runs from .venv, which `setup` makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-clients test-slow test-spark check bench calibrate docs lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.installed ## Make the virtual environment with locked, hash-checked packages

$(VENV)/.installed: requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

demo: setup ## Install, then watch a winner being found and promoted in a simulated month
	$(BIN)/desireline demo

run: setup ## Serve the pages, the API and the jobs on http://127.0.0.1:8000
	$(BIN)/desireline up

test: $(VENV)/.installed-dev ## Install, then run the tests (under six minutes on two cores)
	$(BIN)/pytest -n 2 -m "not slow" --ignore tests/clients

test-clients: $(VENV)/.installed-dev ## Run the real, unmodified client libraries against a server (fetches npm packages)
	$(BIN)/pytest tests/clients

test-slow: $(VENV)/.installed-dev ## Run the tests that take longer: calibration, real data, fuzzing, killed processes
	$(BIN)/pytest -m slow

test-spark: $(VENV)/.installed-dev ## Compare Spark with DuckDB on executors of its own (fetches pyspark; needs Java 17)
	$(BIN)/pip install --quiet --disable-pip-version-check pyspark==4.3.0
	$(BIN)/pytest -n 0 -m slow tests/experiments/moments/test_spark.py

check: $(VENV)/.installed-dev ## Everything CI runs: format, lint, types, layers, docs, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) docs test

bench: $(VENV)/.installed-dev ## Run the benchmarks; each prints its ratio to a limit or a peer
	for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

calibrate: setup ## Prove the error rates on simulations (more than an hour; `--quick` takes two minutes)
	$(BIN)/desireline calibrate --out docs

docs: $(VENV)/.installed-dev ## Check that the documentation names what there is and links to what exists
	$(BIN)/pytest -q -n 0 tests/docs

lock: ## Write the lock files anew from pyproject.toml (needs uv)
	uv pip compile $(LOCK) --upgrade pyproject.toml --group dev -o requirements-dev.lock
	uv pip compile $(LOCK) --upgrade pyproject.toml -c requirements-dev.lock -o requirements.lock

clean: ## Remove the virtual environment and the caches, never your data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
