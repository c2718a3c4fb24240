# Makes .venv with the package and the extras given; sourced by the scripts
# beside it. PYTHON names the interpreter, 3.11 or newer.
PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "astgan needs Python 3.11 or newer; name one: PYTHON=python3.12 $0" >&2
  exit 2
fi
[ -x .venv/bin/pip ] || "$PYTHON" -m venv .venv
.venv/bin/python -m pip install --quiet --editable ".[$1]"
