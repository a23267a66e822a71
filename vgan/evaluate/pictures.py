"""Pictures that let the eye check the figures."""

import base64
import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

COUNT = 5  # frames across
HEIGHT = 144  # of one of them


def small(frames: Sequence[np.ndarray]) -> np.ndarray:
    """A few evenly spaced frames of uint8 [N, H, W, 3], scaled to `HEIGHT`."""
    shown = np.linspace(0, len(frames) - 1, min(COUNT, len(frames)))
    return np.stack([_scaled(frames[round(i)], HEIGHT) for i in shown])


def strip(style: np.ndarray, contents: np.ndarray, results: np.ndarray) -> np.ndarray:
    """Content above result at a few moments, with the style picture on the left.

    Args:
        style: uint8 [h, w, 3].
        contents: uint8 [N, h, w, 3], from `small`.
        results: Likewise.

    Returns:
        uint8 [2 HEIGHT, W', 3].
    """
    rows = [np.concatenate(list(frames), axis=1) for frames in (contents, results)]
    style = _scaled(style, 2 * HEIGHT)
    return np.concatenate([style, np.concatenate(rows)], axis=1)


def time_slices(slices: Sequence[np.ndarray], width: int = 480) -> np.ndarray:
    """x-t images side by side: time runs down, a flicker is a horizontal stripe.

    Args:
        slices: List of uint8 [T, W, 3]: one row of pixels of every frame.
        width: Of one image in pixels.

    Returns:
        uint8 [H, W', 3].
    """
    tall = max(2 * len(each) for each in slices)
    columns = []
    for each in slices:
        size = (width, 2 * len(each))
        image = cv2.resize(each, size, interpolation=cv2.INTER_NEAREST)
        margin = ((0, tall - len(image)), (0, 8), (0, 0))
        columns.append(np.pad(image, margin, constant_values=255))
    return np.concatenate(columns, axis=1)


def data_url(picture: np.ndarray, quality: int = 88) -> str:
    """uint8 [H, W, 3] -> a JPEG inside of a URL, for a page that stands alone."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _scaled(frame, height):
    width = max(1, round(frame.shape[1] * height / frame.shape[0]))
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
