# Every target documents itself: `make` prints this list.
PYTHON ?= python3
VENV   ?= .venv
REAL   ?= .venv-real
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
export DO_NOT_TRACK = 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-real check format studio classifier calibration sentiment results docs clean

help: ## Print this list
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*?## "} {printf "  make %-12s %s\n", $$1, $$2}'

%/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "MoSLM needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv $*
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
ifdef ARGS
	LANGGRAPH_STRICT_MSGPACK=true $(BIN)/python -m pytest $(ARGS)
else
	LANGGRAPH_STRICT_MSGPACK=true $(BIN)/python -m pytest -m "not alone" -n auto --maxprocesses 4 --dist loadfile
	LANGGRAPH_STRICT_MSGPACK=true $(BIN)/python -m pytest -m alone
endif

# On a GPU the official vllm, as its own dependencies have it; else exactly what constraints.txt names, which has no CUDA in it.
$(REAL)/.real: $(REAL)/.python pyproject.toml tests/real_models/requirements.txt tests/real_models/constraints.txt
	@$(PYTHON) tests/real_models/machine.py --install
	if [ "$$($(PYTHON) tests/real_models/machine.py --install)" = vllm ]; then \
		$(REAL)/bin/python -m pip install --quiet -r tests/real_models/requirements.txt -e '.[vllm,tools]'; \
	else \
		$(REAL)/bin/python -m pip install --quiet --no-deps -r tests/real_models/constraints.txt -e .; \
	fi
	@touch $@

test-real: $(REAL)/.real ## Serve the small model by a real vLLM, on the GPU or the CPU, and run the whole graph on it
	@$(PYTHON) tests/real_models/machine.py
	$(REAL)/bin/moslm pull
	LANGGRAPH_STRICT_MSGPACK=true $(REAL)/bin/python -m pytest -o faulthandler_timeout=500 $(or $(ARGS),tests/real_models)

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

sentiment: $(VENV)/.dev ## Refit the shipped scorer of moods and measure it on lines kept unseen
	$(BIN)/python -m moslm.escalation.sentiment.fitting --moods corpus/moods.jsonl \
		--requests corpus/requests/customer_service.jsonl --unseen tests/escalation/sentiment/unseen.jsonl

results: $(VENV)/.dev ## Run the embedded model end to end, measure cost against quality on recorded tables; write docs/results.md (needs ../shared/data)
	$(BIN)/moslm pull
	$(BIN)/moslm cost --json > docs/results/ownership.json
	rm -rf build/end_to_end
	$(BIN)/moslm eval --config bench/publishing/end_to_end.toml finance it_support customer_service system \
		--system moslm,ungated --sample 24 --out build/end_to_end --json > docs/results/end_to_end.json
	$(BIN)/python bench/results.py

docs: $(VENV)/.dev ## Write what the documentation takes from the code: module list, JSON Schemas, the drawn graph
	$(BIN)/python docs/generate.py
	$(BIN)/moslm graph --png docs/graph.png --mermaid docs/graph.mmd

clean: ## Remove the environment and what was built
	rm -rf $(VENV) $(REAL) build dist *.egg-info src/*.egg-info .mypy_cache .ruff_cache .pytest_cache
