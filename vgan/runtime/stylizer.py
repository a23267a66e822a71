"""Frame in, frame out; the only holder of the recurrent state."""

import pathlib

import cv2
import numpy as np

from vgan import InputError
from vgan.checks import check_type, number, shown
from vgan.runtime import compose, styles
from vgan.runtime.engines import Engine, padded
from vgan.runtime.looks import less_past
from vgan.runtime.noise import MovingNoise
from vgan.runtime.tiling import TiledEngine
from vgan.runtime.upsampling import (
    DETAIL,
    JointUpsampler,
    even_size,
    shrinks,
    shrunk,
    working_scale,
)
from vgan.video.cuts import CutDetector
from vgan.video.planes import EnlargedPicture, PlanarFrame

GIVE = "{name}={value}: give {words}"


class Stylizer:
    """Stylizes the frames of one video in order.

    The state starts afresh at a scene cut, when the frame size changes, and on
    `reset()`; the first frame after it is what a new Stylizer would give. Frames too
    large for the network at once go through it in tiles. Pixels are those that the
    command `python -m vgan.generate` gives.

    Args:
        model: From `vgan.load`.
        style: The path of a picture, clip or folder of pictures; a style that the model
            knows by name; "random"; a picture, uint8 RGB [h, w, 3]; a blend of these by
            weight, {"a.jpg": 0.7, "b.jpg": 0.3}; or a style code, float [1, D]. None,
            the default: the only style that the model knows by name.
        strength: Share of the stylized picture in the result, 0 to 1: the result is
            `frame + strength * (stylized - frame)`. 0 gives the frame back untouched,
            1, the default, is the network's picture alone. May be changed at any time.
        proxy: Scale at which the network works, above 0 and up to 1; sizes are rounded
            to even numbers, and the result gets back the fine detail of the frame. Less
            is faster, with larger strokes. None, the default: 1, and 288 / short side
            where that side is over 320 pixels.
        keep_color: Whether colors stay those of the frame.
        seed: Of a "random" style.
        detail: Share of the frame's fine luma that comes back where the network works
            at a smaller size, 0 to 1.
        temporal: How much of the past the model's filter takes, 0 to 1, the default:
            all that it does by itself. Less is fresher, and trembles more.

    Attributes:
        style_code: float32 [1, D]. May be replaced at any time.

    Raises:
        vgan.InputError: A style cannot be read, or an argument is out of its range.

    Example:
        stylizer = vgan.Stylizer(vgan.load("painterly"), style="painting.jpg")
        for frame in frames:                            # uint8 RGB [H, W, 3]
            show(stylizer(frame))
    """

    def __init__(
        self,
        model: Engine,
        style: str
        | pathlib.Path
        | np.ndarray
        | dict[str | pathlib.Path, float]
        | None = None,
        strength: float = 1.0,
        proxy: float | None = None,
        keep_color: bool = False,
        seed: int = 0,
        detail: float = DETAIL,
        temporal: float = 1.0,
    ) -> None:
        if isinstance(model, type) or not hasattr(model, "step"):
            raise InputError(f"model={model}: give what vgan.load returns for it")
        check_type(bool, keep_color, "keep_color")
        seed = number("seed", seed, whole=True, message=GIVE)
        self.strength = strength
        if proxy is not None:
            proxy = number("proxy", proxy, 0, 1, above=True, message=GIVE)
        detail = number("detail", detail, most=1, message=GIVE)
        self._temporal = number("temporal", temporal, most=1, message=GIVE)
        self.engine = TiledEngine(model)
        self.style_code = styles.code(style, model, seed)
        self._proxy, self._keep_color = proxy, keep_color
        self._upsample = JointUpsampler(detail)
        self._is_cut = CutDetector()
        self._noise = MovingNoise()
        self._state = None
        self._size = None

    @property
    def strength(self) -> float:
        """Share of the stylized picture in the result, 0 to 1."""
        return self._strength

    @strength.setter
    def strength(self, value: float) -> None:
        self._strength = number("strength", value, most=1, message=GIVE)

    @property
    def style_code(self) -> np.ndarray:
        """The style, float32 [1, D]."""
        return self._style_code

    @style_code.setter
    def style_code(self, code: np.ndarray) -> None:
        self._style_code = styles.check_code(code, self.engine)

    def reset(self) -> None:
        """Forget the frames so far."""
        self._state = None
        self._is_cut.reset()
        self._noise.reset()

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return what is remembered, {name: array}, for `restore`."""
        kept = {f"cut_{name}": v for name, v in self._is_cut.snapshot().items()}
        if self._state is None:
            return kept
        kept |= {f"noise_{name}": v for name, v in self._noise.snapshot().items()}
        tiles = self._state if isinstance(self._state, list) else [self._state]
        for index, tile in enumerate(tiles):
            for name, value in tile.items():
                kept[f"tile{index}_{name}"] = np.array(value)
        return {**kept, "size": np.array(self._size), "tiles": np.array(len(tiles))}

    def restore(self, kept: dict[str, np.ndarray]) -> None:
        """Go on from where `snapshot` was taken, as if there had been no stop.

        Raises:
            InputError: It is nothing that `snapshot` gave.
        """
        try:
            self._restore(kept)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self.reset()
            raise InputError(
                f"kept: takes what snapshot gave, got {shown(kept)}"
            ) from error

    def _restore(self, kept):
        cut = {n[4:]: value for n, value in kept.items() if n.startswith("cut_")}
        self._is_cut.restore(cut)
        noise = {n[6:]: value for n, value in kept.items() if n.startswith("noise_")}
        self._noise.restore(noise)
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

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Stylize the next frame: uint8 RGB [H, W, 3] -> the same shape and type.

        Of uint16, 65535 being white, the network sees 8 bits; what it makes of them
        and all after that have 16.

        Raises:
            InputError: It is another thing.
        """
        if not isinstance(frame, np.ndarray):
            raise InputError(
                f"frame: takes an array, uint8 [H, W, 3], got {shown(frame)}"
            )
        is_picture = frame.ndim == 3 and frame.shape[2] == 3 and frame.size
        if not is_picture or frame.dtype not in (np.uint8, np.uint16):
            raise InputError(
                f"frame: takes uint8 [H, W, 3], got {frame.dtype} {list(frame.shape)}"
            )
        if self.strength == 0:
            self.reset()  # what is skipped must not be remembered as the last frame
            return frame.copy()
        height, width = frame.shape[:2]
        scale = self._proxy or working_scale(height, width)
        small = shrunk(frame, scale)
        result = self._step(compose.in_8_bits(small), frame.dtype == np.uint16)
        if small is not frame:
            result = self._upsample(frame, small, result)
        if self.strength < 1:
            result = cv2.addWeighted(result, self.strength, frame, 1 - self.strength, 0)
        return compose.keep_color(result, frame) if self._keep_color else result

    def planar(self, frame: PlanarFrame) -> np.ndarray | EnlargedPicture:
        """Stylize the next frame of a film, without RGB at full size where none is due.

        As a call, but for what rounding makes of the pixels.
        """
        scale = self._proxy or working_scale(*frame.shape[:2])
        mixes = self.strength < 1 or self._keep_color
        if mixes or not shrinks(frame, scale):
            return self(np.asarray(frame))
        small, luma = frame.shrunk(*even_size(*frame.shape[:2], scale))
        return self._upsample.planar(frame.luma, luma, self._step(small, False))

    def _step(self, frame, deep):
        """Run the network on the next frame, of 8 bits."""
        height, width = frame.shape[:2]
        if (height, width) != self._size:
            self._size = height, width
            self.reset()
        if self._is_cut(frame):
            self._state = None
        whole = self._pad(frame)
        if self._state is None:
            self._state = self.engine.initial_state(*whole.shape[:2])
            self._noise.reset()
        self._state = self._noise(whole, self._state)
        stylized, self._state = self.engine.step_pixels(
            *(whole, self.style_code, less_past(self._state, self._temporal), deep)
        )
        return stylized[:height, :width]

    def _pad(self, frame):
        """Reflect at the bottom and right up to what the network takes."""
        sizes = padded(*frame.shape[:2], self.engine.stride)
        pads = [(0, to - size) for to, size in zip(sizes, frame.shape[:2], strict=True)]
        if not any(after for _, after in pads):
            return frame
        return np.pad(frame, [*pads, (0, 0)], mode="reflect")
