"""Frame in, frame out; the only holder of the recurrent state."""

import cv2
import numpy as np

from vgan import InputError
from vgan.runtime.engines import padded
from vgan.runtime.tiling import TiledEngine
from vgan.video.cuts import CutDetector


class Stylizer:
    """Stylises the frames of one video in order.

    The state starts afresh at a scene cut, when the frame size changes, and on
    `reset()`; the first frame after it is what a new Stylizer would give. Frames too
    large for the network at once go through it in tiles.

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
        self.engine = TiledEngine(engine)
        self.style_code = np.asarray(style_code, np.float32)
        self.strength = strength
        self._is_cut = CutDetector()
        self._state = None
        self._size = None

    def reset(self):
        """Forget the frames so far."""
        self._state = None
        self._is_cut.reset()

    def snapshot(self):
        """Return what is remembered, {name: array}, for `restore`."""
        kept = {f"cut_{name}": v for name, v in self._is_cut.snapshot().items()}
        if self._state is None:
            return kept
        tiles = self._state if isinstance(self._state, list) else [self._state]
        for index, tile in enumerate(tiles):
            for name, value in tile.items():
                kept[f"tile{index}_{name}"] = np.array(value)
        return {**kept, "size": np.array(self._size), "tiles": np.array(len(tiles))}

    def restore(self, kept):
        """Go on from where `snapshot` was taken, as if there had been no stop."""
        cut = {n[4:]: value for n, value in kept.items() if n.startswith("cut_")}
        self._is_cut.restore(cut)
        self._size = self._state = None
        if "tiles" not in kept:
            return
        self._size = tuple(int(side) for side in kept["size"])
        tiles = []
        for index in range(int(kept["tiles"])):
            prefix = f"tile{index}_"
            mine = {n: value for n, value in kept.items() if n.startswith(prefix)}
            tiles.append({n.removeprefix(prefix): v for n, v in mine.items()})
        whole = self.engine.fits(*padded(*self._size, self.engine.stride))
        self._state = tiles[0] if whole else tiles

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
        whole = self._pad(frame)
        if self._state is None:
            self._state = self.engine.initial_state(*whole.shape[:2])
        stylised, self._state = self.engine.step_pixels(
            whole, self.style_code, self._state
        )
        stylised = stylised[:height, :width]
        if self.strength == 1:
            return stylised
        return cv2.addWeighted(stylised, self.strength, frame, 1 - self.strength, 0)

    def _pad(self, frame):
        """Reflect at the bottom and right up to what the network takes."""
        sizes = padded(*frame.shape[:2], self.engine.stride)
        pads = [(0, to - size) for to, size in zip(sizes, frame.shape[:2], strict=True)]
        if not any(after for _, after in pads):
            return frame
        return np.pad(frame, [*pads, (0, 0)], mode="reflect")
