"""The fields that tasks share, each with its unit and its reason.

Pages start from one of the functions below, so that each shows only fields
that act: `training` and a system's own sections (`gan.py`), `painting`,
`sampling`, `evaluation`, `judging` or `sweeping`.
`--config.section.field=value` changes a field from the command line.
"""

import ml_collections


def base(task: str) -> ml_collections.ConfigDict:
  """What every task has, unlocked."""
  config = ml_collections.ConfigDict()
  # What to do: train, paint, sample, evaluate, judge or sweep.
  config.task = task
  # All chance and the order of the data follow from this number.
  config.seed = 0
  # Folder for compiled programs, so that a second start does not compile:
  # "auto" is the user's cache folder, "off" keeps none.
  config.compile_cache = "auto"
  return config


def training(system: str) -> ml_collections.ConfigDict:
  """What every training has, unlocked: a system adds its own sections."""
  config = base("train")
  # What is trained; the page names it and brings its sections.
  config.system = system

  data = config.data = ml_collections.ConfigDict()
  # landscapes (built in, procedural), folder:PATH, or a data set that
  # tensorflow_datasets has prepared, tfds:NAME[/CONFIG][:SPLIT][:SELECTION]:
  # tfds:wikiart_landscapes:artist=claude-monet|paul-cezanne,style=Impressionism
  # (python -m astgan.data.wikiart_landscapes makes that one).
  data.source = "landscapes"
  # Side of the square training images, in pixels.
  data.size = 64
  # How many images the source `landscapes` draws: 50 a second on one core.
  data.count = 2048
  # "centre": the centre square, resized to `size` (the paper). "random": a
  # random window of `size`, each time another, of the centre square resized
  # to `zoom` times `size`: 1.125 shows all but the border, 4 a sixteenth of a
  # painting, in which brush strokes have their shape.
  data.crop = "centre"
  data.zoom = 1.125
  # Mirror every second image, left to right, by chance.
  data.flip = False
  # Share of the images of `source` that training never sees, so that metrics
  # compare with them: 0 keeps none. Images of one scene stay together. A hash
  # of the images as they are decoded decides: the same at every start, others
  # at another `size`, `crop` or `zoom`.
  data.hold_out = 0.0
  # Folder for decoded images, so that they are decoded once: "auto" is the
  # user's cache folder.
  data.cache = "auto"

  train = config.train = ml_collections.ConfigDict()
  # Generator updates in all. The paper's 100 epochs of 15,000 images in
  # batches of 128 are 11,700.
  train.steps = 11_700
  # A training run of the same networks, whose parameters and moving averages
  # the first step starts from (its newest checkpoint, with optimisers anew);
  # "" starts from random ones. System `stvae` takes the decoder of an `adain`.
  train.start_from = ""
  # Images per batch, over all devices together.
  train.batch_size = 128
  # Decay per update of an exponential moving average of the parameters of the
  # generator, or of all networks that paint, used for samples and painting; 0
  # keeps none.
  train.ema_decay = 0.0
  # The same as a half-life in images, in place of the decay: it then means the
  # same at every batch size. 0 leaves it to the decay.
  train.ema_half_life = 0
  # Updates per call of the compiled program: 0 is 1 on CPUs, where loops are
  # slow, and up to 32 on accelerators, where calls are.
  train.steps_per_call = 0
  # Periods in updates: scalars, contact sheets, checkpoints.
  train.log_every = 10
  train.sample_every = 500
  train.save_every = 500
  # Period in updates of the metrics of section `evaluate`; 0 is off.
  train.evaluate_every = 500
  # Checkpoints kept, the newest first; the best is kept beside them.
  train.max_to_keep = 3
  # Images in a contact sheet.
  train.num_samples = 64
  # When a rule of section `detectors` holds: "warn"; "stop", with exit status
  # 1; or "roll_back" to the best checkpoint, else the newest. A value that is
  # not finite stops the run under "warn" as well.
  train.on_failure = "warn"
  # Factor on all learning rates at each roll-back: the same rates would fail
  # the same way.
  train.roll_back_factor = 0.5
  # Roll-backs after which a failure stops the run.
  train.max_roll_backs = 3
  config.evaluate = evaluation_of_training()
  config.detectors = detection()
  return config


def optimizer() -> ml_collections.ConfigDict:
  """The optimiser of a network, at DCGAN's, unlocked."""
  section = ml_collections.ConfigDict()
  # adam, rmsprop or sgd.
  section.optimizer = "adam"
  # Step size (Radford 2015).
  section.learning_rate = 2e-4
  # Layers, by name, whose parameters stay as they start,
  # as in ("down_0", "down_1"): tuned to few images, the first layers of a
  # discriminator only lose what they know (Mo et al., Freeze the
  # Discriminator, 2020).
  section.frozen = ()
  # Decay of the first moment: Adam's beta1, or sgd's momentum.
  section.beta1 = 0.5
  # Decay of the second moment: Adam's beta2, or rmsprop's decay.
  section.beta2 = 0.999
  # Learning rate over the generator updates: "constant"; "linear", from 1 at
  # `decay_start` to `decay_factor` times itself in `decay_steps`; "step",
  # `decay_factor` times itself from `decay_start` on, every `decay_steps`.
  section.schedule = "constant"
  section.decay_start = 5850
  section.decay_steps = 5850
  section.decay_factor = 0.0
  return section


def evaluation_of_training() -> ml_collections.ConfigDict:
  """What a training measures about itself, each `train.evaluate_every`."""
  evaluate = ml_collections.ConfigDict()
  # Feature networks: `random` needs no download, and no discriminator was
  # trained on it. alexnet (the extra `lpips`) and vgg19_relu3 agree better with
  # the eye.
  evaluate.nets = ("random",)
  # What is measured, of those of task `evaluate`.
  evaluate.metrics = (
    "sliced_wasserstein",
    "kernel",
    "diversity",
    "authenticity",
  )
  # Images compared on each side, at most; fewer where there are fewer real
  # ones.
  evaluate.count = 500
  # Images in each subset of the kernel distance (0 is half of those compared),
  # and subsets.
  evaluate.subset_size = 0
  evaluate.subsets = 20
  # The metric that says which checkpoint is the best: its name, or the first
  # words of it. The sliced Wasserstein distance of patches needs no network;
  # on trainings that resize or transpose it ranks as VGG19, AlexNet and the eye
  # do, and the networks of random weights do not.
  evaluate.best_metric = "sliced_wasserstein"
  return evaluate


def detection() -> ml_collections.ConfigDict:
  """When a training counts as failed; a threshold of 0 switches a rule off."""
  detectors = ml_collections.ConfigDict()
  # Updates through which a condition on scalars must hold on every line, and
  # evaluations through which one on metrics must. Small healthy runs were
  # always right for 910 updates, and low in diversity at three evaluations.
  detectors.patience = 1000
  detectors.evaluations = 5
  # Mean gap of the logits from which a discriminator that is always right
  # counts as pinned: beyond 10 its odds are above 20,000 to 1. For losses whose
  # logits stay small it is multiplied: least squares by 0.08, hinge by 0.2.
  detectors.logit_margin = 10.0
  # Gap that logits have when they diverge: no 1-Lipschitz critic of images up
  # to 288 pixels can have it.
  detectors.logit_gap = 1000.0
  # How many times above its lowest mean a loss without an adversary must stay.
  # Batches of two photographs made healthy ones swing by half; one that
  # diverged rose threefold.
  detectors.loss_factor = 2.0
  # Gradient norm below which a network is dead: Adam's epsilon, below which
  # its updates vanish too. Healthy clipped critics leave 0.03.
  detectors.gradient_norm = 1e-8
  # Mean distance of two generated images, as a share of that of two real ones,
  # below which the modes have collapsed, unless it rises. Healthy runs fell to
  # 0.13.
  detectors.diversity = 0.1
  # How many times worse than its best the metric must be. Healthy runs swing
  # by half; those that StudioGAN did not notice were 2.8 times worse.
  detectors.metric_factor = 2.0
  # Authenticity below which images are copies; new ones have about 0.5.
  detectors.authenticity = 0.1
  return detectors


def painting() -> ml_collections.ConfigDict:
  """Style transfer at its defaults: the paper's layers and weights."""
  config = base("paint")

  features = config.features = ml_collections.ConfigDict()
  # The pretrained network whose features describe style: vgg19 or vgg16.
  features.net = "vgg19"
  # auto (fetched once and verified), a PATH, or random (for speed tests only).
  features.weights = "auto"
  # max (as trained) or average (smoother gradients; Gatys 2015).
  features.pooling = "max"
  # zeros (as trained) or replicate (the border itself: a painting then has no
  # bright frame, one to three pixels wide).
  features.padding = "zeros"
  # Precision of the convolutions: float32, bfloat16, or auto: bfloat16 where
  # there is an accelerator.
  features.dtype = "auto"

  paint = config.paint = ml_collections.ConfigDict()
  # A photograph or a folder of them.
  paint.content = ""
  # An image, a folder of images (all of them are one style), or a training
  # run's folder: then its generator draws the style batch, or its painter, if
  # it knows its style, paints in one pass.
  paint.style = ""
  # The folder of a training run whose painter paints in one pass: one that is
  # told the styles, however many images they have, or one that knows its own,
  # and then `style` is empty. Of the fields below a painter heeds `styles` and
  # `blend`, `style_step`, `style_batch`, `upscale`, `style_size` and
  # `generated_share`, `strength`, `direction`, `tile`, `size`, `format` and
  # `bits`.
  paint.painter = ""
  # How much of the style such a painter paints, in [0, 1]: 0 is the photograph.
  paint.strength = 1.0
  # Further styles, and the weight of each, that of `style` first; () is 1 for
  # all. The painting blends them, or has one in each region.
  paint.styles = ()
  paint.blend = ()
  # Where each style is painted: one image a style, white where it counts, black
  # or transparent where not, grey in between, of any size; or folders with one
  # for each photograph, of its name. () blends the styles everywhere.
  paint.masks = ()
  # Which part of each style counts: one image a style, for all of its images;
  # "" is all of it.
  paint.style_masks = ()
  # Colours of the painting: style, or the photograph's: luminance (the
  # chrominance of the photograph is put back), linear (mean and covariance) or
  # histogram (each channel).
  paint.colour = "style"
  # For linear and histogram, what is recoloured before: style (with the
  # photograph's colours, so that the painting keeps them) or photograph (with
  # the style's). For linear, which root of the covariance: symmetric (moves
  # colours least), cholesky or pca.
  paint.recolour = "style"
  paint.colour_root = "symmetric"
  # What a painter of two directions makes: "painting" of photographs, or
  # "photograph" of paintings; "" is the first.
  paint.direction = ""
  # Side of the tiles, in pixels, in which a large photograph is painted:
  # squares of an optimisation, or as large as the strips of a painter; 0 paints
  # it whole where memory allows. The painting is the same, up to rounding.
  paint.tile = 0
  # The checkpoint of a training that `style` or `styles` names: "newest",
  # "best" by its `evaluate.best_metric`, or the number of its step. Of
  # `painter` the newest is taken.
  paint.style_step = "newest"
  # Images the generator draws for the style batch.
  paint.style_batch = 64
  # Images of each style that a photograph is painted from: those that look most
  # like it, as a whole, whatever its regions. Each photograph then has a style
  # of its own. 0 is all of them.
  paint.style_nearest = 0
  # The folder of an upscaler's run (configs/superres.py), which enlarges them
  # before they are described; "" takes them as they are drawn.
  paint.upscale = ""
  # Longer side of the painted image, in pixels.
  paint.size = 512
  # Longer side of the style images, in pixels; 0 is `size`, and for a
  # generator's images `generated_share` of it: the larger they are shown, the
  # broader and softer are the strokes; 0 is the size that they are drawn at.
  paint.style_size = 0
  paint.generated_share = 0.0
  # The files of paintings: png, tiff, webp (all lossless), or jpeg (quality 95,
  # full resolution of colours). All but jpeg keep a photograph's transparency.
  paint.format = "png"
  # Bits of each value in them: 8, or 16 in png and tiff, for editing on.
  paint.bits = 8
  # Optimisation steps, at each size of the pyramid below.
  paint.steps = 300
  # beta and alpha of the total loss (the paper's best sweep value and 1).
  paint.style_weight = 50_000.0
  paint.content_weight = 1.0
  # Weight of the total variation loss (gamma); the paper has none.
  paint.tv_weight = 0.0
  # Power of the differences of neighbours in it: 2 is smooth everywhere, 1
  # keeps edges.
  paint.tv_power = 2
  # Layers of the losses; conv_4 is the fourth convolution before its ReLU,
  # relu4_2 and block4_conv2 are named after blocks.
  paint.style_layers = ("conv_1", "conv_2", "conv_3", "conv_4", "conv_5")
  paint.content_layers = ("conv_4",)
  # Weight of each layer within the style loss, and within the content loss; ()
  # is 1 for all. Of several terms each may have its own, a tuple of tuples.
  # Products of two layers (gram_chain) have the weight of the later one.
  paint.style_layer_weights = ()
  paint.content_layer_weights = ()
  # What describes the style of a layer; several are added, each times its
  # weight; () is 1 for all.
  #   Moments: gram, mean, mean_std (of each channel), covariance, wasserstein
  #   (between Gaussians), polynomial (kernel: second moments and means).
  #   Distributions at sampled positions: sliced_wasserstein, histogram (of each
  #   channel), gaussian (kernel), relaxed_emd (cosine distances).
  #   Other products than those of gram: gram_shifted (features minus 1),
  #   gram_amplified (squares), gram_adjacent and gram_blurred (neighbours),
  #   gram_chain (of successive layers), gram_cube (of three channels).
  paint.style_terms = ("gram",)
  paint.style_term_weights = ()
  # What is kept of the photograph: features, self_similarity (which places look
  # alike, and not how they look), or luminance (where it is light and dark, in
  # squares of a 24th of the longer side, at most 64 pixels); weights as for
  # style.
  paint.content_terms = ("features",)
  paint.content_term_weights = ()
  # What Gram matrices are divided by: hwc (pixels and channels; the style
  # weight of 50,000 belongs to it), hw (pixels; Gatys' energy) or none.
  paint.gram = "hwc"
  # adam or lbfgs; Adam's step size and the mean size of L-BFGS' first step, in
  # pixel values of [0, 1].
  paint.optimizer = "adam"
  paint.learning_rate = 0.02
  # Decay of the average of the iterates, which then is the painting: smoother
  # than any of them; 0 paints the one of the lowest loss.
  paint.ema_decay = 0.0
  # About the longer side of the first painting, in pixels: it is painted from
  # there to `size`, each time larger by the square root of 2; 0 paints at
  # `size` alone.
  paint.coarsest = 0
  # Steps of that first painting, if larger ones follow; 0 is `steps`.
  paint.coarsest_steps = 0
  # Width of a margin, in pixels at each size, that is painted as well and cut
  # off: borders gather what the style has and the photograph has no place for.
  paint.margin = 0
  # First image: content, colours (the photograph with the style's colours),
  # style (the first style image), noise, grey, or the path of an image.
  paint.init = "content"
  # Steps between lines of metrics.jsonl, and between savings of the unfinished
  # painting, from which a run that was stopped goes on.
  paint.log_every = 10
  paint.save_every = 50
  return config.lock()


def sampling() -> ml_collections.ConfigDict:
  """Drawing from a trained generator."""
  config = base("sample")
  sample = config.sample = ml_collections.ConfigDict()
  # The training run's folder whose generator is drawn.
  sample.run = ""
  # The checkpoint: "newest", "best" by the run's `evaluate.best_metric`, or
  # the number of its step.
  sample.step = "newest"
  # The folder of an upscaler's run (configs/superres.py), by which the images
  # are enlarged; "" shows them as they are drawn.
  sample.upscale = ""
  # Images in each grid, grids, and rows and images per row of the
  # interpolations.
  sample.count = 64
  sample.grids = 1
  sample.rows = 8
  sample.columns = 8
  return config.lock()


def evaluation() -> ml_collections.ConfigDict:
  """Measuring what a generator draws, or a folder of images."""
  config = base("evaluate")

  data = config.data = ml_collections.ConfigDict()
  # What is compared with, as in a training. "" is what the run was trained on:
  # then none of this section counts.
  data.source = ""
  data.size = 64
  data.count = 2048
  data.crop = "centre"
  data.zoom = 1.125
  data.hold_out = 0.0
  data.cache = "auto"

  evaluate = config.evaluate = ml_collections.ConfigDict()
  # The training run's folder whose generator is measured, or a folder of
  # images of one size.
  evaluate.run = ""
  evaluate.pictures = ""
  # The run's checkpoint: "newest", "best" or the number of its step.
  evaluate.step = "newest"
  # Images compared on each side, at most: fewer where fewer are held out or,
  # where none are, where there are fewer in all.
  evaluate.count = 2000
  # Feature networks: random (convolutions with random weights), vgg16_relu1 to
  # 5, vgg19_relu1 to 5, and others that a wrong name lists.
  evaluate.nets = ("random", "vgg19_relu3")
  # File of the Inception network's weights, for the net `inception`.
  evaluate.inception = ""
  # What is measured. The last three need no network.
  evaluate.metrics = (
    "frechet",
    "kernel",
    "precision_recall",
    "density_coverage",
    "authenticity",
    "diversity",
    "sliced_wasserstein",
    "spectrum",
    "colours",
  )
  # Images in a subset of the kernel distance (0: half of those compared, at
  # most 1,000), and subsets.
  evaluate.subset_size = 0
  evaluate.subsets = 100
  return config.lock()


def judging() -> ml_collections.ConfigDict:
  """Measuring painted pictures."""
  config = base("judge")

  features = config.features = ml_collections.ConfigDict()
  # Weights of VGG19: auto (fetched once and verified) or a PATH. Those of LPIPS
  # come with the extra `lpips`. random is for speed tests, for all of them.
  features.weights = "auto"

  judge = config.judge = ml_collections.ConfigDict()
  # A painted picture, a folder of them, or the folder of a painting run.
  judge.painted = ""
  # The photographs, each with the file name, but for the suffix, of what was
  # painted of it; and the images of the style. Each a file or a folder; "" is
  # what the painting run had, if its style was one. The folder of a training
  # run as the style stands for the paintings that it held out (data.hold_out),
  # which its generator has never seen.
  judge.content = ""
  judge.style = ""
  # Longer side at which all images are compared, in pixels: features change
  # with the scale, so that only numbers of one size compare.
  judge.size = 512
  # What is measured. Those of LPIPS, which ArtFID needs, are of the extra
  # `lpips`.
  judge.measures = (
    "lpips_vgg16",
    "lpips_alexnet",
    "gram",
    "wasserstein",
    "artfid",
    "colours",
  )
  return config.lock()


def sweeping() -> ml_collections.ConfigDict:
  """Several runs of one page."""
  config = base("sweep")
  sweep = config.sweep = ml_collections.ConfigDict()
  # The page that trains or paints, or several of one task: PAGE|PAGE. Here as
  # in `fields`, an alternative brings further changes of its own by &, as in
  # configs/wgan_gp.py&train.steps=500.
  sweep.page = "configs/dcgan.py"
  # What is changed in it for all runs, each FIELD=VALUE.
  sweep.changes = ()
  # What the runs differ in, each FIELD=VALUE|VALUE|..., as in
  # loss.real_label=0.95|0.85&loss.real_label_late=0.95.
  sweep.fields = ()
  # "grid": all combinations. "each": the page, and one change at a time.
  sweep.design = "grid"
  # Seeds of each setting; the sweep's own `seed` changes nothing.
  sweep.seeds = (0,)
  # The scalars of the table and the curves, by their names or first words, as
  # in ("sliced_wasserstein", "generator/loss"); () is all.
  sweep.scalars = ()
  # The scalar that orders the table, lowest first; "" keeps the order of the
  # fields.
  sweep.rank_by = ""
  return config.lock()
