# Everything a contributor or a CI machine does, by name. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
CONFIG ?= config/paper.yaml
# pytest-xdist workers: two for each of the two cores that the time budget is written for, since half of a
# test's time is waiting (for processes, for deadlines that are kept), not computing.
WORKERS ?= 4
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
YAML := $(wildcard config schemas chaos deploy .github) .yamllint $(wildcard .hadolint.yaml)

.PHONY: help setup run demo-live test test-long check format clean bench lock hunt drills sbom audit ops-tools editor-tools

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv from the lock file; nothing to do when it is up to date

# The version test comes first: an old Python would fail much later, inside the resolver.
$(STAMP): requirements-dev.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "setup: '$(PYTHON)' was not found; install Python 3.11 or newer, or run 'make setup PYTHON=/path/to/python3'" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "setup: Python 3.11 or newer is needed, '$(PYTHON)' is $$($(PYTHON) -V 2>&1)" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "setup: '$(PYTHON)' cannot create virtual environments (no ensurepip); on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## set up, then run the paper deployment (CONFIG=... ARGS=...)
	@$(BIN)/polytrade up $(CONFIG) $(ARGS)

demo-live: setup ## the live path on this machine: config/local.yaml and an exchange for it (ARGS=...)
	@$(BIN)/polytrade up config/local.yaml --exchange $(ARGS)

ops-tools: ## install Prometheus and Alertmanager for their tests, as root where apt-get is; start nothing
	@.ci/ops-tools
	@$(MAKE) --no-print-directory editor-tools || echo "ops-tools: the tests of editors will skip" >&2

# Below var/, never globally. Tests that need it skip, and say so, where it is not there.
YAML_SERVER := 2.0.0
editor-tools: var/tools/node_modules/.yaml-language-server-$(YAML_SERVER) ## install the YAML language server for its tests, into var/tools (needs npm)

var/tools/node_modules/.yaml-language-server-%:
	@command -v npm >/dev/null || { echo "editor-tools: npm was not found; on Debian or Ubuntu: apt-get install npm" >&2; exit 1; }
	@mkdir -p var/tools
	npm install --prefix var/tools --no-save --no-audit --no-fund --loglevel=error yaml-language-server@$*
	@touch $@

test: setup ## the default test suite (WORKERS=4 ARGS=...)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-long: setup ## the tests that take minutes: kills, seeds, soak
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m long --timeout 1800 $(ARGS)

check: setup ## format, lint, types, architecture, schema drift, YAML, Dockerfile, commands in the docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/architecture $(wildcard tests/*/test_docs*.py)
	$(BIN)/polytrade schema --check
	$(BIN)/polytrade monitoring config/live.yaml --out config --check
	$(BIN)/yamllint --strict $(YAML)
	$(BIN)/hadolint Dockerfile

format: setup ## rewrite the code in the one format, and repair what ruff can repair
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

drills: setup ops-tools ## run all drills, two stages at a time, and draw their page (ARGS="feed-mute halt" for some)
	$(BIN)/polytrade drill run $(or $(ARGS),all) --jobs $(WORKERS) && ok=0 || ok=$$?; $(BIN)/polytrade drill report; exit $$ok

bench: setup ## measure (ARGS="orders_durable ack_p99 --json" for some)
	$(BIN)/polytrade bench $(ARGS)

# No registry host and no machine path may enter a lock file: hence the three --no-* options.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header $(if $(UPGRADE),--upgrade)

lock: ## write the lock files again (UPGRADE=1 takes newer versions)
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; }
	$(COMPILE) pyproject.toml --extra dev --output-file requirements-dev.lock
	$(COMPILE) pyproject.toml --extra data --extra speed --extra vault --extra secrets --constraints requirements-dev.lock --output-file requirements.lock
	echo 'hatchling' | $(COMPILE) - --constraints requirements-dev.lock --output-file requirements-build.lock

sbom: setup ## write the bill of materials of the image, build/polytrade.cdx.json, and docs/licences.md
	@mkdir -p build
	$(BIN)/python -m actors.deployment.materials bom requirements.lock > build/polytrade.cdx.json
	$(BIN)/python -m actors.deployment.materials licences requirements.lock docs/licences.md

# What can be judged without a network comes first and always counts. The advisories need one, and fail without.
audit: setup ## hashes, licences, and known vulnerabilities of what the image is made of
	$(BIN)/python -m pytest -q tests/architecture/test_locks.py tests/architecture/test_materials.py
	$(BIN)/uv tool run pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock

clean: ## remove .venv and caches; var/ (journals) stays
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

hunt: setup ## look for seeds that break a promise, over all cores, until Ctrl-C (CONFIG=config/local.yaml ARGS=...)
	$(BIN)/polytrade simulate $(if $(filter file,$(origin CONFIG)),config/local.yaml,$(CONFIG)) --seeds $(or $(FROM),0).. --hours 0.25 --jobs 0 $(ARGS)
