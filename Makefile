# `make demo` and `make test` are all the set-up there is: each makes .venv, builds, and does its job.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := pyproject.toml CMakeLists.txt README.md $(shell find cpp src -type f -not -path '*/__pycache__/*')

.PHONY: demo test lint bench docs clean

demo: .venv/installed
	mkdir -p demo
	$(BIN)/squarely evaluate examples/diabetes.csv --target actual --prediction linear,ridge,boosting --by sex,age_band --report demo/report.html

test: .venv/tested lint
	$(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 --dist=worksteal

lint: .venv/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/tested
	$(BIN)/python benchmarks --results benchmarks/RESULTS.md

docs: .venv/installed
	$(BIN)/python docs/metrics.py > docs/metrics.md
	$(BIN)/python docs/checks.py > docs/checks.md
	$(BIN)/python docs/losses.py > docs/losses.md

clean:
	rm -rf .venv build demo

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("squarely needs Python 3.11 or later; name one with: make PYTHON=python3.12") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check .
	touch $@

.venv/tested: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '.[test]'
	touch $@
