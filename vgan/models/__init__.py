"""Networks: tensors in, tensors out, `keras.ops` only, no stored state."""

from vgan.models.discriminator import Discriminator
from vgan.models.generator import Generator
from vgan.models.painter import Painter
from vgan.models.style_encoder import (
    MappingNetwork,
    PretrainedStyleEncoder,
    StyleEncoder,
)

NETWORKS = {"overlay": Generator, "painter": Painter}  # that stylize, by name

__all__ = [
    "NETWORKS",
    "Discriminator",
    "Generator",
    "MappingNetwork",
    "Painter",
    "PretrainedStyleEncoder",
    "StyleEncoder",
]
