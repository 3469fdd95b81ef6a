# Everything happens in .venv, which is made on first use.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt
OUT := out
PORTRAIT := $(OUT)/photos/astronaut.png

# Taken as it stands and handed on by the environment: a path may hold spaces, quotes and dollars.
override PHOTO := $(value PHOTO)
export PHOTO

.DELETE_ON_ERROR:
.PHONY: help run test check bench clean

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

# Installing for the tests brings all that running needs, but running must not bring torch.
ifeq ($(PHOTO),)
run: $(VENV)/.demo $(PORTRAIT) ## read the faces of a sample portrait, or of PHOTO=...
	@$(BIN)/mien predict $(PORTRAIT) --format table --draw $(OUT)
	@echo "The annotated picture is $(OUT)/$(notdir $(PORTRAIT))"
else
run: $(VENV)/.base
	@$(BIN)/mien predict --format table --draw $(OUT) -- "$$PHOTO"
	@echo "The annotated picture lies in $(OUT)/"
endif

test: check ## install everything, check, and run the whole suite
	$(BIN)/pytest -n 2 --cov --cov-report=term:skip-covered

check: $(VENV)/.dev ## lint, format, types, and the walls between packages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy src tests benchmarks scripts
	$(BIN)/lint-imports

bench: $(VENV)/.demo ## measure speed; options by ARGS="--csv results/predict.csv"
	$(BIN)/python benchmarks/predict.py $(ARGS)

clean: ## remove what the other verbs made: .venv, caches, builds and out
	rm -rf $(VENV) $(OUT) build dist .coverage .coverage.* .hypothesis
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find src tests benchmarks scripts -name __pycache__ -prune -exec rm -rf {} +

$(PORTRAIT): scripts/portrait.py | $(VENV)/.demo
	@$(BIN)/python scripts/portrait.py $@

$(VENV)/.base: EXTRAS :=
$(VENV)/.demo: EXTRAS := [demo]
$(VENV)/.dev: EXTRAS := [train,demo,dev]
$(VENV)/.base $(VENV)/.demo $(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing mien$(EXTRAS) into $(VENV)"
	@$(INSTALL) -e '.$(EXTRAS)'
	@touch $@

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mien needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1)"; \
	  echo "Name another: make PYTHON=python3.12 run"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@
