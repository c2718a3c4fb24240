"""The report of a sweep: tables, and what charts and sheets draw."""

import collections
import csv
import io
import json
import math
import pathlib
from collections.abc import Sequence

import numpy as np

from astgan import atomic, history
from astgan.sweep import charts, outcome, sheets

# Scalars of a run that say how fast it was and not how well.
_SPEEDS = ("images_per_second", "share_waiting_for_data", "seconds_per_step")


def table(
  results: Sequence[outcome.Result], *, scalars: Sequence[str], rank_by: str
) -> str:
  """A row a setting, in Markdown: mean and standard deviation.

  They are over the seeds of the setting and, of paintings, the photographs.

  Args:
    results: from `outcome.collect`.
    scalars: the columns, by their names or first words; () is all.
    rank_by: the scalar by which rows ascend; "" leaves the plan's order.
  """
  names = columns(results, scalars)
  groups = outcome.by_setting(results)
  order = list(groups)
  if ranking := rank_by and columns(results, (rank_by,)):
    order.sort(key=lambda setting: _rank(groups[setting], ranking[0]))
  lines = [
    ["setting", "runs", "minutes", *names],
    ["---"] * (3 + len(names)),
  ]
  for setting in order:
    group = groups[setting]
    ended = {result.run.seed: result.ended for result in group}
    counts = collections.Counter(ended.values())
    counts = ", ".join(f"{n} {word}" for word, n in counts.items())
    minutes = np.mean([result.seconds for result in group]) / 60
    values = [_spread([result.end(name) for result in group]) for name in names]
    lines.append([setting, counts, f"{minutes:.1f}", *values])
  return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def write(
  workdir: pathlib.Path,
  results: Sequence[outcome.Result],
  *,
  scalars: Sequence[str],
  rank_by: str,
) -> None:
  """Writes results.json, sweep.csv, table.md, curves.png and sheet.png.

  Of paintings errors.png as well, and a sheet for each photograph.

  Args:
    workdir: the run folder of the sweep.
    results, scalars, rank_by: as for `table`; the curves have the same scalars,
      results.json and sweep.csv have all.
  """
  names = columns(results, ())
  facts = [_facts(result, names) for result in results]
  text = json.dumps(facts, indent=2) + "\n"
  atomic.write(workdir / "results.json", text.encode())
  atomic.write(workdir / "sweep.csv", _csv(facts, names).encode())
  text = table(results, scalars=scalars, rank_by=rank_by) + "\n"
  atomic.write(workdir / "table.md", text.encode())
  charts.curves(workdir / "curves.png", results, columns(results, scalars))
  if results[0].run.config.task == "paint":
    charts.errors(workdir / "errors.png", results)
    sheets.of_paintings(workdir, results)
  else:
    sheets.of_trainings(workdir, results)


def columns(
  results: Sequence[outcome.Result], scalars: Sequence[str]
) -> list[str]:
  """The names of the scalars that some run wrote and that are asked for.

  Args:
    results: from `outcome.collect`.
    scalars: names or first words, in the order of the columns; () is all.
  """
  written = {name for result in results for name in result.curves}
  names = sorted(written - set(_SPEEDS))
  if not scalars:
    return names
  return [
    name
    for asked in scalars
    for name in names
    if history.is_metric(name, asked)
  ]


def _facts(result, names):
  run = result.run
  return {
    "setting": run.setting,
    "seed": run.seed,
    **({"photograph": result.photograph} if result.photograph else {}),
    "ended": result.ended,
    "seconds": result.seconds,
    "end": {
      name: result.end(name) for name in names if result.curves.get(name)
    },
  }


def _csv(facts, names):
  """The same facts, a row a result."""
  labels = list(dict.fromkeys(label for fact in facts for label in fact))
  labels.remove("end")
  text = io.StringIO()
  rows = csv.DictWriter(text, [*labels, *names], lineterminator="\n")
  rows.writeheader()
  rows.writerows(
    {**{label: fact.get(label) for label in labels}, **fact["end"]}
    for fact in facts
  )
  return text.getvalue()


def _rank(group, name):
  """The mean; what has no number comes last."""
  value = outcome.mean(group, name)
  return value if math.isfinite(value) else math.inf


def _spread(values: Sequence[float]) -> str:
  found = [value for value in values if math.isfinite(value)]
  if not found:
    return "-"
  text = f"{np.mean(found):.4g}"
  return text if len(found) == 1 else f"{text} ± {np.std(found, ddof=1):.2g}"
