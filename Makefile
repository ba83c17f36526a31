# Headrace: `make run` serves the local model, `make test` checks everything. Each makes .venv by itself.
PYTHON ?= python3
VENV := .venv
UV := $(VENV)/bootstrap/bin/uv
BIN := $(VENV)/bin
PORT ?= 8787
HOST ?= 127.0.0.1
NODE := tests/node
NPM_QUIET := --ignore-scripts --no-audit --no-fund --loglevel=error

.PHONY: run test check bench fuzz soak lock clean

run: $(VENV)/.ready
	$(BIN)/headrace models pull smollm2-135m-instruct
	$(BIN)/headrace serve --host $(HOST) --port $(PORT)

test: check $(NODE)/node_modules/.ready
	$(BIN)/python -m pytest -q

check: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

fuzz: $(VENV)/.fuzz
	$(BIN)/python -m tests.fuzz
	$(BIN)/python -m tests.fuzz.endpoints

soak: $(VENV)/.ready
	$(BIN)/python -m benchmarks.soak

# The locks carry hashes and no addresses, so they install from whatever index the installer is set up for.
lock: $(UV)
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --extra server --extra local --extra proxy --extra valkey --extra otel --group dev pyproject.toml -o locks/dev.txt
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --extra server --extra local --extra proxy --extra valkey --extra otel --group dev --group bench -c locks/dev.txt pyproject.toml -o locks/bench.txt
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --extra server --extra local --extra proxy --extra valkey --extra otel --group dev --group fuzz -c locks/dev.txt pyproject.toml -o locks/fuzz.txt
	if command -v npm >/dev/null; then cd $(NODE) && npm install --package-lock-only --omit-lockfile-registry-resolved $(NPM_QUIET); fi

# The npm package that judges the UI message stream, for tests only. Where npm is missing they skip, and say so.
$(NODE)/node_modules/.ready: $(NODE)/package-lock.json
	@command -v npm >/dev/null || exit 0; cd $(NODE) && if npm ci $(NPM_QUIET) >/dev/null; \
	then touch node_modules/.ready; else echo "npm ci failed: the tests of the npm package are skipped" >&2; fi

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(PYTHON) -m venv $(VENV)/bootstrap
	$(VENV)/bootstrap/bin/python -m pip install -q --disable-pip-version-check uv

$(VENV)/.ready: $(UV) locks/dev.txt pyproject.toml
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install -q --require-hashes -r locks/dev.txt
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install -q --no-deps -e .
	touch $@

$(VENV)/.bench: $(VENV)/.ready locks/bench.txt
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install -q --require-hashes -r locks/bench.txt
	touch $@

$(VENV)/.fuzz: $(VENV)/.ready locks/fuzz.txt
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install -q --require-hashes -r locks/fuzz.txt
	touch $@

clean:
	rm -rf $(VENV) $(NODE)/node_modules
