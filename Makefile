# Every target does its own set-up. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test lint types unit lock servers bench bench-coding bench-coverage bench-detection bench-incidents bench-backtest bench-simulator bench-store bench-delivery clean

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/runtime: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tocsin needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/dev: .venv/runtime requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: .venv/runtime ## Replay half a year of Afghanistan through Kafka and show what was called
	$(BIN)/tocsin demo $(ARGS)

test: lint types unit ## Everything that must hold: style, types, imports, tests on real servers

lint: .venv/dev ## Style and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/dev ## Types (mypy --strict)
	$(BIN)/mypy

unit: .venv/dev servers ## The tests; ARGS="-k words" picks some
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

servers: ## The servers that tests start: Java, Maven, PostgreSQL, Prometheus, Alertmanager
	@tests/servers.sh

bench: .venv/dev servers ## Speed of the line beside its baselines, some minutes
	$(BIN)/python tests/benchmarks/bench_line.py $(ARGS)

bench-coding: .venv/dev ## What the coder can do, and how fast, beside naive ones
	$(BIN)/python tests/benchmarks/bench_coding.py
	$(BIN)/python tests/benchmarks/bench_language.py
	$(BIN)/python tests/benchmarks/bench_types.py

bench-incidents: .venv/dev ## How well reports become incidents, how fast, in how much memory
	$(BIN)/python tests/benchmarks/bench_incidents.py $(ARGS)

bench-detection: .venv/dev ## What is found, how soon, at which false alarms; ARGS="--quick" for less
	$(BIN)/python -m tests.benchmarks.bench_detection $(ARGS)

bench-coverage: .venv/dev ## How soon an outage is known, how often calm is taken for one
	$(BIN)/python tests/benchmarks/bench_coverage.py $(ARGS)

bench-backtest: .venv/dev ## How long a backtest takes, in how much memory
	$(BIN)/python -m tests.benchmarks.bench_backtest $(ARGS)

bench-simulator: .venv/dev ## How fast worlds are simulated, and how true
	$(BIN)/python tests/benchmarks/bench_simulator.py $(ARGS)

bench-store: .venv/dev ## Speed of the store
	$(BIN)/python tests/benchmarks/bench_store.py

bench-delivery: .venv/dev servers ## From an alert written to its receipt, beside a bare POST loop
	$(BIN)/python -m tests.benchmarks.bench_delivery $(ARGS)

lock: .venv/dev ## Renew the lock files from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --extra embedded pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --extra embedded --extra postgres --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

clean: ## Remove what was made here
	rm -rf .venv .cache .tocsin .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
