"""How the content moves, and where it stands still.

Frames are uint8 RGB [H, W, 3]; the convention of a flow is that of `vgan.video.flow`.
"""

import collections
import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from vgan.video.flow import estimate_flow, flow_holds, gray

STILL_FLOW = 0.1  # pixels
STILL_CHANGE = 2  # gray levels of 255


def still_pixels(frame: np.ndarray, before: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Find where the content neither moves nor changes.

    Where the flow is under 0.1 pixels, and the mean of 5x5 gray pixels, in which a
    camera's noise averages out, changes by at most 2 of 255.

    Args:
        frame: uint8 [H, W, 3].
        before: uint8 [H, W, 3].
        flow: float32 [H, W, 2], backward.

    Returns:
        bool [H, W].
    """
    change = cv2.absdiff(*(cv2.blur(gray(each), (5, 5)) for each in (frame, before)))
    return (change <= STILL_CHANGE) & (np.linalg.norm(flow, axis=-1) < STILL_FLOW)


class Motion(NamedTuple):
    """How a frame of the content came from those before it.

    Attributes:
        flows: {lag: (flow float32 [H, W, 2], where it holds, bool [H, W])}, for every
            lag that there is a frame for.
        still: bool [H, W] of `still_pixels`; None of a first frame.
        change: Mean absolute change since the frame before, in [0, 1]; NaN of a first.
    """

    flows: dict
    still: np.ndarray | None
    change: float


class ContentMotion:
    """Follows the content frame by frame, once for all results that are made of it.

    Args:
        lags: Distances in frames.

    Raises:
        ValueError: A lag is not a whole number of at least 1.
    """

    def __init__(self, lags: Sequence[int] = (1, 5, 10)) -> None:
        if not lags or any(lag != int(lag) or lag < 1 for lag in lags):
            raise ValueError(f"lags must be whole numbers of at least 1, got {lags}")
        self.lags = tuple(int(lag) for lag in lags)
        self._last = collections.deque(maxlen=max(self.lags))  # newest first

    def reset(self) -> None:
        """Forget the last frames: at a scene cut, which no pair may span."""
        self._last.clear()

    def update(self, content: np.ndarray) -> Motion:
        """Add the next frame, uint8 [H, W, 3]; return its Motion.

        Raises:
            InputError: It is too small to see how it moves.
        """
        flows, still, change = {}, None, math.nan
        for lag in sorted({1, *self.lags}):
            if lag <= len(self._last):
                before = self._last[lag - 1]
                flow = estimate_flow(content, before)
                flows[lag] = flow, flow_holds(flow, estimate_flow(before, content))
        if flows:
            still = still_pixels(content, self._last[0], flows[1][0])
            change = frame_difference(content, self._last[0])
        self._last.appendleft(content.copy())
        return Motion(flows, still, change)


def frame_difference(frame: np.ndarray, before: np.ndarray) -> float:
    """Mean |frame - before| over pixels and channels, in [0, 1]; frames uint8."""
    return cv2.norm(frame, before, cv2.NORM_L1) / (255 * frame.size)
