#!/bin/sh
# Style, types, import rules and all tests. Run by `make test`.
set -eu

bin=.venv/bin
"$bin/ruff" check
"$bin/ruff" format --check
"$bin/mypy"
"$bin/lint-imports" --no-logo
"$bin/python" -m pytest -q -n auto
