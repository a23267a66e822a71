"""Who makes the results that are measured: a model, or whoever made a video.

A system has `names` of what it makes, of which `any_frame` are made of whatever frame
is given; `engine`, from `vgan.runtime.engines.load`, or None; `files`, the paths that
it was read from; and `method(name, style, limit)`, which gives a new Method.
"""

import os
import pathlib
import typing
from collections.abc import Callable, Collection, Sequence

import numpy as np

from vgan import InputError
from vgan.evaluate import sources
from vgan.runtime import Stylizer, engines
from vgan.runtime import styles as runtime_styles
from vgan.runtime.engines import Engine
from vgan.video.resizing import resize


class Method:
    """Gives the result for each frame of a content, in order: here, the frame itself.

    Attributes:
        style_code: (code [1, D] of the style, function of frames uint8 [N, H, W, 3]
            that gives theirs), or None where there is no generator.
    """

    style_code = None

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Content frame uint8 [H, W, 3] -> result, of the same size."""
        return frame

    def finish(self) -> None:
        """The content has ended."""


class Painted(Method):
    """Gives what a function of the frame gives, without a memory.

    Args:
        function: Of a frame uint8 [H, W, 3], gives one of the same size.
        style_code: See Method.
    """

    def __init__(
        self,
        function: Callable[[np.ndarray], np.ndarray],
        style_code: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self._function, self.style_code = function, style_code

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Paint the next frame."""
        return self._function(frame)


class Stylized(Method):
    """A generator at work.

    Args:
        engine: From `vgan.runtime.engines.load`.
        code: Style code [1, D].
        per_frame: Let it forget each frame: the same weights, no recurrence.
        encode: Function of frames that gives their style code, or None.
    """

    def __init__(
        self,
        engine: Engine,
        code: np.ndarray,
        per_frame: bool = False,
        encode: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self._stylizer = Stylizer(engine, code, proxy=1)
        self._per_frame = per_frame
        self.style_code = (code, encode) if encode else None

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Stylize the next frame."""
        if self._per_frame:
            self._stylizer.reset()
        return self._stylizer(frame)


class RecordedVideo(Method):
    """A finished video, played along with its content.

    Args:
        path: The video.
        size: Short side to which its frames are scaled.
        limit: Frames to play at most; None plays all.
    """

    def __init__(self, path: str | pathlib.Path, size: int, limit: int | None) -> None:
        self._path = path
        self._results = sources.frames(path, size, limit)
        self._count = 0

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return the next frame.

        Raises:
            InputError: The video is at its end, or has other proportions.
        """
        result = next(self._results, None)
        if result is None:
            raise InputError(self._lengths_differ("it ends", "the content goes on"))
        if np.abs(np.subtract(frame.shape, result.shape)).max() > 2:
            width, height = result.shape[1::-1]
            raise InputError(
                f"video={self._path}: proportions differ, {width}x{height} against "
                f"{frame.shape[1]}x{frame.shape[0]} of the content at this size; "
                "give an uncropped result"
            )
        self._count += 1
        return resize(result, *frame.shape[:2])

    def finish(self) -> None:
        """Make sure that the video ends here too.

        Raises:
            InputError: It goes on.
        """
        if next(self._results, None) is not None:
            raise InputError(self._lengths_differ("the content ends", "it goes on"))

    def _lengths_differ(self, one, other):
        return (
            f"video={self._path}: lengths differ, {one} after {self._count} frames "
            f"and {other}; give the content that it was made of"
        )


class Identity:
    """The content itself, which has nothing of any style: where every scale begins."""

    names = any_frame = ("identity",)
    engine = None
    files = ()

    def method(self, name: str, style: str, limit: int | None = None) -> Method:
        """Return the Method of one result."""
        del name, style, limit
        return Method()


class Beside:
    """Several systems, side by side in one report.

    Args:
        systems: List of them; what is measured of one engine is of the first's.
    """

    def __init__(self, systems: Sequence[typing.Any]) -> None:
        self._owners = {name: each for each in systems for name in each.names}
        self.names = tuple(self._owners)
        self.any_frame = tuple(name for each in systems for name in each.any_frame)
        self.files = tuple(file for each in systems for file in each.files)
        self.engine = next((each.engine for each in systems if each.engine), None)

    def method(self, name: str, style: str, limit: int | None = None) -> Method:
        """Return the Method of one result."""
        return self._owners[name].method(name, style, limit)


class Video:
    """A finished video: one system, of which nothing but its frames is known.

    Args:
        path: The video.
        size: Short side to which its frames are scaled.

    Raises:
        InputError: It cannot be read.
    """

    names = ("result",)
    any_frame = ()
    engine = None

    def __init__(self, path: str | pathlib.Path, size: int) -> None:
        self._path, self._size = path, size
        self.files = (path,)
        try:
            sources.length(path, None)
        except InputError as error:
            raise InputError(f"video={error}") from error

    def method(self, name: str, style: str, limit: int | None = None) -> Method:
        """Return the Method of one result."""
        del name, style
        return RecordedVideo(self._path, self._size, limit)


class Model:
    """A generator, and by the name of a baseline the same weights used otherwise.

    Args:
        path: Its `generator.keras`.
        styles: {name: path of a picture or clip}.
        baselines: Of "per_frame": the state is forgotten at every frame.
        prepare: Called before Keras is imported.

    Raises:
        InputError: The model or a style cannot be used.
    """

    def __init__(
        self,
        path: str | pathlib.Path,
        styles: dict[str, str | pathlib.Path],
        baselines: Collection[str],
        prepare: Callable[[], object],
    ) -> None:
        self.names = self.any_frame = ("model", *baselines)
        self.files = (path,)
        info = engines.describe(path)
        read = {
            # an absolute path is no name that the model may know
            name: runtime_styles.read([os.path.abspath(style)], info)
            for name, style in styles.items()
        }
        prepare()
        self.engine = engines.load(path)
        self.codes = {
            name: runtime_styles.encode(style, self.engine)
            for name, style in read.items()
        }
        self._encode = lambda frames: runtime_styles.code_of(
            frames, self.engine, info.style_size
        )

    def method(self, name: str, style: str, limit: int | None = None) -> Method:
        """Return the Method of one result."""
        del limit
        per_frame = name == "per_frame"
        return Stylized(self.engine, self.codes[style], per_frame, self._encode)
