"""From what the user names to one style code.

A style is written as a picture, a clip, a folder of pictures, a style that the model
knows by name, or `random`; several are blended by weight: `a.jpg:0.7`, `b.jpg:0.3`.
"""

import dataclasses
import math
import numbers
import os
import pathlib
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from vgan import InputError, files
from vgan.runtime.engines import Engine
from vgan.runtime.engines.keras_file import ModelInfo
from vgan.video import IMAGE_SUFFIXES, VIDEO_SUFFIXES, VideoReader, is_image, read_image
from vgan.video.images import refuse_drawing
from vgan.video.resizing import resize

CLIP_FRAMES = 8  # of a style clip, evenly spaced; up to 15


@dataclasses.dataclass(frozen=True)
class Style:
    """One style with its weight; just one of the three ways is set.

    Attributes:
        weight: Share in the blend, relative to the others.
        code: Code that the model keeps under a name, [1, D].
        frames: Picture or clip [1, T', h, w, 3] in [-1, 1]; h and w divide by 16.
        noise: Standard normal [1, Z].
        source: Path that the frames were read from.
    """

    weight: float = 1.0
    code: np.ndarray | None = None
    frames: np.ndarray | None = None
    noise: np.ndarray | None = None
    source: str | None = None


def read(wanted: object, model: ModelInfo | Engine, seed: int = 0) -> list[Style]:
    """Read all that the user asks for; needs no network yet.

    Args:
        wanted: What was written, a list of "source" or "source:weight"; a blend,
            {source: weight}; or one source, which may be a picture, uint8 RGB
            [h, w, 3]. None, or an empty list, means the model's only named style.
        model: Its ModelInfo, or an engine: what it knows by name, and the sizes that it
            takes.
        seed: Of `random` styles; several are different from one another.

    Returns:
        List of Style.

    Raises:
        InputError: A style does not exist or is no picture, a weight is no share, or
            none is given where the model knows several or none.
    """
    rng = np.random.default_rng(seed)
    styles = []
    for source, weight in _weighted(wanted, model.named_styles):
        try:
            style = read_one(source, model, rng)
        except InputError as error:
            raise InputError(f"style={error}") from error
        styles.append(dataclasses.replace(style, weight=weight))
    if not sum(style.weight for style in styles) > 0:
        raise InputError("style: all weights are 0; give one of them a share")
    return styles


def _weighted(wanted, named_styles):
    """List of (source, weight)."""
    if isinstance(wanted, dict):
        if not wanted:
            raise InputError("style: is an empty dict; name a style in it")
        return [(_path(s), _weight(w, f"{s}:{w}")) for s, w in wanted.items()]
    if isinstance(wanted, np.ndarray):
        return [(wanted, 1.0)]
    texts = listed(wanted)
    if not texts:
        if len(named_styles) != 1:
            raise InputError(
                "style: give a picture, a clip, random, or a style of the model: "
                + _listed(named_styles)
            )
        texts = named_styles
    return [split_weight(text, named_styles) for text in texts]


def listed(wanted: object) -> list[str]:
    """Return a style, or a list of some, as a list of texts; None and "" are none."""
    several = isinstance(wanted, Iterable) and not isinstance(wanted, (str, bytes))
    texts = wanted if several else [wanted]
    texts = [_path(text) for text in texts if text is not None]
    return [text for text in texts if text]


def _path(source):
    """Return a style that is a text or a path as a text."""
    if not isinstance(source, (str, os.PathLike)):
        raise InputError(
            f"style: is of type {type(source).__name__}; give the path of a picture, "
            "clip or folder, a style of the model, random, or a picture, uint8 "
            "[h, w, 3]"
        )
    return os.fspath(source)


def code(wanted: object, engine: Engine, seed: int = 0) -> np.ndarray:
    """Return the code float32 [1, D] of what the user asks for.

    Args:
        wanted: As of `read`, or the code itself.
        engine: From `vgan.runtime.engines.load`.
        seed: Of `random` styles.

    Raises:
        InputError: As `read`; or it is a code of another model.
    """
    if hasattr(wanted, "dtype") and not isinstance(wanted, str):
        wanted = np.asarray(wanted)  # of whatever library
    if isinstance(wanted, np.ndarray) and wanted.dtype != np.uint8:
        return check_code(wanted, engine)
    if isinstance(wanted, (list, tuple)):
        raise InputError(
            "style: is a list; give one, or a blend, as in {'a.jpg': 0.7, 'b.jpg': 0.3}"
        )
    return encode(read(wanted, engine, seed), engine)


def check_code(wanted: object, engine: Engine) -> np.ndarray:
    """Return what should be a code as float32 [1, D], or raise InputError."""
    wanted = np.asarray(wanted)  # of whatever library
    is_real = np.can_cast(wanted.dtype, np.float32, "same_kind")
    if wanted.shape != (1, engine.code_size) or not is_real:
        raise InputError(
            f"style: the model takes codes [1, {engine.code_size}], and pictures "
            f"uint8 [h, w, 3], got {wanted.dtype} {list(wanted.shape)}"
        )
    return wanted.astype(np.float32, copy=False)


def read_one(
    source: str | pathlib.Path | np.ndarray,
    model: ModelInfo | Engine,
    rng: np.random.Generator,
) -> Style:
    """Read one Style, of weight 1.

    Args:
        source: A picture, a clip, a folder of pictures (of any sizes; of many, up to 15
            evenly spaced), a name that the model knows, "random", or uint8 [h, w, 3].
        model: Its ModelInfo.
        rng: NumPy generator that the next `random` style is drawn from.

    Raises:
        InputError: There is no such style, or it is no picture.
    """
    if isinstance(source, np.ndarray):
        is_picture = source.ndim == 3 and source.shape[2] == 3 and source.size
        if not is_picture or source.dtype != np.uint8:
            raise InputError(
                f"{source.dtype} {list(source.shape)}: give a picture, uint8 [h, w, 3]"
            )
        return Style(frames=_scaled([fit(source, model.style_size)]))
    source = os.fspath(source)
    if source in model.named_styles:
        return Style(code=np.float32([model.named_styles[source]]))
    if source == "random":
        return Style(noise=rng.standard_normal((1, model.noise_size), np.float32))
    frames = _read_frames(source, model.named_styles, model.style_size)
    return Style(frames=frames, source=source)


def pictures(wanted: Iterable[Style]) -> list[np.ndarray]:
    """Return what there is to show of styles: list of uint8 RGB [h, w, 3].

    The picture itself, in full size, or the first one of a clip or folder; nothing of
    styles that are codes or noise.
    """
    found = []
    for source in (style.source for style in wanted if style.source is not None):
        if os.path.isdir(source):
            source = _pictures_in(pathlib.Path(source))[0]
        with VideoReader(source) as reader:
            found.append(next(reader)[0])
    return found


def code_of(
    frames: Iterable[np.ndarray], engine: Engine, style_size: int
) -> np.ndarray:
    """Return the code [1, D] of frames uint8 [T', h, w, 3], of a style or a result."""
    fitted = [fit(frame, style_size) for frame in frames]
    return engine.encode_style(np.float32([fitted]) / 127.5 - 1.0)


def encode(styles: Sequence[Style], engine: Engine) -> np.ndarray:
    """Return the code [1, D]: that of the one style, or the `blend` of several."""
    codes = [_encode(style, engine) for style in styles]
    return blend(codes, [style.weight for style in styles])


def blend(codes: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Return the mean [1, D] of codes [1, D] by weight; a code alone stays as it is.

    The codes of some generators all have a root mean square of 1: so has their mean
    then; the plain mean of unlike codes is shorter. Those of a painter blend as they
    are.
    """
    if len(codes) == 1:
        return codes[0]
    total = sum(weights)
    mean = sum(w / total * code for w, code in zip(weights, codes, strict=True))
    if all(abs(_rms(code) - 1) < 1e-3 for code in codes):
        mean = mean / max(_rms(mean), 1e-6)
    return mean.astype(np.float32)


def _rms(code):
    return math.sqrt(np.vdot(code, code) / code.size)


def split_weight(text: str, named_styles: Collection[str] = ()) -> tuple[str, float]:
    """Split "source:weight"; a weight left out is 1, and a source may hold colons."""
    source, colon, number = text.rpartition(":")
    if not colon or text in named_styles or os.path.exists(text):
        return text, 1.0
    try:
        weight = float(number)
    except ValueError:
        return text, 1.0
    return source, _weight(weight, text, number)


def _weight(weight, text, number=None):
    is_number = isinstance(weight, numbers.Real) and not isinstance(weight, bool)
    if not is_number or not (weight == 0 or 1e-6 <= weight <= 1e6):
        raise InputError(
            f"style={text}: the weight must be 0, or 1e-6 to 1e6, "
            f"got {weight if number is None else number}"
        )
    return weight


def _encode(style, engine):
    if style.code is not None:
        return style.code
    if style.noise is not None:
        return engine.encode_noise(style.noise)
    return engine.encode_style(style.frames)


def _read_frames(source, named_styles, size):
    if not os.path.exists(source):
        raise InputError(
            f"{source}: there is no such file, and the model knows no style of "
            f"that name; it knows {_listed(named_styles)}"
        )
    if os.path.isdir(source):
        frames = _sample_folder(pathlib.Path(source), size)
    elif is_image(source):
        frames = [fit(read_image(source), size)]
    else:
        refuse_drawing(pathlib.Path(source))
        try:
            frames = _sample_clip(source, size)
        except InputError as error:
            if files.ends(source, VIDEO_SUFFIXES) or not os.access(source, os.R_OK):
                raise
            raise InputError(
                f"{source}: is neither a picture nor a video that can be read; give a "
                f"video, or a picture ({', '.join(IMAGE_SUFFIXES)})"
            ) from error
    return _scaled(frames)


def _scaled(frames):
    """Frames uint8 [h, w, 3] -> float32 [1, T', h, w, 3] in [-1, 1]."""
    return np.float32([frames]) / 127.5 - 1.0


def _sample_folder(folder, size):
    """Evenly spaced pictures of a folder; of unlike shapes, the middle that all have.

    Every picture's short side is `size` by then: what is left is never smaller.
    """
    pictures = _pictures_in(folder)
    step = math.ceil(len(pictures) / (2 * CLIP_FRAMES - 1))
    frames = [fit(read_image(picture), size) for picture in pictures[::step]]
    height, width = np.min([frame.shape[:2] for frame in frames], axis=0)
    middles = []
    for frame in frames:
        top, left = (frame.shape[0] - height) // 2, (frame.shape[1] - width) // 2
        middles.append(frame[top : top + height, left : left + width])
    return middles


def _pictures_in(folder):
    found = files.find(folder, IMAGE_SUFFIXES)
    if not found:
        raise InputError(
            f"{folder}: a folder without pictures ({', '.join(IMAGE_SUFFIXES)})"
        )
    return found


def _sample_clip(source, size):
    """Evenly spaced frames of a clip of any, also unknown, length.

    Every step-th frame is kept; when there are twice as many as wanted, every second
    goes and the step doubles.
    """
    frames, step = [], 1
    with VideoReader(source) as reader:
        for index, (frame, _) in enumerate(reader):
            if index % step == 0:
                frames.append(fit(frame, size))
            if len(frames) == 2 * CLIP_FRAMES:
                frames, step = frames[::2], 2 * step
    return frames


def fit(frame: np.ndarray, size: int) -> np.ndarray:
    """Bring a picture uint8 [H, W, 3] to what a style encoder takes.

    Short side to `size`, the middle of what is longer than 4:1, sides divide by 16.
    """
    height, width = frame.shape[:2]
    scale = size / min(height, width)
    height, width = (
        max(16, round(min(side * scale, 4 * size)) // 16 * 16)
        for side in (height, width)
    )
    top, left = (
        max(0, round((side - to / scale) / 2))
        for side, to in zip(frame.shape[:2], (height, width), strict=True)
    )
    crop = frame[top:, left:][: round(height / scale), : round(width / scale)]
    return resize(crop, height, width)


def _listed(named_styles):
    return ", ".join(sorted(named_styles)) or "none"
