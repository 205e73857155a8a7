#!/bin/sh
# Style, types, import rules and all tests. Run by `make test`.
set -eu

bin=.venv/bin
"$bin/ruff" check
"$bin/ruff" format --check
"$bin/mypy"
"$bin/lint-imports" --no-logo
# Some tests hold Veriloop to a promise in seconds, which the load of their neighbours can break: what has failed beside
# others has to pass alone.
"$bin/python" -m pytest -q -n auto || "$bin/python" -m pytest -q --last-failed --last-failed-no-failures none
