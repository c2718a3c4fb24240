#!/usr/bin/env bash
# Makes .venv with all that the tests need and runs them.
# Usage: bash launch/test.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."
source launch/environment.sh test
.venv/bin/ruff format --check .
.venv/bin/ruff check .
# After the death of a worker, pytest-xdist by files may never end.
.venv/bin/python -m pytest -n auto --dist loadfile --max-worker-restart 0 "$@"
