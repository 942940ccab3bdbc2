# Each target sets up what it needs; that takes a minute the first time and nothing after it.
# Needs: Python >= 3.11 with venv, make, a package registry.

PY := .venv/bin/python
SETUP := tools/setup_venv.sh
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help demo demo-service demo-there test check bench soak format api proto setup

help:
	@echo "make demo    try doorward in a browser"
	@echo "make demo-service   the same, with a decision service and its pages"
	@echo "make test    the tests, about a quarter of an hour on two cores"
	@echo "make check   formatting, lint, types, import contracts, the list of the public API"
	@echo "make bench   what a decision costs, beside the peers"
	@echo "make soak    the long tests and the fuzzers"
	@echo "make format  put the sources in shape"
	@echo "make api     rewrite the list of the public API after a wanted change"
	@echo "make proto   compile the wire of the decision service after a change of decide.proto"

setup:
	@$(SETUP) .venv requirements/dev.txt --editable

demo: demo-there
	$(PY) -m demo

demo-service: demo-there
	$(PY) -m demo.service

demo-there: setup
	@$(PY) -c "import importlib.util, sys; sys.exit(not importlib.util.find_spec('demo') and 'demo/ is missing from this copy of the project')"

test: setup
	@tools/setup_npm.sh .venv tests/arcjet
	@tools/setup_npm.sh .venv tests/challenges/work
	@tools/setup_npm.sh .venv tests/challenges/pages
	$(PY) -m pytest -n 2

check: setup
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pyright --warnings
	.venv/bin/lint-imports
	$(PY) tools/api_list.py --check
	$(PY) tools/generate_proto.py --check

bench: setup
	@$(SETUP) .venv-bench benchmarks/requirements.txt
	$(PY) -m benchmarks
	PYTHONPATH=src:. .venv-bench/bin/python -m benchmarks.redis_stores

soak:
	@$(SETUP) .venv-soak requirements/soak.txt --editable
	@tools/setup_npm.sh .venv-soak tests/arcjet
	@tools/setup_npm.sh .venv-soak tests/challenges/work
	@tools/setup_npm.sh .venv-soak tests/challenges/pages
	DOORWARD_SOAK=1 .venv-soak/bin/python -m pytest -n 2 --timeout 1800
	@set -e; for script in tests/fuzz/fuzz_*.py; do \
		echo "$$script for $(FUZZ_SECONDS) s"; FUZZ_SECONDS=$(FUZZ_SECONDS) PYTHONPATH=. .venv-soak/bin/python "$$script"; \
	done

format: setup
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

api: setup
	$(PY) tools/api_list.py --write

proto: setup
	$(PY) tools/generate_proto.py --write
