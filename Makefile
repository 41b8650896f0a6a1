# The whole workflow. Every target makes the environment it needs, once; a change of pyproject.toml remakes it.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
PIP_FLAGS := --quiet --disable-pip-version-check
WORKERS ?= 2

BIN := .venv/bin
DEV := .venv/.ready
BENCH := .venv/.bench-ready
# These two pin packages that the development environment needs in other versions (pydantic, click,
# typing-extensions), so each lives by itself. The tests find them through these variables.
CONTENTCTL_ENV := .venv-contentctl
PANTHER_ENV := .venv-panther
export CONTENTCTL ?= $(CURDIR)/$(CONTENTCTL_ENV)/bin/contentctl
export PANTHER_ANALYSIS_TOOL ?= $(CURDIR)/$(PANTHER_ENV)/bin/panther_analysis_tool

# Public rules and logs, where they are at hand: sweeps and the demo's sample logs come from there.
export CONVERTER_CORPUS ?= $(CURDIR)/../shared/corpus
# A folder with the package pypanther in it; the sweep over its rules is skipped without.
export PYPANTHER
SAMPLE_LOGS := $(wildcard $(CONVERTER_CORPUS)/logs/*/*.jsonl.gz)

.DEFAULT_GOAL := demo
.PHONY: demo test lint types format outputs bench corpus mutants fuzz environments clean

demo: $(DEV) ## Render every rule for every platform and show that all agree
	$(BIN)/convert --to all
	$(BIN)/convert check $(SAMPLE_LOGS:%=--logs %)

test: environments ## Everything that is fast enough to run always
	$(BIN)/python -m pytest -n $(WORKERS) -m "not corpus" --cov

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV)
	$(BIN)/mypy

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

outputs: $(DEV) ## Regenerate the committed renderings, without those of rules that are gone
	rm -rf outputs
	$(BIN)/convert --to all

bench: $(BENCH)
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.importing
	$(BIN)/python -m benchmarks.render
	$(BIN)/python -m benchmarks.evaluate
	$(BIN)/python -m benchmarks.check
	$(BIN)/python -m benchmarks.catalog

corpus: environments ## Slow sweeps over the public rule corpus (CONVERTER_CORPUS names its folder)
	$(BIN)/python -m pytest -n $(WORKERS) -m "corpus or slow"

mutants: $(DEV) ## Thousands of rendered queries with one thing changed: what the check notices
	$(BIN)/python -m tests.check.mutants

FUZZ_SECONDS ?= 60
fuzz: $(DEV) ## Damaged rule texts for every reader, FUZZ_SECONDS each
	$(BIN)/python -m tests.fuzzing.run --seconds $(FUZZ_SECONDS)

environments: $(DEV) $(CONTENTCTL_ENV)/.ready $(PANTHER_ENV)/.ready

$(DEV): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install $(PIP_FLAGS) --upgrade pip
	$(BIN)/python -m pip install $(PIP_FLAGS) --editable ".[dev]"
	touch $@

$(BENCH): $(DEV)
	$(BIN)/python -m pip install $(PIP_FLAGS) --editable ".[bench]"
	touch $@

$(CONTENTCTL_ENV)/.ready:
	$(PYTHON) -m venv $(CONTENTCTL_ENV)
	$(CONTENTCTL_ENV)/bin/python -m pip install $(PIP_FLAGS) "contentctl>=5.6,<5.7"
	touch $@

$(PANTHER_ENV)/.ready:
	$(PYTHON) -m venv $(PANTHER_ENV)
	$(PANTHER_ENV)/bin/python -m pip install $(PIP_FLAGS) "panther-analysis-tool>=1.11,<2"
	touch $@

clean: ## Remove what the other targets made, outputs/ excepted
	rm -rf .venv $(CONTENTCTL_ENV) $(PANTHER_ENV) build dist .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
