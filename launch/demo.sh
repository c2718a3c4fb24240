#!/usr/bin/env bash
# From nothing to a painted photograph: makes .venv, trains a small GAN on
# the built-in landscapes, and paints a photograph in their common style.
# Usage: bash launch/demo.sh [photograph]
set -euo pipefail
photograph=${1:+$(realpath -- "$1")}
cd "$(dirname "$0")/.."
source launch/environment.sh demo
run() { .venv/bin/python -m astgan.main "$@"; }

if [ -z "$photograph" ]; then
  photograph=runs/demo/cat.png
  mkdir -p runs/demo
  # Chelsea, CC0, by Stefan van der Walt; part of scikit-image.
  .venv/bin/python -c "
import skimage
skimage.io.imsave('$photograph', skimage.data.chelsea())"
fi

run --config=configs/demo.py --workdir=runs/demo/gan
run --config=configs/best.py --workdir=runs/demo/painting \
  --config.paint.content="$photograph" --config.paint.style=runs/demo/gan \
  --config.paint.size=320

echo
echo "The generator's landscapes:  runs/demo/gan/samples"
echo "What it learned from:        runs/demo/gan/reals.png"
echo "The painted photograph:      runs/demo/painting/painted"
