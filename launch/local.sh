#!/usr/bin/env bash
# Runs in one process, on all devices of this host.
# Usage: bash launch/local.sh --config=configs/dcgan.py [flags]
# PYTHON    the interpreter; .venv's unless set
# Exit status: that of the program, 0 done, 2 a mistake, 1 anything else.
set -euo pipefail
unset ASTGAN_CLUSTER  # One process, also inside an allocation of others.
exec "${PYTHON:-$(dirname "$0")/../.venv/bin/python}" -m astgan.main "$@"
