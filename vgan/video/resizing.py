"""Scaling of pictures."""

import cv2
import numpy as np


def resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Scale a picture: areas are averaged where it shrinks, else cubic.

    Args:
        picture: Array [h, w] or [h, w, C], uint8 or float32. If it has the size already
            it comes back as it is, not a copy.
        height: In pixels; whether it shrinks is read from this side.
        width: In pixels.

    Returns:
        Array [height, width] or [height, width, C] of the same type.
    """
    if picture.shape[:2] == (height, width):
        return picture
    way = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_CUBIC
    return cv2.resize(picture, (width, height), interpolation=way)
