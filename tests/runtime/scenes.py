"""Frames and a model for the tests of this folder."""

import cv2
import numpy as np


def scene(seed, height=120, width=200):
    """Smooth random colors with edges: what no other seed resembles."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (6, 10, 3), np.uint8) // 2 + np.uint8(
        rng.integers(0, 128, 3)
    )
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
