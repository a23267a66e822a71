"""Surfaces that scenes and paintings are made of."""

import cv2
import numpy as np


def grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixel coordinates (x [1, W], y [H, 1]), float32, ready to broadcast."""
    x = np.arange(width, dtype=np.float32)[None]
    return x, np.arange(height, dtype=np.float32)[:, None]


def noise(
    rng: np.random.Generator,
    height: int,
    width: int,
    cell: float,
    octaves: int = 3,
    channels: int = 1,
) -> np.ndarray:
    """Smooth multi-octave noise of about zero mean and unit variance.

    Args:
        rng: A numpy Generator.
        height: Rows.
        width: Columns.
        cell: Size of the largest features in pixels.
        octaves: Each next one has half the size and about half the strength.
        channels: Independent fields.

    Returns:
        float32 [H, W] or, for several channels, [H, W, C].
    """
    total = 0
    for octave in range(octaves):
        step = max(cell / 2**octave, 1.0)
        shape = (int(height / step) + 3, int(width / step) + 3, channels)
        knots = rng.standard_normal(shape, dtype=np.float32)
        # A window of whole cells starting at a random fraction of one.
        x, y = rng.uniform(0.5, 1.5, 2)
        way = cv2.INTER_CUBIC if octave < 2 else cv2.INTER_LINEAR
        move = np.array([[1 / step, 0, x], [0, 1 / step, y]])
        field = cv2.warpAffine(
            knots,
            move,
            (width, height),
            flags=way | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        total = total + field * 0.55**octave
    return total * np.float32(1.2)


def step(value: np.ndarray, softness: float = 1.0) -> np.ndarray:
    """0 below zero, 1 above, with a ramp of `softness` around it."""
    return (value * np.float32(1 / softness) + np.float32(0.5)).clip(0, 1)


def wave(phase: np.ndarray) -> np.ndarray:
    """Triangle wave of period 1 in [-0.5, 0.5]; its zero crossings are edges."""
    return np.abs((phase % 1) * 2 - 1) - np.float32(0.5)


def mix(first: np.ndarray, second: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Blend colors [3] or pictures [H, W, 3] by an amount [H, W]."""
    first = _rows(first, amount)
    blend = (_rows(second, amount) - first) * np.repeat(amount, 3, axis=1) + first
    return blend.astype(np.float32, copy=False).reshape(*amount.shape, 3)


def shade(picture: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Multiply a picture [H, W, 3] or a color [3] by a light [H, W]."""
    lit = _rows(picture, light) * np.repeat(light, 3, axis=1)
    return lit.astype(np.float32, copy=False).reshape(*light.shape, 3)


def _rows(picture, like):
    """A picture, or a color to be broadcast, as long rows [H, 3 W].

    Numpy is several times slower over a last axis of 3.
    """
    height, width = like.shape
    picture = np.asarray(picture, np.float32)
    if picture.ndim == 1:
        return np.tile(picture, width)
    return picture.reshape(height, 3 * width)


def surface(
    rng: np.random.Generator, height: int, width: int, colors: np.ndarray, scale: float
) -> np.ndarray:
    """A patterned picture: marble, stripes, checks, dots or a gradient.

    Args:
        rng: A numpy Generator.
        height: Rows.
        width: Columns.
        colors: float32 [>= 2, 3] in [0, 1].
        scale: Size of the pattern in pixels.

    Returns:
        float32 [H, W, 3] in [0, 1].
    """
    x, y = grid(height, width)
    angle = rng.uniform(0, np.pi)
    u = (x * np.cos(angle) + y * np.sin(angle)).astype(np.float32)
    v = (y * np.cos(angle) - x * np.sin(angle)).astype(np.float32)
    kind = rng.choice(["marble", "stripes", "checks", "dots", "gradient"])
    low, high = colors[0], colors[1]
    if kind == "marble":
        amount = step(noise(rng, height, width, scale * 1.5), 3.0)
    elif kind == "stripes":
        bend = noise(rng, height, width, scale * 4, 1) * rng.uniform(0, 0.3)
        amount = step(wave(u / scale + bend) * scale, 3.0)
    elif kind == "checks":
        amount = step(wave(u / scale) * wave(v / scale) * 2 * scale, 3.0)
    elif kind == "dots":
        radius = np.hypot(wave(u / scale), wave(v / scale))
        amount = step((rng.uniform(0.25, 0.4) - radius) * scale, 2.0)
    else:
        amount = step(u - u.mean(), np.ptp(u))
    picture = mix(low, high, amount)
    if len(colors) > 2:
        clouds = step(noise(rng, height, width, scale * 3, 2), 3.0)
        picture = mix(picture, colors[2], clouds * rng.uniform(0.1, 0.5))
    grain = noise(rng, height, width, 3.0, 1) * rng.uniform(0.01, 0.04)
    return shade(picture, 1 + grain).clip(0, 1)
