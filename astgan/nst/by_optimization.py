"""Painting by optimisation over pixels, as the task `paint` calls it."""

import functools
import hashlib
import pathlib
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import tqdm

from astgan import errors, writer
from astgan.data import formats, images
from astgan.features import vgg, weights
from astgan.nst import (
  choices,
  colour,
  description,
  network,
  optimize,
  photographs,
  regions,
  spread,
  styles,
  stylize,
  unfinished,
)
from astgan.nst import recipe as recipes


class Optimization:
  """Photographs painted by optimisation, with the styles read once.

  Args:
    config: the whole config.
    opened: the styles.
    folder: of unfinished paintings.

  Attributes:
    contact_sheet: the first images of the styles.
    steps: of each painting, at all sizes.

  Raises:
    UserError: the weights of the feature network cannot be found or fetched.
  """

  def __init__(
    self,
    config: ml_collections.ConfigDict,
    opened: Sequence[styles.Files | styles.Generated],
    folder: pathlib.Path,
  ):
    try:
      params = weights.load(config.features.net, config.features.weights)
    except errors.UserError as error:
      raise errors.UserError(f"features.weights: {error}") from error
    self._params = network.cast(params, config.features.dtype)
    self._fields, self._folder = config.paint, folder
    self._recipe = recipes.of_config(config)
    self.steps = self._recipe.total_steps
    # Styles that weigh nothing are not looked at.
    count = len(opened)
    weighing = [
      style
      for style in zip(
        opened,
        config.paint.blend or (1.0,) * count,
        config.paint.style_masks or ("",) * count,
        strict=True,
      )
      if style[1]
    ]
    opened, blend, masks = zip(*weighing, strict=True)
    self._opened = opened
    self._describe = functools.partial(
      _describe,
      self._recipe,
      blend=blend,
      style_masks=[regions.read(path) if path else None for path in masks],
      in_regions=bool(config.paint.masks),
    )
    # Of all photographs, or None where each has its own.
    style, self._nearest = None, None
    count = config.paint.style_nearest
    if count and any(len(style) > count for style in opened):
      self._nearest = choices.Nearest(self._params, opened, count=count)
      self.contact_sheet = self._nearest.contact_sheet
    else:
      style = self._describe(self._params, opened)
      self.contact_sheet = style.contact_sheet
    self._copies = spread.Copies(self._params)
    self._styles = spread.Copies(style)

  def paint(
    self,
    key: jax.Array,
    photograph: photographs.Photograph,
    log: writer.Writer,
    signals: list[str],
  ) -> styles.Image | None:
    """The painting, in [0, 1]; None where a signal stopped it.

    It goes on with the unfinished one, if there is any.

    Args:
      key: of the noise that it may start from.
      photograph: of the size of the painting.
      log: gets the losses; those that will be written again are dropped.
      signals: those that came.

    Raises:
      FloatingPointError: a loss was not finite; the best image is in a file.
    """
    stem, fields = photograph.path.stem, self._fields
    params = self._copies.here()
    content, style = self._recolour(photograph.colour, params)
    if self._nearest:
      sheets = self._folder.parent / "nearest"
      sheets.mkdir(exist_ok=True)
      images.write(sheets / f"{stem}.png", style.contact_sheet)
    masks = regions.masks_of(stem, fields.masks, content.shape[:2])
    fingerprint = _fingerprint(photograph, masks)
    progress = self._load(photograph, fingerprint)
    total, periods = self.steps, self._report_every()
    done = optimize.done(progress, self._recipe)
    log.drop(after=done, photograph=stem)
    done = max(0, done)
    saved = done // fields.save_every
    with tqdm.tqdm(total=total, initial=done, desc=stem, unit="step") as bar:

      def report(step, scalars, progress):
        nonlocal saved
        bar.update(step - bar.n)
        bar.set_postfix(loss=f"{scalars['loss']:.4g}", refresh=False)
        if periods != (1,) or step % fields.log_every == 0 or step == total:
          log.write(step, scalars, photograph=stem)
        if step == total:
          return False
        if signals or step // fields.save_every > saved:
          saved = step // fields.save_every
          self._save(photograph, fingerprint, content, progress)
        return bool(signals)

      try:
        painted = optimize.paint_one(
          key,
          jnp.asarray(content)[None],
          recipe=self._recipe,
          params=params,
          style=style,
          masks=masks,
          progress=progress,
          report_every=periods,
          report=report,
        )
      except stylize.NotFiniteError as error:
        path = unfinished.save_preview(
          self._folder, stem, self._to_bytes(error.image, content)
        )
        raise FloatingPointError(
          f"{stem}: {error}; the best is {path}"
        ) from error
    return None if painted is None else self._finish(painted, content)

  def _load(self, photograph, fingerprint):
    shape = photograph.colour.shape[:2]
    return unfinished.load(
      self._folder,
      photograph.path.stem,
      like=functools.partial(optimize.like, shape=shape, recipe=self._recipe),
      fingerprint=fingerprint,
    )

  def _finish(self, painted, content):
    """The painting, with the colours that it is to keep."""
    painted = np.asarray(painted[0])
    if self._fields.colour == "luminance":
      if content.shape != painted.shape:  # It is smaller until it is finished.
        content = jax.image.resize(content, painted.shape, "linear")
      painted = colour.keep_chrominance(painted, np.asarray(content))
    return painted

  def _to_bytes(self, painted, content):
    return formats.to_integers(self._finish(painted, content), bits=8)

  def _save(self, photograph, fingerprint, content, progress):
    so_far = optimize.result(progress.painting, self._recipe)
    unfinished.save(
      self._folder,
      photograph.path.stem,
      progress,
      preview=self._to_bytes(so_far, content),
      fingerprint=fingerprint,
    )

  def _report_every(self):
    """On CPUs a report is cheap next to a step, and the progress bar moves."""
    if jax.default_backend() == "cpu":
      return (1,)
    return (self._fields.log_every, self._fields.save_every)

  def _recolour(self, content, params):
    """The photograph and its style, one with the colours of the other."""
    fields, opened, style = self._fields, self._opened, self._styles.here()
    if self._nearest:
      opened = self._nearest.choose(params, content)
    recolours = fields.colour in ("linear", "histogram")
    if recolours and fields.recolour == "style":
      match, palette = self._match(), colour.palette(content)
      return content, self._describe(
        params, opened, recolour=lambda image: match(image, palette)
      )
    if style is None:
      style = self._describe(params, opened)
    if recolours:
      content = self._match()(content, style.palette)
    return content, style

  def _match(self):
    """What gives an image the colours of a palette."""
    fields = self._fields
    if fields.colour == "linear":
      return functools.partial(colour.match_linear, root=fields.colour_root)
    return colour.match_histogram


def _describe(*args, **options):
  """As `description.describe`, in one line where an image is too small."""
  try:
    return description.describe(*args, **options)
  except vgg.TooSmallError as error:
    raise errors.UserError(
      f"paint.style: {error}; raise paint.style_size or paint.coarsest, leave"
      " out what is narrow, or leave that layer out of paint.style_layers"
    ) from error


def _fingerprint(photograph, masks):
  """Of what an unfinished painting is made from, besides its style."""
  digests = [hashlib.sha256(mask).hexdigest() for mask in masks]
  return "-".join([photograph.fingerprint, *digests])
