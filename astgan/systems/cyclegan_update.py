"""The update of system `cyclegan`: what one batch of each source changes."""

import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import ml_collections
from jaxtyping import PyTree

from astgan.arrays import Images
from astgan.losses import adversarial
from astgan.systems import (
  devices,
  image_pool,
  interface,
  logits,
  networks,
  states,
)

# The generator of a domain draws its images, from images of the other one; its
# discriminator tells them from real ones.
DOMAINS = ("painting", "photograph")
OTHER = {"painting": "photograph", "photograph": "painting"}


def update(
  config: ml_collections.ConfigDict,
  modules: networks.Pair,
  state: interface.TrainState,
  real_images: Mapping[str, Images],
  draws: Mapping[str, PyTree],
  *,
  axis_name: str | None,
) -> tuple[interface.TrainState, interface.Scalars]:
  """The state after one update of all four networks, and its scalars.

  As in the authors' code all gradients are taken before anything changes: a
  discriminator learns from the images by which its generator learned.

  Args:
    config: the whole config.
    modules: the networks.
    state: before the update.
    real_images: in [-1, 1], this device's share, by domain.
    draws: of the image pools, by domain, and "noise" on what becomes paintings,
      if there is any.
    axis_name: the mapped axis of the devices, or None.
  """
  params = {
    kind: {d: state.networks[f"{d}_{kind}"].params for d in DOMAINS}
    for kind in networks.Pair._fields
  }
  gradients, (fakes, scalars) = jax.grad(_generator_loss, has_aux=True)(
    params["generator"],
    params["discriminator"],
    real_images,
    draws.get("noise", 0.0),
    modules=modules,
    loss=config.loss,
  )
  pools = state.extra
  if pools is not None:
    queried = {
      d: image_pool.query(pools[d], fakes[d], draws[d], axis_name=axis_name)
      for d in DOMAINS
    }
    pools = {d: pool for d, (pool, _) in queried.items()}
    fakes = {d: images for d, (_, images) in queried.items()}
  critic_gradients, critic_scalars = jax.grad(
    _discriminator_loss, has_aux=True
  )(params["discriminator"], real_images, fakes, modules=modules)
  gradients = {"generator": gradients, "discriminator": critic_gradients}
  gradients, scalars = devices.mean_over(
    axis_name, (gradients, scalars | critic_scalars)
  )
  new = {}
  for kind, of_domain in gradients.items():
    for domain, gradient in of_domain.items():
      name = f"{domain}_{kind}"
      scalars[f"{name}/gradient_norm"] = networks.global_norm(gradient)
      new[name] = networks.apply_gradients(
        state.networks[name], gradient, {}, config[kind], state
      )
  state = states.next_state(state, new, train=config.train)
  return state.replace(extra=pools), scalars


def _generator_loss(
  params: Mapping[str, PyTree],
  critics: Mapping[str, PyTree],
  real_images: Mapping[str, Images],
  noise: Images | float,
  *,
  modules: networks.Pair,
  loss: ml_collections.ConfigDict,
) -> tuple[jax.Array, tuple[dict[str, Images], interface.Scalars]]:
  """What both generators minimise, the images that they drew, and scalars.

  Of each domain (D(G(x)) - 1)^2 + lambda |G(F(y)) - y| + lambda identity
  |G(y) - y|, where x is an image of the other domain, y one of this domain, G
  the generator of this domain and F the other one; means over patches and over
  pixels.
  """

  def generate(domain, images):
    return modules.generator.apply({"params": params[domain]}, images)

  def disturb(domain, images):
    return images + noise if domain == "painting" else images

  fakes, identical, scalars, total = {}, {}, {}, jnp.zeros(())
  for domain in DOMAINS:
    images = disturb(domain, real_images[OTHER[domain]])
    if loss.identity_weight:
      # One pass: instance normalisation treats every image by itself.
      both = jnp.concatenate([images, real_images[domain]])
      fakes[domain], identical[domain] = jnp.split(generate(domain, both), 2)
    else:
      fakes[domain] = generate(domain, images)
  for domain in DOMAINS:
    real, weight = real_images[domain], loss[f"{domain}_cycle_weight"]
    fake_logits = modules.discriminator.apply(
      {"params": critics[domain]}, fakes[domain]
    ).reshape(-1)
    # The authors' generators have no half in their least squares.
    other = disturb(domain, fakes[OTHER[domain]])
    terms = {
      "adversarial": 2 * adversarial.least_squares_generator(fake_logits),
      "cycle": jnp.abs(generate(domain, other) - real),
    }
    if identical:
      terms["identity"] = jnp.abs(identical[domain] - real)
    weights = {
      "adversarial": 1.0,
      "cycle": weight,
      "identity": weight * loss.identity_weight,
    }
    for name, values in terms.items():
      scalars[f"{domain}_generator/{name}_loss"] = jnp.mean(values)
      total += weights[name] * jnp.mean(values)
  scalars["generator/loss"] = total
  return total, (fakes, scalars)


def _discriminator_loss(
  params: Mapping[str, PyTree],
  real_images: Mapping[str, Images],
  fakes: Mapping[str, Images],
  *,
  modules: networks.Pair,
) -> tuple[jax.Array, interface.Scalars]:
  """What both discriminators minimise, and scalars.

  Of each half the sum of (D(y) - 1)^2 and D(G(x))^2, means over patches.
  """
  scalars, total = {}, jnp.zeros(())
  for domain in DOMAINS:
    both = jnp.concatenate([real_images[domain], fakes[domain]])
    score = functools.partial(
      modules.discriminator.apply, {"params": params[domain]}
    )
    real_logits, fake_logits = jnp.split(score(both).reshape(-1), 2)
    value = jnp.mean(
      adversarial.least_squares_discriminator(real_logits, fake_logits)
    )
    name = f"{domain}_discriminator"
    scalars[f"{name}/loss"] = value
    scalars |= logits.scalars(
      "least_squares", real_logits, fake_logits, network=name
    )
    total += value
  scalars["discriminator/loss"] = total
  return total, scalars
