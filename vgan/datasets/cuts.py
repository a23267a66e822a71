"""Scene cuts between neighbouring frames of a video."""

import cv2
import numpy as np

SIDE = 32  # thumbnails this small forget noise, compression and small motions
REACH = 8  # a camera pan may move a thumbnail by this many pixels


def thumbnail(frame):
    """Return uint8 [32, 32, 3], what `is_cut` compares, of a uint8 [H, W, 3] frame."""
    return cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def is_cut(before, after):
    """Whether a scene ends between two frames.

    Two frames belong together if their colours are alike (fast motion moves colours
    and keeps them), or if one shows the middle of the other, perhaps shifted (a pan)
    or at another brightness (a flash, a fade): the normalised cross-correlation of
    Lewis, "Fast Normalized Cross-Correlation" (1995).

    Args:
        before: uint8 [32, 32, 3], a thumbnail.
        after: The next frame's.

    Returns:
        bool. Where in doubt it says yes: another span of the video can be taken.
    """
    difference = np.abs(before.astype(np.float32) - after).mean()
    if difference < 6:
        return False
    alike = _histogram_overlap(before, after)
    match = max(_best_match(before, after), _best_match(after, before))
    return alike < 0.9 and match < 0.5 + 0.25 * (1 - alike)


def _histogram_overlap(before, after):
    """Shared part, in [0, 1], of the two frames' coarse colour histograms."""
    histograms = []
    for frame in (before, after):
        bins = cv2.GaussianBlur(frame, (3, 3), 0).reshape(-1, 3) // 32
        index = bins @ np.array([64, 8, 1])
        histograms.append(np.bincount(index, minlength=512) / len(index))
    return np.minimum(*histograms).sum()


def _best_match(before, after):
    inner = np.ascontiguousarray(before[REACH:-REACH, REACH:-REACH])
    return cv2.matchTemplate(after, inner, cv2.TM_CCOEFF_NORMED).max()
