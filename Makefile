# Polyclinic. `make run` for a demo hospital on http://localhost:8000, `make test` for everything that is checked.
# Needs Python 3.11 or newer and make; everything else is installed into .venv from the locked lists.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
FLAGS := --disable-pip-version-check --quiet
PYTEST := $(BIN)/pytest
POSTGRES_URL ?= $(or $(TEST_POSTGRES_URL),postgres://root@127.0.0.1/postgres)
FAST := not service and not browser and not postgres and not wide
# Tests wait for databases, and those of the whole suite for servers and browsers: more than there are cores keep the
# cores busy.
CORES := $(shell getconf _NPROCESSORS_ONLN)
SIDE_BY_SIDE := $(shell echo $$(( $(CORES) + 1 )))
WHOLE_SIDE_BY_SIDE := $(shell echo $$(( $(CORES) + 2 )))
# Where it is set, no process keeps what it has compiled, and hundreds are started: each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
REACHABLE := import sys; from tests.server import postgres_reachable as p; sys.exit(not p())

.DEFAULT_GOAL := help
.PHONY: help run test fast lint style types lock assets bench docs clean

help:
	@echo "make run     demo hospital on http://localhost:$(PORT) (another: make run PORT=8080)"
	@echo "make test    lint, types, contracts and every test"
	@echo "make fast    the quick tests only"
	@echo "make lint    style, types and import contracts"
	@echo "make assets  fetch and build the front-end assets again"
	@echo "make bench   measure this machine"
	@echo "make docs    write the generated tables"
	@echo "make lock    resolve the dependency lists anew (needs uv)"
	@echo "make clean   remove everything that was built; data in var/ stays"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name one with make PYTHON=python3.12"; exit 1; }
	@echo "Making the environment $(VENV) …"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing pinned dependencies …"
	$(BIN)/pip install $(FLAGS) --require-hashes -r requirements/run.txt
	@echo "Installing Polyclinic and building its assets …"
	$(BIN)/pip install $(FLAGS) --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "Installing pinned development tools …"
	$(BIN)/pip install $(FLAGS) --require-hashes -r requirements/dev.txt
	@touch $@

run: $(VENV)/.run
	$(BIN)/polyclinic demo --serve --port $(PORT)

lint: style types

style: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy
	$(BIN)/lint-imports

fast: $(VENV)/.dev
	$(PYTEST) -q -n auto -m "$(FAST)"

# The same tests run on PostgreSQL first, while types and contracts are checked beside them; the last thing said is then
# the whole suite's own summary: SQLite, live servers (some of them on PostgreSQL) and browsers.
test: style
	@$(MAKE) --no-print-directory types >$(VENV)/types.log 2>&1 & types=$$!; \
	if TEST_POSTGRES_URL=$(POSTGRES_URL) $(BIN)/python -c "$(REACHABLE)"; then \
	  echo "The fast tests on PostgreSQL"; \
	  DATABASE_URL=$(POSTGRES_URL) $(PYTEST) -q -n $(SIDE_BY_SIDE) --dist worksteal \
	    -m "not service and not browser and not wide"; \
	elif [ "$$REQUIRE_SERVICES" = 1 ]; then echo "PostgreSQL does not answer"; false; \
	else echo "PostgreSQL does not answer; its tests are left out"; fi; tested=$$?; \
	wait $$types; typed=$$?; cat $(VENV)/types.log; exit $$((tested || typed))
	@echo "What is timed, with nothing beside it"
	TEST_POSTGRES_URL=$(POSTGRES_URL) $(PYTEST) -q -s -m alone
	@echo "The whole suite"
	TEST_POSTGRES_URL=$(POSTGRES_URL) $(PYTEST) -q -n $(WHOLE_SIDE_BY_SIDE) --dist worksteal \
	  -m "(service or not postgres) and not alone"

lock:
	uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	  --custom-compile-command "make lock" -o requirements/run.txt pyproject.toml
	uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	  --custom-compile-command "make lock" -o requirements/dev.txt pyproject.toml --group dev

assets: | $(BIN)/python
	rm -f $(VENV)/.run
	$(MAKE) $(VENV)/.run

bench: $(VENV)/.dev
	$(BIN)/polyclinic bench

docs: $(VENV)/.run
	$(BIN)/polyclinic docs

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis \
	  node_modules polyclinic/portals/ui/static/vendor
