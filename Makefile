PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
REPORT := build/report
# These judge servers while they run, and get no more workers than there are cores; the others wait more than they work.
# Files of few and long tests come early: last, they would leave a core idle.
JUDGING := tests/faults tests/contracts tests/surroundings tests/evidence tests/examples tests/hostile tests/loadtest
QUICKLY := -n 4 --dist worksteal $(JUDGING:%=--ignore=%)
CAREFULLY := -n auto --dist loadfile --no-loadscope-reorder
MANY := --hypothesis-profile many
# An environment may forbid compiled modules to be written: each of many hundred processes would compile all of them.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test test-slow test-all coverage lint format wheel matrix screenshots reference bench constraints clean

help:  ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(STAMP)  ## Check and load-test the embedded reference server, and write the reports
	$(BIN)/wsproof check --output $(REPORT)
	$(BIN)/wsproof load --users 20 --time 10s --output $(REPORT)
	@echo "Open $(REPORT)/report.html and $(REPORT)/load.html."

test: $(STAMP)  ## Run the tests, without the slow ones
	$(BIN)/pytest $(QUICKLY) -m "not slow"
	$(BIN)/pytest $(CAREFULLY) $(JUDGING) -m "not slow"

test-slow: $(STAMP)  ## Run the slow tests: every fault, hostile endpoint, example server, page and many examples of each property
	$(BIN)/pytest $(QUICKLY) $(MANY) -m slow
	$(BIN)/pytest $(CAREFULLY) $(JUDGING) $(MANY) -m slow
	$(BIN)/pytest -n auto $(MANY) -m "hypothesis and not slow"

test-all: test test-slow  ## Run all tests

coverage: $(STAMP)  ## Run what `make test` runs, and list the modules whose lines it does not all reach
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(QUICKLY) -m "not slow"
	$(BIN)/coverage run -m pytest $(CAREFULLY) $(JUDGING) -m "not slow"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: $(STAMP)  ## Lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/wsproof lint

format: $(STAMP)  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(STAMP)  ## Build the wheel into dist/
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

matrix: $(STAMP)  ## Play every fault, and write docs/matrix.md and docs/load-matrix.md
	$(BIN)/python -m tests.load_matrix
	$(BIN)/python -m tests.matrix

screenshots: $(STAMP)  ## Photograph all pages for docs/images (needs Chromium)
	$(BIN)/python -m tests.screenshots

bench: $(STAMP)  ## Measure what a unit of work costs the load generator, beside its peers (fetched into build/peers)
	$(BIN)/python -m benchmarks.load --install

reference: $(STAMP)  ## Write docs/json.md from the schemas
	$(BIN)/python -m tests.reference

constraints: $(STAMP)  ## Pin every dependency anew, with hashes
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-emit-trusted-host \
	  --no-emit-find-links --strip-extras --allow-unsafe --no-header --no-annotate --all-extras \
	  --output-file constraints.txt pyproject.toml

clean:  ## Remove everything that was built
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage wsproof-report

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "wsproof needs Python 3.11 or newer; name it: make PYTHON=python3.11 …" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
