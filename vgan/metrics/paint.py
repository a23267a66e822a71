"""What pixels say of the paint: where tones went, whose colors, how rough it is.

No network is needed. Frames are uint8 RGB [H, W, 3]; Lab is CIE L*a*b* of D65, so that
distances are in units of the color difference Delta E (CIE, 1976).
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from vgan import LUMA
from vgan.metrics.features import scale_to

CELL = 16  # pixels; coarser than a stroke
FEWEST_CELLS = 9  # below, a rank or a regression says nothing
BASES, QUANTILES, SEED = 16, 256, 0  # of the sliced Wasserstein distance
FINEST = 1 / 64  # of the short side: sigma of the blur that a high-pass takes away
AROUND = 1 / 32  # of the short side: sigma of the window in which a place is flat
FLAT = 2.0  # of 255, the texture up to which it is
LEAST_FLAT = 0.01  # share of pixels


def lab(frames: np.ndarray) -> np.ndarray:
    """Frames uint8 RGB [..., H, W, 3] -> float32 Lab, L in [0, 100]."""
    rows = np.float32(frames).reshape(-1, frames.shape[-2], 3) / 255
    return cv2.cvtColor(rows, cv2.COLOR_RGB2LAB).reshape(frames.shape)


def tone_correlation(content: np.ndarray, result: np.ndarray) -> float:
    """Is what was darker still darker; in [-1, 1], 1 is the content's order of tones.

    Spearman's rank correlation (1904) of the mean lumas of cells of 16 x 16 pixels:
    contrast, curves and strokes do not matter, -1 is a negative. NaN where one is flat
    or has under nine cells.

    Args:
        content: uint8 RGB [H, W, 3].
        result: The same.
    """
    x, y = (_ranks(_coarse(frame @ np.float32(LUMA))) for frame in (content, result))
    if len(x) < FEWEST_CELLS or min(x.std(), y.std()) == 0:
        return math.nan
    return float(np.mean((x - x.mean()) * (y - y.mean())) / (x.std() * y.std()))


def color_explained(content: np.ndarray, result: np.ndarray) -> float:
    """Share of the result's color that a filter of the content's would give; [0, 1].

    R^2 of the linear regression of the result's (L, a, b) on the content's, mean
    colors of cells of 16 x 16 pixels: 1 is the content itself, or its light tinted; a
    painter with a palette of his own has less, and so has noise. NaN where the result
    has one color (variance under 1) or under nine cells.

    Args:
        content: uint8 RGB [H, W, 3].
        result: The same.
    """
    x, y = (_coarse(lab(frame)).reshape(-1, 3) for frame in (content, result))
    x, y = x - x.mean(0), y - y.mean(0)
    if len(x) < FEWEST_CELLS or np.mean(np.square(y).sum(1)) < 1:
        return math.nan
    rest = y - x @ np.linalg.lstsq(x, y, rcond=1e-4)[0]
    return float(1 - np.square(rest).sum() / np.square(y).sum())


def palette(frames: np.ndarray) -> np.ndarray:
    """What `palette_distance` compares: quantiles of colors, [directions, quantiles].

    Args:
        frames: uint8 RGB [N, H, W, 3]; of large ones, every so many pixels are taken.
    """
    step = max(1, math.isqrt(frames[..., 0].size // 65536))
    pixels = lab(np.ascontiguousarray(frames[:, ::step, ::step])).reshape(-1, 3)
    random = np.random.default_rng(SEED).standard_normal((BASES, 3, 3))
    directions = np.linalg.qr(random)[0].reshape(-1, 3)
    middles = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return np.quantile(directions @ pixels.T, middles, axis=1).T


def palette_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Sliced Wasserstein distance of two sets of colors, in Delta E; 0 is the same.

    sqrt(3 mean over directions of W2^2) in Lab (Rabin et al., 2011): along each, W2 is
    the root mean square difference of quantiles. Directions come as fixed random
    orthonormal bases: colors shifted by d are exactly |d| apart.

    Args:
        a: What `palette` gave.
        b: The same.
    """
    return float(np.sqrt(3 * np.mean(np.square(a - b))))


def high_pass(frame: np.ndarray) -> np.ndarray:
    """Luma [H, W] of a frame, 0 to 255, less its blur of 1/64 of the short side."""
    luma = frame @ np.float32(LUMA)
    return luma - _blurred(luma, FINEST)


def flat_texture(
    contents: np.ndarray, results: np.ndarray, style_frames: np.ndarray
) -> float:
    """How rough is what was flat, over how rough the style is; 0 is flat, 1 the style.

    Mean square of `high_pass` of the results where that of the contents has a root mean
    square under 2 of 255 around (Gaussian window, 1/32 of the short side), over that of
    the style, brought to the same short side: gradients of light are flat, too. From 0
    without a bound; NaN where under 1 % is flat, or the style is.

    Args:
        contents: uint8 RGB [N, H, W, 3].
        results: The same.
        style_frames: uint8 RGB [N', h, w, 3].
    """
    style = scale_to(style_frames, min(contents.shape[1:3]))
    own, rough, whole = (
        np.stack([np.square(high_pass(frame)) for frame in frames])
        for frames in (contents, results, style)
    )
    flat = np.stack([_blurred(energy, AROUND) for energy in own]) < FLAT**2
    if flat.mean() < LEAST_FLAT or whole.mean() < 0.01:
        return math.nan
    return float(rough[flat].mean() / whole.mean())


class PaintScorer:
    """Measures results against the pixels of one style.

    Args:
        style_frames: The style's picture or clip, uint8 RGB [T', h, w, 3].
    """

    def __init__(self, style_frames: np.ndarray) -> None:
        self._frames, self._palette = style_frames, palette(style_frames)

    def figures(
        self, contents: np.ndarray, results: np.ndarray
    ) -> dict[str, float | None]:
        """Return all of the above, means over frames; None where not measurable.

        Args:
            contents: uint8 RGB [N, H, W, 3].
            results: The same.
        """
        figures = {
            measure.__name__: _mean(map(measure, contents, results))
            for measure in (tone_correlation, color_explained)
        }
        figures["palette_distance"] = palette_distance(palette(results), self._palette)
        rough = flat_texture(contents, results, self._frames)
        return figures | {"flat_texture": None if math.isnan(rough) else rough}


# A painter gives dark, middle and light, and red and blue, paints of their own. A tint
# does not.
GRAYS = [(level,) * 3 for level in np.linspace(16, 240, 8).round().astype(int)]
COLORS = [  # hues all around, saturation and value 3/4
    tuple(cv2.cvtColor(np.uint8([[[hue, 191, 191]]]), cv2.COLOR_HSV2RGB)[0, 0])
    for hue in np.linspace(0, 180, 8, endpoint=False)
]


def chart(colors: Sequence[tuple[int, int, int]], size: int) -> np.ndarray:
    """A frame uint8 [size, size, 3] of flat patches: two rows.

    All in one frame: a network that normalizes each frame sees no color in a frame of
    one color.

    Args:
        colors: An even number of (R, G, B).
        size: Side in pixels.
    """
    rows = np.uint8(colors).reshape(2, -1, 3)
    return cv2.resize(rows, (size, size), interpolation=cv2.INTER_NEAREST)


def patches(frame: np.ndarray, count: int) -> np.ndarray:
    """The middles of a chart's patches, uint8 [count, h, w, 3]; see `chart`."""
    height, width = frame.shape[0] // 2, frame.shape[1] // (count // 2)
    return np.stack(
        [
            frame[
                row * height + height // 4 : row * height + height - height // 4,
                column * width + width // 4 : column * width + width - width // 4,
            ]
            for row in range(2)
            for column in range(count // 2)
        ]
    )


def patch_deviation(frames: np.ndarray) -> dict[str, float]:
    """How far patches are apart: root mean square distance from their mean.

    Args:
        frames: uint8 RGB [N, H, W, 3], a patch each; its mean color is measured.

    Returns:
        {"chroma": of (a, b) in Delta E, "luma": of luma, 0 to 255}.
    """
    chroma = lab(frames)[..., 1:].mean((1, 2))
    away = np.square(chroma - chroma.mean(0)).sum(1)
    luma = (frames @ np.float32(LUMA)).mean((1, 2))
    return {"chroma": float(np.sqrt(away.mean())), "luma": float(luma.std())}


def _coarse(picture):
    """Means over cells of about `CELL` x `CELL` pixels."""
    height, width = (max(1, side // CELL) for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def _ranks(values):
    """Ranks; equal values (up to rounding) share the mean of theirs."""
    _, place, counts = np.unique(
        np.round(values.ravel(), 2), return_inverse=True, return_counts=True
    )
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _blurred(picture, sigma):
    return cv2.GaussianBlur(picture, (0, 0), sigma * min(picture.shape))


def _mean(values):
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else None
