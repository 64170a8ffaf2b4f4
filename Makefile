# Every target works from nothing: it builds .venv first when it is missing or older than the pins.
#   make test PYTHON=python3.12     names another interpreter (3.11 or newer)
PYTHON ?= python3
STUDY ?= quick
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BENCH_INSTALLED := $(VENV)/.installed-bench
NOTEBOOKS := $(wildcard notebooks/analysis/*.ipynb)

# The kernel `python3` is this environment's own, whatever kernels the user has registered.
export JUPYTER_PREFER_ENV_PATH := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export TOKENIZERS_PARALLELISM := false
# Hundreds of processes of tests and runs read what Python has compiled once, whatever the user's shell says.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help study test soak lab doctor lint format bench bench-gpu requirements

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /: /'

study: $(INSTALLED)  ## run a study: make study STUDY=smoke (default: quick, generated languages, minutes on two cores)
	$(BIN)/xt run $(STUDY)

# Two workers of one thread each: the tests are many and small. No test may reach for the network
# (those of tests/hub talk to a server of their own, and set what they need).
test: export OMP_NUM_THREADS := 1
test: export HF_HUB_OFFLINE := 1
test: $(INSTALLED) lint  ## lint, tests, and the analysis notebooks against their committed outputs
	$(BIN)/python -m pytest -n 2 --dist loadfile --nbval --nbval-current-env tests $(NOTEBOOKS)

# Each fault as often as the published table says, nothing else beside it. One alone: XT_SOAK=1 and its file. The table
# holds what this run of it found, lost ones too, and nothing older.
soak: export OMP_NUM_THREADS := 1
soak: export HF_HUB_OFFLINE := 1
soak: export XT_SOAK := 1
soak: $(INSTALLED)  ## every fault (kills, full disks, damaged files, ...) as often as SECURITY.md says: hours
	rm -f data/results/faults/*.csv
	code=0; $(BIN)/python -m pytest -o faulthandler_timeout=0 --deselect tests/faults/test_table.py tests/faults || code=$$?; \
	  $(BIN)/python -m tests.faults.table && exit $$code

lab: $(INSTALLED)  ## JupyterLab on this machine only; its address carries the token
	$(BIN)/jupyter lab --ServerApp.ip=127.0.0.1

doctor: $(INSTALLED)  ## versions, device, roots, and a one-cell notebook
	$(BIN)/xt doctor

lint: $(INSTALLED)  ## ruff, changing nothing
	$(BIN)/ruff check .

# Nothing else should run meanwhile. One alone: $(BIN)/python -m tests.benchmarks NAME (--list names them).
bench: $(BENCH_INSTALLED)  ## measure speed beside other ways to do the same: some 50 minutes on two idle cores
	$(BIN)/python -m tests.benchmarks

bench-gpu: $(INSTALLED)  ## the same on a GPU: 20 minutes; skips itself without one
	$(BIN)/python -m tests.benchmarks gpu

format: $(INSTALLED)  ## ruff, mending what it can
	$(BIN)/ruff check --fix .

requirements: $(INSTALLED)  ## compile requirements.txt from pyproject.toml
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --output-file=$(VENV)/pins.txt pyproject.toml
	{ sed '/^[^#]/,$$d' requirements.txt; \
	  sed -E 's/\+cpu$$//; /^(cuda|nvidia|triton)/d; /^(#|$$)/d' $(VENV)/pins.txt; } > $(VENV)/requirements.txt
	mv $(VENV)/requirements.txt requirements.txt
	$(BIN)/pip-compile --quiet --extra=bench --constraint=requirements.txt --output-file=$(VENV)/pins.txt pyproject.toml
	{ sed '/^[^#]/,$$d' requirements-bench.txt; \
	  sed -E 's/\+cpu$$//; /^(cuda|nvidia|triton)/d; /^(#|$$)/d' $(VENV)/pins.txt | grep -vxFf requirements.txt; } \
	  > $(VENV)/requirements.txt
	mv $(VENV)/requirements.txt requirements-bench.txt

$(BENCH_INSTALLED): $(INSTALLED) requirements-bench.txt
	$(BIN)/python -m pip install --quiet -r requirements-bench.txt
	touch $@

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "xt needs Python 3.11 or newer, and $(PYTHON) is not; name one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --upgrade-deps $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@
