# The two commands of this project: `make quickstart` and `make test`. Both set up everything.
# `make demo` opens the page with the quickstart's model.
#   PYTHON=python3.11  interpreter that makes the virtual environment
#   VENV=.venv         where it is made
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_STAMP := $(VENV)/.demo-installed

.PHONY: quickstart test demo lint clean

quickstart: $(STAMP)
	$(BIN)/python tools/quickstart.py --out quickstart

test: $(DEMO_STAMP)
	$(BIN)/python -m pytest --cov --cov-report=term

demo: $(DEMO_STAMP)
	$(BIN)/python demo/app.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(STAMP): requirements.txt setup.py $(wildcard selective_scan/csrc/* selective_scan/csrc/*/* selective_scan/selective_scan/*.py) selective_scan/setup.py
	@echo '== Environment in $(VENV): packages (about a minute) and the compiled scan op (about half a minute)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -r requirements.txt
	$(BIN)/python -m pip install -q --no-build-isolation --no-deps --force-reinstall ./selective_scan
	$(BIN)/python -m pip install -q --no-build-isolation -e .
	touch $@

$(DEMO_STAMP): $(STAMP) demo/requirements.txt
	$(BIN)/python -m pip install -q -r requirements.txt -r demo/requirements.txt
	touch $@

clean:
	rm -rf $(VENV) quickstart
