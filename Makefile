.PHONY: demo test test-next check bench bench-import bench-intake bench-claim bench-web bench-queue bench-engine soak soak-engine screenshots clean
PYTHON ?= python3
# Compiled modules are kept: without them every process of the program that starts compiles it anew.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
NEXT_VENV := .venv-next
NEXT_DATASETTE := 1.0a41
# Many tests wait for processes: more workers than cores keep these busy.
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) \* 5 / 2)

# A browser, a service and an engine each: more than one a core only makes them wait for each other.
BROWSERS ?= $(shell nproc 2>/dev/null || echo 2)
PARALLEL = -n $(WORKERS) --maxprocesses 8 --dist worksteal

$(VENV)/.core: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

$(NEXT_VENV)/.dev: pyproject.toml Makefile
	$(PYTHON) -m venv $(NEXT_VENV)
	$(NEXT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' datasette==$(NEXT_DATASETTE)
	touch $@

demo: $(VENV)/.core  ## run the example library: make demo ARGS=--once
	$(BIN)/hotfolder demo $(ARGS)

test: $(VENV)/.dev  ## the whole test suite
	$(BIN)/python -m pytest $(PARALLEL) --ignore=tests/browser $(ARGS)
	$(BIN)/python -m pytest -n $(BROWSERS) --dist worksteal -o timeout=120 tests/browser $(ARGS)

test-next: $(NEXT_VENV)/.dev  ## the plugin's tests with the Datasette to come
	$(NEXT_VENV)/bin/python -m pytest $(PARALLEL) -p no:cacheprovider $(ARGS) tests/plugins

check: $(VENV)/.dev  ## format, lint, types, import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev  ## every performance claim
	for each in benchmarks/bench_*.py; do $(BIN)/python $$each || exit 1; done

bench-import: $(VENV)/.dev  ## imports beside sharp and pyvips: make bench-import ARGS='--rounds 5'
	$(BIN)/python benchmarks/bench_import.py $(ARGS)

bench-intake: $(VENV)/.dev  ## bursts into a watched folder, and the cost of idling
	$(BIN)/python benchmarks/bench_intake.py $(ARGS)

bench-engine: $(VENV)/.dev  ## how long the engine waits between two pictures of the service
	$(BIN)/python benchmarks/bench_engine.py $(ARGS)

bench-queue: $(VENV)/.dev  ## the queue beside huey, litequeue and persist-queue
	$(BIN)/python benchmarks/bench_queue.py $(ARGS)

bench-web: $(VENV)/.dev  ## the light table at a million pictures: make bench-web ARGS="--library /tmp/million" keeps them
	$(BIN)/python benchmarks/bench_web.py $(ARGS)

bench-claim: $(VENV)/.dev  ## from a rename into a watched folder to the claim
	$(BIN)/python benchmarks/bench_claim.py $(ARGS)

soak: $(VENV)/.dev  ## 200 random kills in a row over a stream of 500 jobs
	$(BIN)/python benchmarks/soak_kills.py $(ARGS)

soak-engine: $(VENV)/.dev  ## 500 jobs whose engine is killed every three seconds
	$(BIN)/python benchmarks/soak_engine.py $(ARGS)

screenshots: $(VENV)/.dev  ## the pictures in docs/images, taken with Chromium
	$(BIN)/python scripts/make_screenshots.py

clean:
	rm -rf $(VENV) $(NEXT_VENV) build dist *.egg-info demo-library
