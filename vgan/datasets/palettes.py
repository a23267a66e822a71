"""Colors that go together, drawn in a perceptual space.

OKLCH is lightness, chroma, hue of Oklab (Björn Ottosson, 2020): equal steps look
equal, so random hues come out equally light and none of a palette's colors sinks.
"""

import numpy as np

from vgan import LUMA

YIQ = np.array(  # luma and chroma, from RGB (NTSC, 1953)
    [LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]]
)

# Hue offsets in degrees; the first hue is the theme, later ones are accents.
HARMONIES = (
    (0, 25, -25, 180),
    (0, 30, 180, 210),
    (0, 120, 240),
    (0, 150, 210),
    (0, 20, 40, 200),
    (0, 90, 180),
)


def oklch(
    lightness: float | np.ndarray, chroma: float | np.ndarray, hue: float | np.ndarray
) -> np.ndarray:
    """Convert OKLCH to sRGB, clipped to the gamut.

    Args:
        lightness: In [0, 1].
        chroma: 0 is gray, about 0.3 the strongest that sRGB has.
        hue: In degrees; 30 red, 90 yellow, 140 green, 250 blue, 330 magenta.
            The three broadcast against each other.

    Returns:
        float32 [..., 3] in [0, 1].
    """
    linear = _linear(lightness, chroma, hue).clip(0, 1)
    curve = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return curve.astype(np.float32)


def _linear(lightness, chroma, hue):
    lightness, chroma, hue = np.broadcast_arrays(lightness, chroma, np.radians(hue))
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return np.stack(
        [
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        ],
        axis=-1,
    )


def palette(rng: np.random.Generator) -> np.ndarray:
    """Draw 4 to 6 strong, harmonious colors, from dark to light.

    Args:
        rng: A numpy Generator.

    Returns:
        float32 [4..6, 3], sRGB in [0, 1].
    """
    count = int(rng.integers(4, 7))
    harmony = HARMONIES[rng.integers(len(HARMONIES))]
    lightness = np.linspace(rng.uniform(0.2, 0.36), rng.uniform(0.86, 0.95), count)
    hues = rng.uniform(0, 360) + np.resize(harmony, count) + rng.uniform(-8, 8, count)
    if rng.random() < 0.75:
        # As in nature: yellows are light (hue 100), blues and violets dark.
        hues = hues[np.argsort(np.cos(np.radians(hues - 100)))]
    strength = rng.uniform(0.6, 1.0) * rng.uniform(0.75, 1.0, count)
    return oklch(lightness, strength * _strongest(lightness, hues), hues)


def _strongest(lightness, hue):
    """The largest chroma that sRGB has for a lightness and hue."""
    low, high = np.zeros(len(hue)), np.full(len(hue), 0.4)
    for _ in range(8):
        middle = (low + high) / 2
        color = _linear(lightness, middle, hue)
        inside = ((color >= 0) & (color <= 1)).all(axis=-1)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return low
