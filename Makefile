# The doors into this repository. `make demo` and `make dev` need nothing but Python 3.11+ and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := $(BIN)/uv
UV_VERSION := 0.13.9
WORKSPACE ?= demo-workspace

# uv must use the interpreter of the virtual environment and nothing it would have to fetch.
export UV_PYTHON_DOWNLOADS := never

# Images often forbid Python to keep what it compiled. Tests, demo and Dagster start hundreds of
# processes, and each would compile five thousand modules again: 9 seconds instead of 3.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo dev test lint unit soak fuzz bench bench-full docs lock clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(STAMP) ## Install the locked packages and this project into .venv

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "roster-pipeline needs Python 3.11 or newer; say which: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "Python has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(STAMP)

demo: install ## Three days of two make-believe districts over real SFTP, REST and SCIM servers
	$(BIN)/roster demo $(WORKSPACE) --fresh

dev: install ## Open the Dagster UI on the demo's workspace (or WORKSPACE=folder)
	$(BIN)/roster --workspace $(WORKSPACE) dev

test: lint unit ## Everything that a change must pass

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry roster_pipeline

# Three workers keep two cores busy, as a fifth of the time goes into waiting for servers and disks.
unit: install
	$(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder -m "not soak" tests

soak: install ## The longer proofs: every kill point, both databases, ten times the examples
	ROSTER_EXAMPLES=$(or $(ROSTER_EXAMPLES),10) $(BIN)/pytest -n 2 -m "soak or hypothesis" --timeout 3600 tests

fuzz: install ## Ten minutes of coverage-guided fuzzing of all that reads files
	$(UV) pip install --quiet --python $(BIN)/python "atheris==3.0.0"
	nice -n 10 $(BIN)/python -m fuzz

bench: install ## Limit, naive and ours at 10,000 and 100,000 students; a check of 100,000
	$(BIN)/python -m benchmarks

bench-full: install ## The same and a 1,000,000-student district through the command
	$(BIN)/python -m benchmarks --full

docs: install ## Write docs/rules.md, docs/sources/ and docs/receivers/ anew
	$(BIN)/python -m roster_pipeline.reports.rules > docs/rules.md.new
	mv docs/rules.md.new docs/rules.md
	$(BIN)/python -m roster_pipeline.reports.vendor_pages docs/sources
	$(BIN)/python -m roster_pipeline.reports.receivers docs/receivers

lock: install ## Choose the newest allowed packages again (hashes, no registry's host)
	$(UV) pip compile pyproject.toml --quiet --upgrade --universal --generate-hashes \
		--python-version 3.11 -o requirements.lock
	$(UV) pip compile pyproject.toml --group dev --quiet --upgrade --universal --generate-hashes \
		--python-version 3.11 -o requirements-dev.lock

clean: ## Remove what was built, keeping workspaces
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
