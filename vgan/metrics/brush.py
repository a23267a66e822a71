"""Brushwork alone: texture without color, tone and contrast; how much it varies."""

import itertools
import typing
from collections.abc import Sequence

import cv2
import numpy as np

from vgan import LUMA
from vgan.metrics.features import scale_to
from vgan.metrics.style import LayerStatistics, StyleMeter, style_distance

if typing.TYPE_CHECKING:
    from vgan.metrics.features import MeasuringFeatures


LAYERS = ("relu2_1", "relu3_1", "relu4_1")  # of VGG: larger than grain, under a figure
WINDOW = 1 / 32  # of the short side: sigma of the window that tone is taken from
FAINT = 4.0  # of 255; weaker texture is not blown up
CONTRAST = 48.0  # of 255; the standard deviation that texture is brought to


def gray_texture(frames: np.ndarray) -> np.ndarray:
    """Texture without color and tone, at the same contrast everywhere.

    128 + 48 (luma - m) / sqrt(v + 4^2), m and v the local mean and variance (Gaussian
    window of 1/32 of the short side): a paler or darker copy has the same texture.

    Args:
        frames: uint8 RGB [N, H, W, 3].

    Returns:
        The same shape and type, three equal channels.
    """
    sigma = WINDOW * min(frames.shape[1:3])
    textures = []
    for luma in frames @ np.float32(LUMA):
        mean = cv2.GaussianBlur(luma, (0, 0), sigma)
        variance = cv2.GaussianBlur(luma * luma, (0, 0), sigma) - mean * mean
        even = (luma - mean) / np.sqrt(np.maximum(variance, 0) + FAINT**2)
        textures.append(np.clip(128 + CONTRAST * even, 0, 255).round())
    return np.repeat(np.uint8(textures)[..., None], 3, axis=-1)


def measure(
    features: "MeasuringFeatures", frames: np.ndarray
) -> dict[str, LayerStatistics]:
    """Statistics of the texture of pictures, for `mean_distance`.

    Of relu2_1, relu3_1 and relu4_1, or the style layers of a network without them.

    Args:
        features: vgan.metrics.features.MeasuringFeatures.
        frames: uint8 RGB [N, H, W, 3].

    Returns:
        {layer: vgan.metrics.style.LayerStatistics}.
    """
    layers = [name for name in LAYERS if name in features.style_layers]
    meter = StyleMeter()
    textures = gray_texture(scale_to(frames, features.short_side))
    for seen in features.batches(textures, scaled=False):
        meter.update({name: seen[name] for name in layers or features.style_layers})
    return meter.statistics()


def mean_distance(measured: Sequence[dict[str, LayerStatistics]]) -> float:
    """Mean distance of Gram matrices over layers and all pairs, in [0, 1]; 0 is alike.

    Args:
        measured: What `measure` gave of each, two or more.

    Raises:
        ValueError: There are fewer than two.
    """
    if len(measured) < 2:
        raise ValueError(f"expected at least two to compare, got {len(measured)}")
    pairs = itertools.combinations(measured, 2)
    distances = [list(style_distance(*pair).values()) for pair in pairs]
    return float(np.mean(distances))
