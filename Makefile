# Every target documents itself: `make` prints this list.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
export DO_NOT_TRACK = 1

.DEFAULT_GOAL := help
.PHONY: help demo test check format studio classifier calibration docs clean

help: ## Print this list
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*?## "} {printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "MoSLM needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) install --quiet -c constraints.txt -e '.[local,tools]'
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo ## Install, pull the embedded model, put six requests to it and show each decision
	$(BIN)/moslm pull
	$(BIN)/moslm demo

test: $(VENV)/.dev ## Install what the tests need and run them all
	$(BIN)/moslm pull
	LANGGRAPH_STRICT_MSGPACK=true $(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev ## Lint, format, types, import directions: what a commit must pass
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python docs/generate.py --check

format: $(VENV)/.dev ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

studio: $(VENV)/.dev ## Open the graph in LangGraph Studio (langgraph dev)
	$(BIN)/moslm pull
	$(BIN)/langgraph dev

classifier: $(VENV)/.dev ## Refit the shipped classifier head and measure it (needs ../shared/data)
	$(BIN)/moslm fit --rows ../shared/data/moslm-route/train.jsonl corpus/requests/*.jsonl corpus/pairs.jsonl \
		--held-out ../shared/data/moslm-route/dev.jsonl --not-in-bank sgd it_tickets --out src/moslm/models/classifiers/shipped
	$(BIN)/python bench/classifier.py $(if $(ENCODERS),--encoders $(ENCODERS)) --json src/moslm/models/classifiers/shipped/report.json

calibration: $(VENV)/.dev ## Ask the embedded model the labelled handbook questions and refit its shipped calibration
	$(BIN)/moslm pull
	$(BIN)/moslm calibrate --questions calibration/handbook/finance.jsonl calibration/handbook/it_support.jsonl \
		calibration/handbook/customer_service.jsonl --out src/moslm/escalation/calibration/shipped --valid-days 730 \
		--kept build/answers.jsonl --json > calibration/handbook/report.json

docs: $(VENV)/.dev ## Write what the documentation takes from the code: module list, JSON Schemas, the drawn graph
	$(BIN)/python docs/generate.py
	$(BIN)/moslm graph --png docs/graph.png --mermaid docs/graph.mmd

clean: ## Remove the environment and what was built
	rm -rf $(VENV) build dist *.egg-info src/*.egg-info .mypy_cache .ruff_cache .pytest_cache
