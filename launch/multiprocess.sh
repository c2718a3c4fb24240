#!/usr/bin/env bash
# Trains or paints in N processes on this host, as one run; all flags go to each.
# Usage: bash launch/multiprocess.sh N --config=configs/dcgan.py [flags]
# PYTHON    the interpreter; .venv's unless set
# DEVICES   accelerators per process, 1 unless set
# PORT      where the processes meet; a free one unless set
# Exit status: 0 all done, or stopped and saved, unless ASTGAN_STOPPED_STATUS
# names another for that; 2 a mistake, 1 anything else.
set -uo pipefail
set -m  # Each process in a group of its own, so that Ctrl-C comes once.
count=${1:-}
if ! [[ $count =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: bash launch/multiprocess.sh N --config=FILE [flags]" >&2
  exit 2
fi
shift
python=${PYTHON:-$(dirname "$0")/../.venv/bin/python}
devices=${DEVICES:-1}
port=${PORT:-$("$python" -c 'import socket; s = socket.socket()
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}
export ASTGAN_CLUSTER=processes JAX_NUM_PROCESSES=$count
export JAX_COORDINATOR_ADDRESS=127.0.0.1:$port
pids=()
for ((i = 0; i < count; i++)); do
  ids=$(seq -s, $((i * devices)) $(((i + 1) * devices - 1)))
  JAX_PROCESS_ID=$i JAX_LOCAL_DEVICE_IDS=$ids "$python" -m astgan.main "$@" &
  pids+=($!)
done
# Those of a training agree on the step at which all stop.
trap 'kill -TERM "${pids[@]}" 2>/dev/null' TERM INT HUP
worst=0 stopped=${ASTGAN_STOPPED_STATUS:-0}
for pid in "${pids[@]}"; do
  while wait "$pid"; status=$?; kill -0 "$pid" 2>/dev/null; do :; done
  [[ $status =~ ^(0|2|$stopped)$ ]] || status=1
  ((status == 0 || worst == 1 || worst == 2 && status != 1)) || worst=$status
done
((worst != 1)) || echo "a process failed or was lost; start the same command" \
  "again: it goes on from what was saved" >&2
exit "$worst"
