# Works in a fresh clone on a machine with Python 3.11 or newer, git and make. Running it again is quick.

PYTHON ?= python3
# Most tests wait for something most of the time: more of them at once than there are cores.
JOBS ?= 4
CONFORMANCE ?= ../shared/conformance
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
SCALYR_VENV := .venv-scalyr
DISTRIBUTIONS := $(patsubst %/pyproject.toml,%,$(wildcard kube_log_watcher_*/pyproject.toml))

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test lint types docs build release manifests pictures conformance environments clean
.DELETE_ON_ERROR:

help:  ## say what there is
	@sed -n 's/^\([a-z]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(STAMPS)/installed  ## show the main job on an embedded node and API server
	$(BIN)/kube-log-watcher demo

# Whatever the surroundings say, modules are compiled once, and not by each worker and each process of a test.
test: $(STAMPS)/test $(SCALYR_VENV)/.stamp  ## run the tests
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(ARGS)

lint: $(STAMPS)/lint  ## style and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMPS)/types $(STAMPS)/test  ## mypy, strict, over sources and tests
	$(BIN)/mypy

docs: $(STAMPS)/docs  ## the documentation, into docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

build: $(STAMPS)/build  ## sdist and wheel of every distribution, into dist
	rm -rf dist
	for folder in $(DISTRIBUTIONS) .; do $(BIN)/python -m build --outdir dist $$folder || exit; done
	$(BIN)/twine check --strict dist/*

release: $(STAMPS)/build  ## build and verify all distributions twice, byte for byte, into dist
	$(BIN)/python scripts/release.py

manifests: $(STAMPS)/test  ## render the chart to deploy/manifests
	$(BIN)/python deploy/render.py

pictures: $(STAMPS)/installed  ## draw the terminals in the documentation anew
	$(BIN)/python scripts/pictures.py docs/_static

conformance: $(STAMPS)/installed  ## the black-box cases in $(CONFORMANCE), both layouts and events alone
	$(BIN)/python .ci/conformance.py --cases $(CONFORMANCE) docker cri events

environments: $(foreach group,test lint types docs build,$(STAMPS)/$(group)) $(SCALYR_VENV)/.stamp  ## only install

clean:  ## remove what the other targets made
	rm -rf $(VENV) $(SCALYR_VENV) build dist docs/_build *.egg-info

$(STAMPS)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/installed: $(STAMPS)/python setup.cfg $(DISTRIBUTIONS:%=%/pyproject.toml)
	$(BIN)/python -m pip install --quiet $(DISTRIBUTIONS:%=--editable ./%) '.[all]'
	@touch $@

# The tools of one dependency group of pyproject.toml.
$(STAMPS)/%: $(STAMPS)/installed pyproject.toml
	$(BIN)/python -m pip install --quiet --group $*
	@touch $@

# The real Scalyr agent runs on Python 3.11 at most. Where there is none, its tests say so and are skipped.
$(SCALYR_VENV)/.stamp:
	@if command -v python3.11 >/dev/null; then \
	    python3.11 -m venv $(SCALYR_VENV) \
	    && $(SCALYR_VENV)/bin/python -m pip install --quiet scalyr-agent-2==2.2.8 \
	    && { $(SCALYR_VENV)/bin/python -m pip install --quiet systemd-python==235 2>/dev/null \
	        || echo 'No systemd-python (it needs gcc, pkg-config and libsystemd-dev): the journal test will be skipped.'; } \
	    && touch $@; \
	else echo 'There is no python3.11: the tests with the real Scalyr agent will be skipped.'; fi
