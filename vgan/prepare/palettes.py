"""Palettes: the few colors that a picture or a clip consists of."""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

SIDE = 96  # of what colors are counted of; more pixels give the same colors
FRAMES = 16  # of a clip, at most


def palette(frames: np.ndarray | Sequence[np.ndarray], count: int = 6) -> list[list]:
    """Return the dominant colors and their shares, the largest first.

    K-means in CIELAB, where equal distances look about equal (Lloyd, "Least Squares
    Quantization in PCM", 1982), begun by median cut (Heckbert, "Color Image
    Quantization for Frame Buffer Display", 1982): the same frames, the same palette.

    Args:
        frames: A picture, uint8 RGB [H, W, 3], or a sequence of them.
        count: Colors at most, from 1 on; a picture of fewer has fewer.

    Returns:
        [["#rrggbb", share], ...]; shares in (0, 1] sum to 1, to three decimals.
    """
    frames = [frames] if getattr(frames, "ndim", 0) == 3 else frames
    shown = np.unique(np.linspace(0, len(frames) - 1, FRAMES).round().astype(int))
    small = [
        cv2.resize(frames[i], (SIDE, SIDE), interpolation=cv2.INTER_AREA) for i in shown
    ]
    pixels = np.concatenate(small)
    cut = Image.fromarray(pixels).quantize(count, Image.Quantize.MEDIANCUT)
    _, first = np.unique(np.asarray(cut).ravel(), return_inverse=True)
    lab = _lab(pixels.astype(np.float32) / 255).reshape(-1, 3)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.5)
    _, labels, centers = cv2.kmeans(
        lab,
        int(first.max()) + 1,
        first.astype(np.int32)[:, None],
        stop,
        1,
        cv2.KMEANS_USE_INITIAL_LABELS,
    )
    shares = np.bincount(labels.ravel(), minlength=len(centers)) / len(labels)
    colors = cv2.cvtColor(centers[None], cv2.COLOR_Lab2RGB)[0]
    colors = np.rint(colors.clip(0, 1) * 255).astype(int)
    found = {}
    for color, share in zip(colors, shares, strict=True):
        name = "#{:02x}{:02x}{:02x}".format(*color)
        found[name] = found.get(name, 0) + float(share)
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [[name, round(share, 3)] for name, share in ordered if share >= 0.0005]


def distance(one: list[list], other: list[list]) -> float:
    """How far one palette's colors have to move to become the other's.

    The earth mover's distance (Rubner, Tomasi, Guibas, "The Earth Mover's Distance as
    a Metric for Image Retrieval", 2000).

    Args:
        one: From `palette`.
        other: Likewise.

    Returns:
        Mean CIELAB distance: 2 is just seen, black and white are 100 apart.
    """
    return float(cv2.EMD(_weighted(one), _weighted(other), cv2.DIST_L2)[0])


def _weighted(colors):
    """float32 [count, 4]: share, L, a, b."""
    rgb = np.array([list(bytes.fromhex(name[1:])) for name, _ in colors], np.float32)
    shares = np.array([[share] for _, share in colors], np.float32)
    return np.concatenate([shares / shares.sum(), _lab(rgb[None] / 255)[0]], axis=1)


def _lab(rgb):
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab)
