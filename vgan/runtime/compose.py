"""Stylized and original frames put together: color, masks, regions, comparison.

All frames are uint8 RGB [H, W, 3], or all are uint16, 65535 being white. Everything is
exact where nothing is mixed, and takes a small part of the time that the network does.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from vgan.video.masks import soften
from vgan.video.resizing import resize

PICTURES = 6  # of styles beside a comparison


def in_8_bits(frame: np.ndarray) -> np.ndarray:
    """Return a frame uint8 or uint16 as uint8; one that is comes back as it is."""
    if frame.dtype == np.uint8:
        return frame
    return cv2.convertScaleAbs(frame, alpha=1 / 257)


def keep_color(stylized: np.ndarray, original: np.ndarray) -> np.ndarray:
    """Return the brightness of the stylized frame in the colors of the original.

    Luminance-only transfer (Gatys et al., "Preserving Color in Neural Artistic Style
    Transfer", 2016): luma (ITU-R BT.601) of one, color differences of the other. Where
    RGB has no such color, as no red is as bright as white, the color is made paler
    with its hue, so that luma is always that of the stylized frame: clipping would take
    the strokes from saturated areas.

    Args:
        stylized: uint8 [H, W, 3].
        original: uint8 [H, W, 3].
    """
    luma = cv2.cvtColor(stylized, cv2.COLOR_RGB2GRAY)
    own = cv2.cvtColor(original, cv2.COLOR_RGB2GRAY)
    planes = cv2.split(original)
    red, green, blue = planes
    above = cv2.subtract(cv2.max(cv2.max(red, green), blue), own)
    below = cv2.subtract(own, cv2.min(cv2.min(red, green), blue))
    # result = luma + share * (original - own), from 0 to 255 for the largest such share
    share = cv2.min(
        cv2.divide(cv2.bitwise_not(luma), cv2.max(above, 1), dtype=cv2.CV_32F),
        cv2.divide(luma, cv2.max(below, 1), dtype=cv2.CV_32F),
    )
    share = cv2.min(share, 1.0)
    offset = cv2.subtract(
        luma, cv2.multiply(own, share, dtype=cv2.CV_32F), dtype=cv2.CV_32F
    )
    colored = [cv2.add(cv2.multiply(plane, share, dtype=5), offset) for plane in planes]
    if stylized.dtype == np.uint16:
        return _in_16_bits(cv2.merge(colored))
    return cv2.merge([cv2.convertScaleAbs(plane) for plane in colored])


def _in_16_bits(frame):
    """Of float32, 0 to 65535."""
    return cv2.addWeighted(frame, 1, frame, 0, 0, dtype=cv2.CV_16U)


def _mix(one, other, share, rest):
    """As cv2.blendLinear, which takes no uint16."""
    if one.dtype == np.uint8:
        return cv2.blendLinear(one, other, share, rest)
    share, rest = share[..., None], rest[..., None]
    return _in_16_bits((one * share + other * rest) / (share + rest))


def blend(original: np.ndarray, stylized: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the stylized frame where the mask is 1 and the original where it is 0.

    Args:
        original: uint8 [H, W, 3].
        stylized: uint8 [H, W, 3].
        mask: float32 [H, W, 1] in [0, 1], from `video.masks.MaskReader`.
    """
    mask = mask[..., 0]
    return _mix(stylized, original, mask, 1 - mask)


def by_label(
    frames: Sequence[np.ndarray], labels: np.ndarray, soft: float = 0
) -> np.ndarray:
    """Return frame k where the label is k.

    Args:
        frames: List of uint8 [H, W, 3]; of regions to be left alone, the original.
        labels: uint8 [H, W], from `video.masks.LabelMask`.
        soft: Standard deviation in pixels of a Gaussian that softens borders.

    Raises:
        ValueError: A label has no frame.
    """
    if labels.max() >= len(frames):
        raise ValueError(f"label {labels.max()} has no frame, there are {len(frames)}")
    result = frames[0].copy()
    if not soft:
        for label, frame in enumerate(frames[1:], 1):
            cv2.copyTo(frame, cv2.compare(labels, label, cv2.CMP_EQ), result)
        return result
    total = _share(labels, 0, soft)
    for label, frame in enumerate(frames[1:], 1):
        share = _share(labels, label, soft)
        # Divides by the sum of both: after the last one, every share is of the whole.
        result = _mix(frame, result, share, total)
        total += share
    return result


def _share(labels, label, soft):
    inside = soften(cv2.compare(labels, label, cv2.CMP_EQ), soft)
    return cv2.multiply(inside, 1.0, dtype=cv2.CV_32F)


class Comparison:
    """Input, style and output side by side, of one height.

    All pictures of the style, or the first six, stand above each other in one column,
    as wide as the widest and at most as a frame. It is drawn once.

    Args:
        pictures: uint8 RGB [h, w, 3] each, from `styles.pictures`; none: no column.

    Example:
        compare = Comparison(styles.pictures(schedule.styles))
        writer.write(compare(frame, stylizer(frame)), timestamp)
    """

    def __init__(self, pictures: Sequence[np.ndarray]) -> None:
        self._pictures = list(pictures)[:PICTURES]
        self._column = None  # for frames of one size

    def __call__(self, original: np.ndarray, stylized: np.ndarray) -> np.ndarray:
        """Return uint8 [H', W', 3]: both sides even, as H.264 in 4:2:0 wants them."""
        height, width = original.shape[:2]
        if self._column is None or self._column.shape[0] != height:
            self._column = self._draw(height, width)
            if original.dtype == np.uint16:
                self._column = self._column * np.uint16(257)
        row = np.concatenate([original, self._column, stylized], axis=1)
        odd = row.shape[0] % 2, row.shape[1] % 2
        if any(odd):
            row = cv2.copyMakeBorder(row, 0, odd[0], 0, odd[1], cv2.BORDER_REPLICATE)
        return row

    def _draw(self, height, width):
        """The column uint8 [height, at most width, 3], black where no picture is."""
        edges = np.linspace(0, height, len(self._pictures) + 1).round().astype(int)
        cells = list(zip(self._pictures, edges, edges[1:], strict=False))
        sizes = [
            _inside(picture.shape, bottom - top, width)
            for picture, top, bottom in cells
        ]
        widest = max((size[1] for size in sizes), default=0)
        column = np.zeros((height, widest, 3), np.uint8)
        for (picture, top, bottom), (h, w) in zip(cells, sizes, strict=True):
            y, x = top + (bottom - top - h) // 2, (widest - w) // 2
            column[y : y + h, x : x + w] = resize(picture, h, w)
        return column


def _inside(shape, height, width):
    """Largest (height, width) of a picture's shape inside of a cell."""
    scale = min(height / shape[0], width / shape[1])
    return tuple(max(1, round(side * scale)) for side in shape[:2])
