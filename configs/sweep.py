"""Runs that differ in named fields, one after the other, compared.

  python -m astgan.main --config=configs/sweep.py \
    --config.sweep.page=configs/dcgan.py \
    --config.sweep.changes="('data.source=folder:PATH','train.steps=2000')" \
    --config.sweep.fields="('loss.real_label=1|0.95|0.85|0.8',)" \
    --config.sweep.seeds="(0,1,2)"

A page that paints is swept likewise, as the style weights of the Ast-GAN
report:

  python -m astgan.main --config=configs/sweep.py \
    --config.sweep.page=configs/nst.py \
    --config.sweep.changes="('paint.content=PHOTO','paint.style=RUN')" \
    --config.sweep.fields="('paint.style_weight=500|5e3|5e4|5e5|5e6',)"

Killed or stopped, the same command goes on with the run that it was in. Fields,
values and seeds may be added later: what is there is kept.

Hardware and time: those of the page, times the number of runs.
Expect: table.md, curves.png, sheet.png, results.json and sweep.csv in the run
folder, and a run folder for each run under runs/. Of paintings errors.png, too:
content and style losses, each divided by the largest of its kind; of several
photographs a sheet_STEM.png for each.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """A sweep with every field at its default."""
  return common.sweeping()
