#!/usr/bin/env bash
# Trains or paints on all hosts of a TPU VM, as one run.
# Usage, from any computer with gcloud:
#   bash launch/tpu_vm.sh NAME ZONE --config=configs/dcgan.py \
#     --workdir=/mnt/shared/runs/dcgan [flags]
# NAME and ZONE are those of the TPU VM. Each of its hosts has the checkout in
# FOLDER (~/astgan unless set) with a .venv that has jax[tpu], unless PYTHON names
# an interpreter there. In a training the first host alone reads and writes the
# run folder, in a painting all do. It has to be on a disk that outlives the VM
# where the VM is preemptible.
set -uo pipefail
if (($# < 3)); then
  echo "usage: bash launch/tpu_vm.sh NAME ZONE --config=FILE [flags]" >&2
  exit 2
fi
name=$1 zone=$2 stopped=${ASTGAN_STOPPED_STATUS:-0}
shift 2
# The shell there expands the tilde; the flags are quoted once more for it.
command="cd ${FOLDER:-~/astgan} && ASTGAN_CLUSTER=tpu"
command+=" ASTGAN_STOPPED_STATUS=$(printf %q "$stopped")"
command+=" ${PYTHON:-.venv/bin/python} -m astgan.main$(printf ' %q' "$@")"
gcloud compute tpus tpu-vm ssh "$name" --zone="$zone" --worker=all \
  --command="$command"
status=$?
if [[ ! $status =~ ^(0|2|$stopped)$ ]]; then
  echo "a host failed or was lost; start the same command again: it goes on" \
    "from what was saved" >&2
  status=1
fi
exit "$status"
