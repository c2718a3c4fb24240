"""Every field of every config, with its unit and its reason.

A variant imports this module, changes a few lines and says in its docstring
which command it is for. `--config.section.field=value` changes a field from
the command line.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """All fields at their defaults: the paper's baseline, on the landscapes."""
  config = ml_collections.ConfigDict()

  # What to do: train, paint or sample.
  config.task = "train"
  # All chance and the order of the data follow from this number.
  config.seed = 0
  # Folder for compiled programs, so that a second start does not compile:
  # "auto" is the user's cache folder, "off" keeps none.
  config.compile_cache = "auto"

  data = config.data = ml_collections.ConfigDict()
  # landscapes (built in, procedural), folder:PATH, or
  # tfds:NAME[/CONFIG][:SPLIT].
  data.source = "landscapes"
  # Side of the square training pictures, in pixels: 32, 64 or 128.
  data.size = 64
  # How many pictures the source `landscapes` draws: 50 a second on one core.
  data.count = 2048
  # "centre": the centre square, resized to `size` (the paper). "random": a
  # random window of `size`, each time another, of the centre square resized
  # to 9/8 of `size`.
  data.crop = "centre"
  # Mirror every second picture, left to right, by chance.
  data.flip = False
  # Folder for decoded pictures, so that they are decoded once: "auto" is the
  # user's cache folder.
  data.cache = "auto"

  model = config.model = ml_collections.ConfigDict()
  # The two networks; dcgan is Radford 2015, as the paper has it.
  model.name = "dcgan"
  # Channels of the widest pictures' layer (the paper: 64); the deeper layers
  # have 2, 4, 8 times as many.
  model.width = 64
  # Dimensions of the latent z ~ N(0, I).
  model.latent = 100
  # Slope of the discriminator's LeakyReLU below zero.
  model.slope = 0.2
  # Statistics of batch normalisation: "synchronised" over all devices, or
  # "per_device".
  model.batch_norm = "synchronised"
  # Precision of the convolutions: float32 or bfloat16. Parameters, batch
  # statistics and losses stay float32.
  model.dtype = "float32"

  train = config.train = ml_collections.ConfigDict()
  # Generator updates in all. The paper's 100 epochs of 15,000 pictures in
  # batches of 128 are 11,700.
  train.steps = 11_700
  # Pictures per update, over all devices together.
  train.batch_size = 128
  # Adam's step size and first moment's decay, both networks (Radford 2015).
  train.learning_rate = 2e-4
  train.beta1 = 0.5
  # The discriminator's label of a real picture, early and late in the
  # training: below 1 is one-sided smoothing.
  train.real_label = 1.0
  train.real_label_late = 1.0
  # The update from which `real_label_late` counts: half-way (the paper).
  train.late_step = train.get_ref("steps") // 2
  # Decay per update of a running mean of the generator's parameters, used for
  # samples and painting; 0 keeps none.
  train.ema = 0.0
  # Updates per call of the compiled program: 0 is 1 on CPUs, where loops are
  # slow, and up to 32 on accelerators, where calls are.
  train.steps_per_call = 0
  # Periods in updates: scalars, sample grids, checkpoints.
  train.log_every = 10
  train.sample_every = 500
  train.save_every = 500
  # Checkpoints kept, the newest first.
  train.keep = 3
  # Pictures in a sample grid.
  train.samples = 64

  features = config.features = ml_collections.ConfigDict()
  # The pretrained network whose features describe style: vgg19 or vgg16.
  features.net = "vgg19"
  # auto (fetched once and verified), a PATH, or random (for speed tests only).
  features.weights = "auto"
  # max (as trained) or average (smoother gradients; Gatys 2015).
  features.pooling = "max"

  paint = config.paint = ml_collections.ConfigDict()
  # A photograph or a folder of them.
  paint.content = ""
  # A picture, a folder of pictures (all of them are one style), or a training
  # run's folder: then its generator draws the style batch.
  paint.style = ""
  # Pictures the generator draws for the style batch.
  paint.style_batch = 64
  # Longer side of the painted picture, in pixels.
  paint.size = 512
  # Longer side of the style pictures, in pixels; 0 is `size`. A generator's
  # pictures then keep the size they were trained at: enlarged ones are soft,
  # and so becomes the painting.
  paint.style_size = 0
  # Optimisation steps.
  paint.steps = 300
  # beta and alpha of the total loss (the paper's best sweep value and 1).
  paint.style_weight = 50_000.0
  paint.content_weight = 1.0
  # Weight of the total variation loss (gamma); the paper has none.
  paint.tv_weight = 0.0
  # Layers of the losses; conv_4 is the fourth convolution before its ReLU,
  # relu4_2 and block4_conv2 are named after blocks.
  paint.style_layers = ("conv_1", "conv_2", "conv_3", "conv_4", "conv_5")
  paint.content_layers = ("conv_4",)
  # Weight of each style layer within the style loss; () is 1 for all.
  paint.style_layer_weights = ()
  # What Gram matrices are divided by: hwc (pixels and channels; the style
  # weight of 50,000 belongs to it), hw (pixels; Gatys' energy) or none.
  paint.gram = "hwc"
  # adam or lbfgs; Adam's step size and the mean size of L-BFGS' first step, in
  # pixel values of [0, 1].
  paint.optimizer = "adam"
  paint.learning_rate = 0.02
  # First picture: content, style (the first style picture) or noise.
  paint.init = "content"
  # Steps between lines of metrics.jsonl.
  paint.log_every = 10

  sample = config.sample = ml_collections.ConfigDict()
  # The training run's folder whose generator is drawn.
  sample.run = ""
  # The checkpoint's step; -1 is the newest.
  sample.step = -1
  # Pictures in each grid, grids, and rows and pictures per row of the
  # interpolations.
  sample.count = 64
  sample.grids = 1
  sample.rows = 8
  sample.columns = 8

  return config.lock()
