# Everything a developer types. A virtual environment in .venv is made when it
# is first needed, and again when what it is made from changes.

PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin

# What the virtual environment is made from.
RECIPE = Makefile setup.cfg setup.py pyproject.toml $(wildcard native/*)

# What make test runs, as trial names it; everything that needs only Python.
TESTS =

# With what seed every target is fuzzed; 0: another one each time.
SEED = 0

# For how long each target is fuzzed, and with how many inputs at most.
SECONDS = 60
RUNS =

# Peers whose bytes an engine carries: tested with each engine, the others once.
CARRIED = behind_haproxy curl netcat one_port openssl ssh

# Options of the bench; docs/performance.md tells them.
BENCH =

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test peers adversaries fuzz lint format docs reference bench deb clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: $(VENV)/.run ## run portmux in the foreground on conf/portmux.conf
	@echo 'In another terminal:'
	@echo '    curl http://127.0.0.1:8400/'
	@echo "    echo 'echo hello' | nc -N 127.0.0.1 8400"
	@echo "    echo 'count a b c' | nc -N 127.0.0.1 8400"
	@echo '    nc 127.0.0.1 8400             and say nothing for a second'
	@echo '    echo LISTENERS | nc -N 127.0.0.1 9999'
	@echo 'Ctrl-C here ends it. It runs on conf/portmux.conf.'
	@$(BIN)/python -m portmux run -c conf/portmux.conf

test: $(VENV)/.test ## run all tests that need only Python
	.ci/trial $(BIN)/python $(TESTS)
	[ -n "$(TESTS)" ] || .ci/engines $(BIN)/python tests.integration

peers: $(VENV)/.test ## run the tests with real peers: ssh, git, curl, openvpn, haproxy ...
	.ci/need .ci/peers-packages
	.ci/trial $(BIN)/python tests.peers
	.ci/engines $(BIN)/python $(CARRIED:%=tests.peers.test_%)

adversaries: $(VENV)/.test ## run the tests with scanners, slow clients and floods
	.ci/need .ci/adversaries-packages
	.ci/trial $(BIN)/python tests.adversaries

fuzz: $(VENV)/.fuzz ## fuzz every target for SECONDS=60 each
	$(BIN)/python -m fuzz.run --seconds $(SECONDS) $(RUNS:%=--runs %) \
	    --seed $(SEED)

lint: $(VENV)/.lint ## check style, types and the contracts between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.lint ## put imports and layout in order
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs ## build the manual in docs/_build; warnings are errors
	$(BIN)/python -m manual --check
	$(BIN)/sphinx-build -n -W --keep-going -q docs docs/_build

reference: $(VENV)/.run ## write the reference and man pages from the declarations
	$(BIN)/python -m manual

# What is in BENCH comes last, and wins.
bench: $(VENV)/.bench ## measure portmux beside other programs
	.ci/install bench/packages
	@mkdir -p bench/build
	$(BIN)/python -m bench.run --json bench/build/figures.json \
	    --plot bench/build/figures.svg $(BENCH)

# In a copy: the build writes beside the folder that it is in. Debian's Python is
# the first one, whatever else is installed.
deb: ## build the Debian package in dist; needs what debian/control names
	rm -rf build/deb
	mkdir -p build/deb/portmux dist
	git ls-files -z | tar --create --null --files-from=- | \
	    tar --extract --directory=build/deb/portmux
	cd build/deb/portmux && PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	    dpkg-buildpackage --unsigned-source --unsigned-changes --build=binary
	mv build/deb/*.deb dist

clean: ## remove what make, the tests and the builds have made
	rm -rf $(VENV) .tox build dist *.egg-info _trial_temp* .hypothesis \
	    .mypy_cache .ruff_cache .import_linter_cache
	rm -rf bench/build docs/_build fuzz/corpus fuzz/found
	rm -f twisted/plugins/dropin.cache portmux/_relay*.so
	find portmux twisted tests bench manual fuzz -name __pycache__ -exec rm -rf {} +

# An editable install in its usual mode is an import hook, which Twisted does
# not ask for plugins; in "compat" mode it is a path, which it does.
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check \
    --config-settings editable_mode=compat --editable

$(VENV)/.run: $(RECIPE)
	@echo "setting up $(VENV); this takes a minute, once"
	$(PYTHON) -m venv --clear $(VENV)
	$(INSTALL) .
	touch $@

$(VENV)/.test: $(VENV)/.run
	$(INSTALL) '.[test]'
	touch $@

$(VENV)/.fuzz: $(VENV)/.test
	$(INSTALL) '.[test,fuzz]'
	touch $@

$(VENV)/.bench: $(VENV)/.run
	$(INSTALL) '.[bench]'
	touch $@

$(VENV)/.docs: $(VENV)/.run
	$(INSTALL) '.[docs]'
	touch $@

$(VENV)/.lint: $(VENV)/.run
	$(INSTALL) '.[test,lint]'
	touch $@
