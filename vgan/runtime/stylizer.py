"""Frame in, frame out; the only holder of the recurrent state."""

import dataclasses
import pathlib
import typing

import cv2
import numpy as np

from vgan import InputError
from vgan.checks import check_type, number, shown
from vgan.runtime import compose, styles
from vgan.runtime.engines import Engine, padded
from vgan.runtime.looks import less_past
from vgan.runtime.noise import NAME, MovingNoise
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


@dataclasses.dataclass
class Step:
    """A frame on its way through a Stylizer.

    Attributes:
        frame: As given.
        strength: Of the stylized picture in the result; at 0 all else is None.
        code: The style, [1, D].
        small: What the network sees, RGB [h, w, 3], uint8 or uint16 as the frame.
        luma: Its luma, uint8 [h, w], where the frame is one of a film's planes.
        fresh: Whether a new state begins here.
        drift: Where the noise field comes from, see `noise.MovingNoise`.
        painted: What the network made of `small`, uint8 or uint16 RGB [h, w, 3].
        memory: What the next frame depends on, {name: arrays by name}.
    """

    frame: np.ndarray | PlanarFrame
    strength: float
    code: np.ndarray | None = None
    small: np.ndarray | None = None
    luma: np.ndarray | None = None
    fresh: bool = False
    drift: np.ndarray | None = None
    painted: np.ndarray | None = None
    memory: dict[str, typing.Any] = dataclasses.field(default_factory=dict)


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
        self._is_cut, self._noise = CutDetector(), MovingNoise()
        self._size = self._state = None
        self._is_noisy = False  # whether the state has a noise field
        self._memory = {}  # after the last frame that was finished

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
        self._size, self._memory = None, {}

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return what is remembered, {name: array}, for `restore`."""
        memory = self._memory
        kept = {f"cut_{name}": v for name, v in memory.get("cut", {}).items()}
        if "state" not in memory:
            return kept
        kept |= {f"noise_{name}": v for name, v in memory["noise"].items()}
        state = memory["state"]
        tiles = state if isinstance(state, list) else [state]
        for index, tile in enumerate(tiles):
            for name, value in tile.items():
                kept[f"tile{index}_{name}"] = np.array(value)
        return {**kept, "size": np.array(memory["size"]), "tiles": np.array(len(tiles))}

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
        cut, noise = (
            {n.removeprefix(prefix): v for n, v in kept.items() if n.startswith(prefix)}
            for prefix in ("cut_", "noise_")
        )
        self.reset()
        self._is_cut.restore(cut)
        self._noise.restore(noise)
        if "tiles" not in kept:
            return
        size = tuple(int(side) for side in kept["size"])
        tiles = []
        for index in range(int(kept["tiles"])):
            prefix = f"tile{index}_"
            mine = {n: value for n, value in kept.items() if n.startswith(prefix)}
            tiles.append({n.removeprefix(prefix): v for n, v in mine.items()})
        whole = self.engine.fits(*padded(*size, self.engine.stride))
        self._state = tiles[0] if whole else tiles
        self._size, self._is_noisy = size, NAME in self._state
        self._memory = {"cut": cut, "noise": noise, "state": self._state, "size": size}

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
        return self.finish(self.paint(self.prepare(frame)))

    # The three steps of a call. Each takes frames in order, and none what another
    # changes: they may be in three threads, where one frame is prepared while another
    # is painted and a third is finished.

    def prepare(self, frame: np.ndarray | PlanarFrame) -> Step:
        """Do what is to do before the network: shrink, look for cuts and motion.

        Args:
            frame: As of a call; or of a film, to be finished without RGB at full size
                where none is due.
        """
        step = Step(frame, self.strength)
        if step.strength == 0:
            self._size = None  # what is skipped must not be remembered as the last one
            return step
        step.code = self.style_code
        height, width = frame.shape[:2]
        scale = self._proxy or working_scale(height, width)
        mixes = step.strength < 1 or self._keep_color
        if isinstance(frame, PlanarFrame):
            if not mixes and shrinks(frame, scale):
                size = even_size(height, width, scale)
                step.small, step.luma = frame.shrunk(*size)
            else:
                step.frame = frame = np.asarray(frame)
        if step.small is None:
            step.small = shrunk(frame, scale)
        seen = compose.in_8_bits(step.small)
        size, whole = seen.shape[:2], self._pad(seen)
        if size != self._size:
            self._size, step.fresh = size, True
            self._is_cut.reset()
            self._is_noisy = NAME in self.engine.initial_state(*whole.shape[:2])
        step.fresh |= self._is_cut(seen)
        if self._is_noisy:
            step.drift = self._noise.follow(whole, step.fresh)
        noise = self._noise.snapshot() if self._is_noisy else {}
        step.memory = {"cut": self._is_cut.snapshot(), "noise": noise, "size": size}
        return step

    def paint(self, step: Step) -> Step:
        """Run the network on a prepared frame."""
        if step.small is None:
            return step
        height, width = step.small.shape[:2]
        whole = self._pad(compose.in_8_bits(step.small))
        state = self._state
        if step.fresh or state is None:
            state = self.engine.initial_state(*whole.shape[:2])
        if NAME in state:
            state = self._noise.lay(step.drift, state)
            step.memory["noise"] |= self._noise.field()
        past = less_past(state, self._temporal)
        deep = step.small.dtype == np.uint16
        painted, state = self.engine.step_pixels(whole, step.code, past, deep)
        step.painted = painted[:height, :width]
        self._state = step.memory["state"] = state
        return step

    def finish(self, step: Step) -> np.ndarray | EnlargedPicture:
        """Bring what was painted to full size, and mix it with the frame."""
        self._memory, frame, result = step.memory, step.frame, step.painted
        if result is None:
            return np.array(frame)
        if step.luma is not None:
            return self._upsample.planar(frame.luma, step.luma, result)
        if step.small is not frame:
            result = self._upsample(frame, step.small, result)
        if step.strength < 1:
            result = cv2.addWeighted(result, step.strength, frame, 1 - step.strength, 0)
        return compose.keep_color(result, frame) if self._keep_color else result

    def _pad(self, frame):
        """Reflect at the bottom and right up to what the network takes."""
        sizes = padded(*frame.shape[:2], self.engine.stride)
        pads = [(0, to - size) for to, size in zip(sizes, frame.shape[:2], strict=True)]
        if not any(after for _, after in pads):
            return frame
        return np.pad(frame, [*pads, (0, 0)], mode="reflect")
