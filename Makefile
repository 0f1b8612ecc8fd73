# Batch Normalization, Measured. `make` alone lists the commands.
PYTHON      ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
                 $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
VENV        ?= .venv
TORCH_INDEX ?=
PORT        ?= 8000
DEVICE      ?= cpu
BIN          = "$$VENV"/bin

override VENV := $(subst ~/,$(HOME)/,$(VENV))
export VENV
export PYTHONPATH := $(CURDIR)
export TORCH_INDEX
INSTALL = $(if $(strip $(PYTHON)),,$(error Python 3.11, 3.12 or 3.13 was not found; install one, or give it: make PYTHON=/path/to/python3.12))$(PYTHON) press/install.py "$$VENV"

.PHONY: help book test lint audit pdf chapters live serve edit lab assignment wheel bench clean
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

book: ## build the pages from the stored outputs, those that changed
	@$(INSTALL) pages
	@$(BIN)/python -m press.site || { $(INSTALL) damage; exit 1; }
	@echo "The book is at $$PWD/_build/html/index.html"

# one worker more than processors: some tests wait; on another device the cells, and the tests that ask for one
test: lint book ## run every test: digests, unit tests, the pages, every cell of every chapter (DEVICE=...)
	@$(INSTALL) all
	@BNUTILS_DEVICE=$(DEVICE) $(BIN)/python -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --nbval chapters \
	  $(if $(filter cpu,$(DEVICE)),tests,tests/nn tests/test_device.py)

lint: ## what a commit must pass: ruff, the rules of the manuscript, no large file, no merge marker
	@$(INSTALL) all
	@export PATH="$(abspath $(BIN)):$$PATH"; if [ -e .git ]; then pre-commit run --all-files; else \
	  echo "no git repository here: ruff and press check alone"; ruff check . && ruff format --check . && python -m press check; fi

audit: book ## open every page in a real browser: accessibility, weight, keyboard, search, phone, the PDF; and `make edit`
	@$(BIN)/python -m press.browser
	@$(INSTALL) lab
	@$(BIN)/python -m press audit

pdf: book ## print the whole book into _build/book.pdf
	@$(BIN)/python -m press.browser
	@$(INSTALL) all
	@$(BIN)/python -m press pdf

chapters: ## run the chapters that are out of date, and print every page
	@$(INSTALL) all
	@$(BIN)/python -m press chapters

live: ## show the book, or CHAPTER=part/name, and reload it in the browser at every save (PORT=...)
	@$(INSTALL) all
	@$(BIN)/python -m press live --port $(PORT) $(CHAPTER)

serve: book ## show the book at http://localhost:8000 (PORT=...)
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(HTML) $(PORT)

edit: ## open the manuscript as notebooks in JupyterLab; a save there is an edit of the text
	@$(INSTALL) lab
	@$(BIN)/python -m press edit

lab: ## open the chapters in JupyterLab
	@$(INSTALL) lab
	@$(BIN)/python -m jupyterlab chapters

assignment: ## write the notebooks without solutions, and their grader, into _build/assignment (OUT=...)
	@$(INSTALL) all
	@$(BIN)/python -m press assignment $(OUT)

wheel: ## build bnutils into _build/wheel, install it from the package index into an empty environment, run a notebook there
	@$(INSTALL) pages
	@$(BIN)/python -m press.wheel

bench: ## measure what the book quotes of this machine, into records/ (RECORD=nn for one)
	@$(INSTALL) all
	@$(BIN)/python -m press bench $(RECORD)

clean: ## remove what was built; the environment stays (rm -rf .venv node_modules removes that too)
	@rm -rf _build .pytest_cache .hypothesis
