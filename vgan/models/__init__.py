"""Networks: tensors in, tensors out, `keras.ops` only, no stored state."""

from vgan.models.discriminator import Discriminator
from vgan.models.generator import Generator
from vgan.models.style_encoder import MappingNetwork, StyleEncoder

__all__ = ["Discriminator", "Generator", "MappingNetwork", "StyleEncoder"]
