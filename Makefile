EXP    ?= quickstart
BACKEND ?= $(or $(KERAS_BACKEND),tensorflow)
INPUT  ?=
STYLE  ?=
OUTPUT ?= stylized.mp4
MODEL  ?= painterly
PYTHON ?= python3
EXTRAS ?= fast
DEMO   := visit mill poplars night_cafe
ARGS   ?=

VENV := .venv
BIN  := $(VENV)/bin
DONE := $(VENV)/.installed
DEV  := $(VENV)/.installed-dev
PIP  := $(BIN)/python -m pip install --progress-bar off --quiet
TEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

.PHONY: help setup dev demo train generate tensorboard test test-all lint wheel clean

help:  ## show this help
	@echo "make TARGET [VARIABLE=value ...]"
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 16
	@echo "variables: EXP=$(EXP) BACKEND=$(BACKEND) INPUT STYLE OUTPUT=$(OUTPUT) MODEL=$(MODEL) PYTHON=$(PYTHON) EXTRAS=$(EXTRAS) ARGS"

# The stamps are touched last: an interrupted set-up starts again.
$(DONE): pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info < (3, 14); \
	  ok or sys.exit("vgan needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is " \
	  + sys.version.split()[0] + ": say make PYTHON=python3.12")'
	@echo "Setting up $(VENV), once; this takes a minute or two."
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) --editable '.[$(EXTRAS)]'
	@touch $(DONE)

$(DEV): $(DONE)
	@echo "Adding what tests need to $(VENV), once."
	$(PIP) --editable '.[dev]'
	@touch $(DEV)

setup: $(DONE)  ## create .venv with what you need to train and to stylize

dev: $(DEV)  ## add what tests and all export formats need

# A run for each picture, called after it.
train: export STYLE_ := $(STYLE)
train: $(DONE)  ## train experiments/$(EXP).py (BACKEND=jax: on JAX), on STYLE; again resumes
	@stem=$$(basename "$$STYLE_"); KERAS_BACKEND="$(BACKEND)" $(BIN)/python -m vgan.train \
	  --experiment=$(EXP) $${STYLE_:+"--set=data.style=$$STYLE_" "--run=$(EXP)_$${stem%.*}"} $(ARGS)

demo: $(DONE)  ## stylize a short film in four styles with the model that ships
	@mkdir -p runs/demo
	@for style in $(DEMO); do \
	  $(BIN)/python -m vgan.generate --input=vgan/pretrained/demo.mp4 \
	    --style=$$style --output=runs/demo/$$style.mp4 --overwrite || exit $$?; \
	done
	@echo "Look at runs/demo/: $(DEMO:%=%.mp4)"

# By the environment, so that the shell never reads what a file is called.
generate: export MODEL_ := $(MODEL)
generate: export INPUT_ := $(INPUT)
generate: export STYLE_ := $(STYLE)
generate: export OUTPUT_ := $(OUTPUT)
generate: $(DONE)  ## stylize INPUT in the style of STYLE with MODEL into OUTPUT
	@$(BIN)/python -m vgan.generate $${MODEL_:+"--model=$$MODEL_"} --input="$$INPUT_" \
	  --style="$$STYLE_" --output="$$OUTPUT_" $(ARGS)

tensorboard: $(DONE)  ## show losses and moving samples of all runs in the browser
	$(BIN)/tensorboard --logdir runs

test: $(DEV)  ## run the fast tests, several at a time
	$(TEST) -m "not slow" $(ARGS)

test-all: $(DEV)  ## run all tests
	$(TEST) $(ARGS)

lint: $(DEV)  ## check the style of the code
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

wheel: $(DEV)  ## build the wheel in dist/, with onnxruntime-web, which npm fetches
	$(BIN)/python -m vgan.export.web.onnxruntime_web
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:  ## remove caches and the virtual environment; runs and data stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
