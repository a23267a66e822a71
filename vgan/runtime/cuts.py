"""Scene cuts in a stream, seen from the frames so far."""

import cv2
import numpy as np


class CutDetector:
    """Tells whether a frame begins a new scene.

    Two thumbnails in a row are compared in structure (best correlation over small
    shifts, blind to brightness and contrast) and in colour (overlap of histograms). A
    cut changes both; fast motion keeps the colours, a flash keeps the structure. A
    frame without structure (white flash, black) is passed over: the frame after it is
    compared with the one before. Slow fades and dissolves are no cuts.
    """

    def __init__(self):
        self._last = None

    def reset(self):
        """Forget the frames so far: the next one is no cut."""
        self._last = None

    def __call__(self, frame):
        """Look at the next frame, uint8 RGB [H, W, 3]; return whether it is a cut."""
        thumbnail = cv2.resize(frame, (32, 24), interpolation=cv2.INTER_AREA)
        gray = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY)
        if gray.std() < 8:
            return False
        colors = _histogram(thumbnail)
        last, self._last = self._last, (gray, colors)
        if last is None:
            return False
        # Thresholds lie between the cuts and the fastest motion of real clips.
        overlap = np.minimum(colors, last[1]).sum()
        inner = gray[5:-5, 6:-6]
        structure = cv2.matchTemplate(last[0], inner, cv2.TM_CCOEFF_NORMED).max()
        return bool(structure < 0.7 and overlap < 0.85 and structure + overlap < 1.36)


def _histogram(thumbnail):
    """Shares of 4 x 4 x 4 RGB bins [64], summing to 1."""
    bins = (thumbnail // 64).astype(np.int64) @ np.array([16, 4, 1])
    return np.bincount(bins.ravel(), minlength=64) / bins.size
