"""Frame in, frame out; the only holder of the recurrent state."""

import cv2
import numpy as np

from vgan import InputError
from vgan.video.cuts import CutDetector


class Stylizer:
    """Stylises the frames of one video in order.

    The state starts afresh at a scene cut, when the frame size changes, and on
    `reset()`; the first frame after it is what a new Stylizer would give.

    Args:
        engine: From `vgan.runtime.engines.load`.
        style_code: [1, D], from `vgan.runtime.styles`. May be replaced at any time.
        strength: Share of the stylised picture in the result, 0 to 1: the result is
            `frame + strength * (stylised - frame)`. 0 gives the frame back untouched,
            1 is the network's picture alone. May be changed at any time.

    Example:
        stylizer = Stylizer(engine, code)
        for frame in frames:                            # uint8 RGB [H, W, 3]
            show(stylizer(frame))
    """

    def __init__(self, engine, style_code, strength=1.0):
        if np.shape(style_code) != (1, engine.code_size):
            raise InputError(
                f"style code: the model takes [1, {engine.code_size}], "
                f"got {list(np.shape(style_code))}"
            )
        if not 0 <= strength <= 1:
            raise InputError(f"strength: expected 0 to 1, got {strength}")
        self.engine = engine
        self.style_code = np.asarray(style_code, np.float32)
        self.strength = strength
        self._is_cut = CutDetector()
        self._state = None
        self._size = None

    def reset(self):
        """Forget the frames so far."""
        self._state = None
        self._is_cut.reset()

    def __call__(self, frame):
        """Stylise the next frame: uint8 RGB [H, W, 3] -> the same shape and type."""
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ValueError(
                f"expected uint8 [H, W, 3], got {frame.dtype} {list(frame.shape)}"
            )
        if self.strength == 0:
            self.reset()  # what is skipped must not be remembered as the last frame
            return frame.copy()
        height, width = frame.shape[:2]
        if (height, width) != self._size:
            self._size = height, width
            self.reset()
        if self._is_cut(frame):
            self._state = None
        padded = self._pad(frame)
        if self._state is None:
            self._state = self.engine.initial_state(*padded.shape[:2])
        content = padded[None, None] * np.float32(1 / 127.5) - np.float32(1)
        frames, self._state = self.engine.step(content, self.style_code, self._state)
        # OpenCV scales, rounds and clips in one pass: 30 times faster than NumPy here.
        stylised = cv2.convertScaleAbs(
            frames[0, 0, :height, :width], alpha=127.5, beta=127.5
        )
        if self.strength == 1:
            return stylised
        return cv2.addWeighted(stylised, self.strength, frame, 1 - self.strength, 0)

    def _pad(self, frame):
        """Reflect at the bottom and right up to what the network takes.

        At the network's lowest level there must be two pixels, or its own reflection
        padding has nothing to reflect.
        """
        stride = self.engine.stride
        sizes = (max(-(-size // stride), 2) * stride for size in frame.shape[:2])
        pads = [(0, to - size) for to, size in zip(sizes, frame.shape[:2], strict=True)]
        if not any(after for _, after in pads):
            return frame
        return np.pad(frame, [*pads, (0, 0)], mode="reflect")
