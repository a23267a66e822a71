"""Flat colors of a picture to the numbers of the regions that they stand for."""

import cv2
import numpy as np

from vgan import InputError

MOST = 16  # regions
_NOISE = 8  # by which a codec misses a flat color, per channel; gray 17 apart are 16
_SMALLEST = 1 / 1000  # of the flat parts of a noisy picture, a region
_WINDOW = (5, 5)  # pixels that vote for the region of the one in the middle


class Labels:
    """Regions 0 to n - 1 of pictures that have the colors of a first one.

    They are numbered by gray value, from the darkest.

    Args:
        frame: The first picture, uint8 RGB [h, w, 3].
        exact: Whether colors are exact, so that each is a region. With more than 16
            it is tried whether they are noise around fewer.

    Raises:
        InputError: There are more than 16 regions, or only one.
    """

    def __init__(self, frame: np.ndarray, exact: bool) -> None:
        colors, _ = _colors(frame)
        self._is_noisy = not exact or len(colors) > MOST
        if self._is_noisy:
            colors = _flat_colors(frame)
        if len(colors) < 2:
            raise InputError(
                "has one region only; give each another gray or color, at least 17 "
                "apart in a video or JPEG"
            )
        grays = _gray(colors.astype(np.uint8)[None])[0]
        order = np.lexsort((*colors.T, grays))
        self._colors, self._grays = colors[order], grays[order].astype(int)
        span = np.ptp(colors, axis=1).max()
        self._is_gray = span <= (_NOISE if self._is_noisy else 0)
        distances = np.abs(np.arange(256)[:, None] - self._grays)
        self._of_gray = distances.argmin(axis=1).astype(np.uint8)

    def __len__(self) -> int:
        return len(self._colors)

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return uint8 [h, w], the region of each pixel of a frame [h, w, 3]."""
        if self._is_gray:
            labels = cv2.LUT(_gray(frame), self._of_gray)
        else:
            # The smallest |pixel - color|^2; all are integers that float32 holds.
            colors = self._colors.astype(np.float32)
            nearness = colors @ frame.reshape(-1, 3).T.astype(np.float32)
            nearness -= np.square(colors).sum(axis=1, keepdims=True) / 2
            labels = _largest(nearness.reshape(-1, *frame.shape[:2]))
        if not self._is_noisy:
            return labels
        # Between two regions a codec leaves a line of mixed colors, which may be those
        # of a third: the majority around decides.
        return _largest(
            cv2.boxFilter(cv2.compare(labels, label, cv2.CMP_EQ), -1, _WINDOW)
            for label in range(len(self))
        )


def _largest(layers):
    """Index uint8 [h, w] of the layer that is largest at each pixel."""
    layers = iter(layers)
    most = next(layers)
    index = np.zeros(most.shape, np.uint8)
    for number, layer in enumerate(layers, 1):
        index[layer > most] = number
        most = cv2.max(most, layer)
    return index


def _colors(frame):
    """Distinct colors [n, 3] of pixels [..., 3] and how often they occur [n]."""
    codes = frame.reshape(-1, 3).astype(np.int32) @ np.int32([1 << 16, 1 << 8, 1])
    codes, counts = np.unique(codes, return_counts=True)
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1), counts


def _flat_colors(frame):
    """Colors [n, 3] of the areas of a frame that are flat but for a codec's noise."""
    square = np.ones((3, 3), np.uint8)
    change = cv2.morphologyEx(frame, cv2.MORPH_GRADIENT, square).max(axis=-1)
    colors, counts = _colors(frame[change <= _NOISE])
    total, covered, found = counts.sum(), 0, []
    least = max(1, _SMALLEST * total)
    while counts.sum() >= least and len(found) <= MOST:
        cells = colors // _NOISE @ np.array([1024, 32, 1])
        cell = np.bincount(cells, counts).argmax()
        middle = np.array([cell >> 10, cell >> 5 & 31, cell & 31]) * _NOISE + _NOISE / 2
        near = np.abs(colors - middle).max(axis=-1) <= _NOISE
        color = np.rint(np.average(colors[near], axis=0, weights=counts[near]))
        distance = np.abs(colors - color).max(axis=-1)
        covered += counts[distance <= _NOISE // 2 + 1].sum()
        if counts[near].sum() >= least:
            found.append(color)
        rest = (distance > 3 * _NOISE // 2) & ~near  # its noise is no region
        colors, counts = colors[rest], counts[rest]
    if len(found) > MOST or covered < 0.8 * total or total < 0.3 * change.size:
        raise InputError(
            f"is no label mask: it has more than {MOST} colors, or they are not flat; "
            "give each region one color, without soft edges"
        )
    return np.array(found).astype(int)


def _gray(frame):
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
