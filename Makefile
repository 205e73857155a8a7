# make demo      repair a real bug in a throw-away repository and show the proof
# make test      style, types, import rules and all tests
# make package   build the packages and try them in an empty environment
# make clean     remove the virtual environment and what tools have cached here
#
# Needs make, sh and python3 (3.11 or later). Everything else is installed into .venv, or, for Debian packages, by
# dev/system_packages.sh where that is allowed.

PYTHON ?= python3
# Not for this machine's processor alone, and without what g++ 12 miscompiles for AMX.
LLAMA = -DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF
# What is installed for the tests; `dev,model,train` runs those of training, too.
EXTRAS ?= dev,model
PIP = .venv/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test package clean

demo: .venv/installed
	sh dev/demo.sh

test: .venv/installed-dev
	sh dev/test.sh

package: .venv/installed-dev
	.venv/bin/python dev/packaging_check.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The stamps are written last: an installation that was interrupted starts again.
.venv/installed: pyproject.toml dev/system_packages.sh
	PYTHON="$(PYTHON)" sh dev/system_packages.sh
	$(PYTHON) -m venv .venv
	@echo "building llama.cpp takes some minutes the first time"
	CMAKE_ARGS="$(LLAMA)" $(PIP) install --editable '.[model]'
	touch .venv/installed

.venv/installed-dev: .venv/installed
	CMAKE_ARGS="$(LLAMA)" $(PIP) install --editable '.[$(EXTRAS)]'
	touch .venv/installed-dev
