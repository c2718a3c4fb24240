"""Gatys' algorithm as a 2020 report reforms it: six trials, two errors each.

  python -m astgan.main --config=configs/reformations.py \
    --config.paint.content=photo.jpg --config.paint.style=painting.jpg

is its first trial: Keras' VGG19, block1_conv1 to block5_conv1 for the style,
block5_conv2 for the content, 1,000 iterations from the photograph. The weights
are those of the notebook that it runs, 1,000 for the content and 0.01 for the
style, for features of pixels in [0, 255]. Features here are smaller by s =
57.375, which the content loss has as s^2, the style loss as s^4. With a mean
over layers, as the notebook has it, the ratio is 1,000 s^2 / (0.01 s^4) = 30.4;
all weights are divided by one number, which changes nothing. All six trials and
`errors.png`, the bars of their content and style losses:

  python -m astgan.main --config=configs/sweep.py --config.sweep.design=each \
    --config.sweep.page=configs/reformations.py --config.sweep.changes="(\
'paint.content=photo.jpg','paint.style=painting.jpg')" --config.sweep.fields="(\
'features.pooling=max',\
'paint.content_layers=(\"block1_conv2\",)&paint.style_layers=(\"block1_conv2\",\
\"block2_conv2\",\"block3_conv2\",\"block4_conv2\")&paint.style_term_weights=(0.25,)',\
'paint.style_layers=(\"block1_conv1\",\"block2_conv1\",\"block3_conv1\",\
\"block4_conv1\",\"block4_conv2\",\"block4_conv3\",\"block4_conv4\",\
\"block5_conv1\",\"block5_conv2\",\"block5_conv3\",\"block5_conv4\")\
&paint.style_term_weights=(0.0909,)',\
'paint.content_weight=3040',\
'paint.steps=10000')"

Each trial is one change of the first; where the report leaves room, so it is
read here. The second trial puts the classifier on top, which no loss sees:
max pooling between blocks, which Keras' network has anyway, stands for it, and
repeats the first. The style loss is the mean over layers, whence the weights of
its term: 1 / 5, 1 / 4 and 1 / 11. The report normalises the errors and does not
say how; each is divided here by the largest of the six trials.

Hardware: anything; on two CPU cores 0.35 seconds a step at 256 by 256 pixels,
six minutes for 1,000 steps, 90 for the six trials.
Expect: the first two trials are equal, and the third is nearest the photograph.

References: Ferdous, Reformations of A Neural Algorithm of Artistic Style, 2020;
  Gatys, Ecker and Bethge, A Neural Algorithm of Artistic Style, 2015.
"""

import ml_collections

from configs import common


def get_config() -> ml_collections.ConfigDict:
  """Painting with the report's first trial."""
  config = common.painting()

  paint = config.paint
  paint.style_layers = tuple(f"block{block}_conv1" for block in range(1, 6))
  paint.content_layers = ("block5_conv2",)
  paint.gram = "hw"
  paint.style_term_weights = (0.2,)
  paint.style_weight = 1.0
  paint.content_weight = 30.4
  paint.steps = 1000
  paint.learning_rate = 0.02
  paint.init = "content"
  paint.optimizer = "adam"
  return config
