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

NPM ?= npm
NODE_BIN := web/node_modules/.bin
PAGE := src/mien/serve/static/index.html
PAGE_PARTS := $(shell find web/src web/public web/index.html web/vite.config.ts -type f)

.DELETE_ON_ERROR:
.PHONY: help run demo web client test check bench clean

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

# Installing for the tests brings all that running needs, but running must not bring torch.
# The service also works where there is no npm, without its page.
run: $(VENV)/.run ## start the service and its page; options by ARGS="--port 9000"
	@if command -v $(NPM) >/dev/null; then $(MAKE) --no-print-directory web; else \
	  echo "There is no npm (Node 20.19 or newer): the page is left as it is, or out"; fi
	@exec $(BIN)/mien serve $(ARGS)

ifeq ($(PHOTO),)
demo: $(VENV)/.demo $(PORTRAIT) ## read the faces of a sample portrait, or of PHOTO=...
	@$(BIN)/mien predict $(PORTRAIT) --format table --draw $(OUT)
	@echo "The annotated picture is $(OUT)/$(notdir $(PORTRAIT))"
else
demo: $(VENV)/.base
	@$(BIN)/mien predict --format table --draw $(OUT) -- "$$PHOTO"
	@echo "The annotated picture lies in $(OUT)/"
endif

web: $(PAGE) ## build the page into the package

client: $(VENV)/.watch web/node_modules/.stamp ## write the page's types anew from the OpenAPI document
	@$(BIN)/mien watch --openapi | $(NODE_BIN)/openapi-typescript > web/src/api/schema.ts.new
	@mv web/src/api/schema.ts.new web/src/api/schema.ts

test: check $(PAGE) $(VENV)/.browser $(VENV)/.servers ## install everything, check, and run the whole suite
	$(BIN)/pytest -n 2 --cov --cov-report=term:skip-covered

check: $(VENV)/.dev web/node_modules/.stamp ## lint, format, types, walls, and the page's own checks
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy src tests benchmarks scripts
	$(BIN)/lint-imports
	cd web && $(NPM) run --silent types
	cd web && $(NPM) run --silent lint
	cd web && $(NPM) run --silent test
	@$(BIN)/mien watch --openapi | $(NODE_BIN)/openapi-typescript | \
	  cmp -s - web/src/api/schema.ts || { echo "web/src/api/schema.ts is stale: make client"; exit 1; }

bench: $(VENV)/.demo ## measure speed; options by ARGS="--csv results/predict.csv"
	$(BIN)/python benchmarks/predict.py $(ARGS)

clean: ## remove what the other verbs made: .venv, caches, builds and out
	rm -rf $(VENV) $(OUT) $(dir $(PAGE)) web/node_modules build dist .coverage .coverage.* .hypothesis
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find src tests benchmarks scripts -name __pycache__ -prune -exec rm -rf {} +

$(PORTRAIT): scripts/portrait.py | $(VENV)/.demo
	@$(BIN)/python scripts/portrait.py $@

$(VENV)/.base: EXTRAS :=
$(VENV)/.demo: EXTRAS := [demo]
$(VENV)/.run: EXTRAS := [serve,demo]
$(VENV)/.watch: EXTRAS := [serve,watch]
$(VENV)/.dev: EXTRAS := [serve,watch,postgres,mqtt,train,demo,dev]
$(VENV)/.base $(VENV)/.demo $(VENV)/.run $(VENV)/.watch $(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing mien$(EXTRAS) into $(VENV)"
	@$(INSTALL) -e '.$(EXTRAS)'
	@touch $@

$(PAGE): web/node_modules/.stamp web/tsconfig.json $(PAGE_PARTS)
	@echo "Building the page into $(dir $@)"
	@cd web && $(NPM) run --silent build -- --logLevel warn
	@touch $@

web/node_modules/.stamp: web/package.json web/package-lock.json
	@echo "Installing what the page is built with"
	@cd web && $(NPM) ci --silent
	@touch $@

# Without a browser its tests are skipped; so this may fail.
$(VENV)/.browser: | $(VENV)/.made
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && \
	  apt-get -qq install -y --no-install-recommends chromium >/dev/null; } || \
	  echo "There is no Chromium: the page's tests in a browser will be skipped"
	@touch $@

# So may this: without a database server and an MQTT broker theirs are.
$(VENV)/.servers: | $(VENV)/.made
	@{ ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && command -v mosquitto >/dev/null; } || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && \
	  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
	  postgresql mosquitto >/dev/null; } || \
	  echo "PostgreSQL or mosquitto is missing: their tests will be skipped"
	@touch $@

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mien needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1)"; \
	  echo "Name another: make PYTHON=python3.12 run"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@
