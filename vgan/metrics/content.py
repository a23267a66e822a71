"""Is what the content showed still there: in features, in luma, and in edges.

Pixel figures take uint8 RGB frames [H, W, 3]. None of them asks for equal colors: a
style may change those.
"""

import math

import cv2
import numpy as np

from vgan import LUMA
from vgan.metrics.relative import relative_distance

BORDER = 8  # pixels


def feature_distance(a: np.ndarray, b: np.ndarray) -> float:
    """||a - b|| / (||a|| + ||b||) of features; in [0, 1], lower keeps more.

    The feature reconstruction error of Johnson et al., 2016, made relative so that
    layers and networks compare. 0 is the content itself. Made for relu3_1 and relu4_1
    of VGG-19; two unrelated photographs gave 0.6 and 0.4.

    Args:
        a: Features of one layer, [N, h, w, C].
        b: Features of the same layer and frames, of the same shape.

    Raises:
        ValueError: The shapes differ.
    """
    return relative_distance(a, b)


def frame_change(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> float:
    """How much a frame's features differ from those of the one before, in [0, 1].

    Mean over layers of `feature_distance`.

    Args:
        before: {layer: [1, h, w, C]} of frame t - 1.
        after: The same of frame t.

    Raises:
        ValueError: The layers or their shapes differ.
    """
    if before.keys() != after.keys():
        raise ValueError(f"layers differ: {', '.join(before)} and {', '.join(after)}")
    return float(np.mean([feature_distance(before[n], after[n]) for n in before]))


def temporal_feature_difference(change: float, target: float) -> float:
    """|d(y_(t-1), y_t) - d(x_(t-1), x_t)|; in [0, 1], lower is steadier.

    tLP of TecoGAN (Chu et al., 2020), with the input x as the target of the result y
    and `frame_change` for d in place of LPIPS: the result should change as much from
    frame to frame as the content does, no more and no less.

    Args:
        change: `frame_change` of the result.
        target: `frame_change` of the content.
    """
    return abs(change - target)


def ssim(content: np.ndarray, result: np.ndarray) -> float:
    """Structural similarity of luma; in [-1, 1], higher keeps more, 1 is identity.

    Mean of (2 m_c m_r + C1)(2 s_cr + C2) / ((m_c^2 + m_r^2 + C1)(s_a^2 + s_b^2 + C2))
    over all windows inside the picture (Wang et al., 2004), with their 11x11 Gaussian
    of sigma 1.5, K1 = 0.01 and K2 = 0.03. NaN where a picture is smaller than that.

    Args:
        content: uint8 RGB [H, W, 3].
        result: The same.

    Raises:
        ValueError: The shapes differ.
    """
    x, y = _lumas(content, result)
    if min(x.shape) < 11:
        return math.nan

    def local_mean(picture):
        return cv2.GaussianBlur(picture, (11, 11), 1.5)[5:-5, 5:-5]

    x_mean, y_mean = local_mean(x), local_mean(y)
    x_variance = local_mean(x * x) - x_mean**2
    y_variance = local_mean(y * y) - y_mean**2
    covariance = local_mean(x * y) - x_mean * y_mean
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    luminance = (2 * x_mean * y_mean + c1) / (x_mean**2 + y_mean**2 + c1)
    structure = (2 * covariance + c2) / (x_variance + y_variance + c2)
    return float(np.mean(luminance * structure))


def edge_correlation(content: np.ndarray, result: np.ndarray) -> float:
    """Are the edges where they were; in [-1, 1], higher keeps more, 1 is identity.

    Pearson's correlation of Sobel magnitudes of luma after a Gaussian of sigma 1.
    Brightness and contrast do not matter, nor does a negative; unrelated noise gives
    about 0. NaN where a picture has no edges at all.

    Args:
        content: uint8 RGB [H, W, 3].
        result: The same.

    Raises:
        ValueError: The shapes differ.
    """
    x, y = (_edges(luma) for luma in _lumas(content, result))
    if min(x.std(), y.std()) < 1e-6:  # flat, up to rounding
        return math.nan
    return float(np.mean((x - x.mean()) * (y - y.mean())) / (x.std() * y.std()))


def border_ratio(content: np.ndarray, result: np.ndarray) -> float:
    """Mean |content - result| of the outer 8 pixels over that inside; 1 is none.

    A network that sees where a frame ends paints there otherwise. Single scenes differ
    at their borders anyway: read means over many.

    Args:
        content: uint8 RGB [H, W, 3].
        result: The same.

    Returns:
        float, at least 0; NaN where the inside is the same or there is none.
    """
    error = cv2.absdiff(content, result).astype(np.float64)
    inside = error[BORDER:-BORDER, BORDER:-BORDER]
    if not inside.any():
        return math.nan
    outer = (error.sum() - inside.sum()) / (error.size - inside.size)
    return float(outer / inside.mean())


class ContentMeter:
    """What pixels say of content and result, frame by frame.

    Keeps a few numbers a frame.
    """

    _measures = (ssim, edge_correlation, border_ratio)

    def __init__(self) -> None:
        self._series = {measure.__name__: [] for measure in self._measures}

    def update(self, content: np.ndarray, result: np.ndarray) -> None:
        """Take the next frame of both, uint8 RGB [H, W, 3]."""
        for measure in self._measures:
            self._series[measure.__name__].append(measure(content, result))

    def series(self) -> dict[str, list[float | None]]:
        """The course of each measure: {name: [float, or None if not measurable]}."""
        return {
            name: [None if math.isnan(value) else value for value in values]
            for name, values in self._series.items()
        }

    def figures(self) -> dict[str, float | None]:
        """Means over the frames where it is known: {name: float, or None if nowhere}.

        None: the frames are too small, without any edges, or all the same.
        """
        figures = {}
        for name, values in self._series.items():
            known = [value for value in values if not math.isnan(value)]
            figures[name] = math.fsum(known) / len(known) if known else None
        return figures


def _lumas(a, b):
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {list(a.shape)} and {list(b.shape)}")
    return (frame @ np.array(LUMA) for frame in (a, b))


def _edges(luma):
    smooth = cv2.GaussianBlur(luma, (0, 0), 1)
    return cv2.magnitude(
        cv2.Sobel(smooth, cv2.CV_64F, 1, 0), cv2.Sobel(smooth, cv2.CV_64F, 0, 1)
    )
