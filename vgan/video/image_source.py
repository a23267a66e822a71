"""Pictures read as a video: one, a folder of numbered ones, an animated one."""

import collections
import itertools
import logging
import math
import os
import pathlib
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from PIL import Image

from vgan import InputError, files
from vgan.video.exr import read_exr
from vgan.video.images import (
    IMAGE_SUFFIXES,
    NUMBER,
    as_shown,
    numbered,
    on_paper,
    read_image,
    reading,
    shown_in_8_bits,
)
from vgan.video.resizing import resize

GAPS = ("hold", "close", "refuse")
_FPS = 25  # of a folder, where the caller does not say
_DELAY = 100  # milliseconds of a picture that its file gives none, as browsers do
_log = logging.getLogger("vgan")


class ImageSource:
    """A picture, or the pictures of a folder in natural order, as a video.

    Where their names differ in a number alone, it says when they are shown.

    Args:
        path: A picture, a folder of pictures of one size, or a pattern of their paths,
            such as "shot/%04d.png".
        fps: Pictures per second; picture k, or that of number first + k, comes at
            k / fps.
        size: (H, W) that pictures are scaled to, or None.
        window: Part of each that is shown, or None; see VideoReader.
        gaps: Where numbers are missing: "hold" the picture before, with a line in the
            log; "close" the gap; "refuse" the folder.

    Attributes:
        names: {timestamp: name of the picture without suffix}, or None where several
            have the same.
    """

    is_live = is_indexed = False
    again = audio = None
    has_sound = False
    besides = ()
    tracks = ()
    end = None
    damage = doubt = None
    origin = Fraction(0)
    sample_aspect_ratio = None
    colors = hdr = None
    depth, deep, keep_alpha = 8, False, False

    def __init__(
        self,
        path: pathlib.Path,
        fps: Fraction | float | None = None,
        size: tuple[int, int] | None = None,
        window: tuple[float, float, float, float] | None = None,
        gaps: str = "hold",
    ) -> None:
        self._files = _find(path)
        # Where the files of a pattern are is what an output must not replace.
        self.path = path if path.exists() else path.parent
        numbers = _numbers(self._files)
        if gaps == "close" or numbers is None:
            numbers = list(range(len(self._files)))
        _look_for_gaps(path, numbers, gaps)
        self.fps = Fraction(fps or _FPS)
        self.time_base = 1 / self.fps
        times = [(number - numbers[0]) / self.fps for number in numbers]
        self._shown = list(itertools.pairwise([*times, times[-1] + 1 / self.fps]))
        self.num_frames = len(times)
        self.duration = self._shown[-1][1]
        names = [file.stem for file in self._files]
        unlike = len(set(names)) == len(names)
        self.names = dict(zip(times, names, strict=True)) if unlike else None
        self._is_exr = {file.suffix.lower() for file in self._files} == {".exr"}
        self.depth = 16 if self._is_exr else 8
        self._look(self._read(self._files[0]), size, window)

    def _read(self, file):
        return read_exr(file) if self._is_exr else read_image(file, alpha=True)

    def _look(self, first, size, window):
        self._scaled_to, self._window = size, window
        self._shape, self.alpha = first.shape[:2], first.shape[2] == 4
        self.height, self.width = self.picture(first).shape[:2]

    def frames(
        self, start: Fraction
    ) -> Iterator[tuple[np.ndarray, Fraction, Fraction]]:
        """Yield (frame, timestamp, duration) from `start` seconds on; see `picture`."""
        for file, (timestamp, end) in zip(self._files, self._shown, strict=True):
            if end <= start:
                continue
            frame = self._read(file)
            if frame.shape[:2] != self._shape:
                height, width = self._shape
                raise InputError(
                    f"{file}: is {frame.shape[1]}x{frame.shape[0]} and "
                    f"{self._files[0].name} is {width}x{height}; "
                    "give pictures of one size"
                )
            yield frame, timestamp, end - timestamp

    def picture(self, frame: np.ndarray) -> np.ndarray:
        """What is shown of a frame of `frames`, RGB or RGBA `[H, W, C]`."""
        if frame.dtype == np.uint16 and not self.deep:
            frame = shown_in_8_bits(frame, alpha=True)
        if self.keep_alpha and frame.shape[2] == 3:
            opaque = np.iinfo(frame.dtype).max
            frame = np.dstack([frame, np.full_like(frame[..., 0], opaque)])
        elif frame.shape[2] == 4 and not self.keep_alpha:
            frame = on_paper(frame) if frame.dtype == np.uint8 else _on_white(frame)
        if self._window:
            height, width = frame.shape[:2]
            x, y, w, h = np.rint(self._window * np.array(2 * [width, height])).astype(
                int
            )
            frame = frame[y:, x:][: max(h, 1), : max(w, 1)]
        if self._scaled_to:
            frame = resize(frame, *self._scaled_to)
        return frame

    def close(self) -> None:
        """Nothing stays open."""


class AnimationSource(ImageSource):
    """An animated PNG, WebP or AVIF as a video: each picture once.

    Args:
        path: The file.
        size: (H, W) that pictures are scaled to, or None.
        window: Part of each that is shown, or None; see VideoReader.
    """

    names = None

    def __init__(
        self,
        path: pathlib.Path,
        size: tuple[int, int] | None = None,
        window: tuple[float, float, float, float] | None = None,
    ) -> None:
        self.path = path
        delays = [delay for _, delay in self._pictures()]
        self.num_frames, self.duration = len(delays), sum(delays)
        self.fps = self.num_frames / self.duration
        self.time_base = Fraction(1, math.lcm(*(delay.denominator for delay in delays)))
        first, _ = next(self._pictures())
        self._look(as_shown(first, alpha=True), size, window)

    def _pictures(self):
        """Each as an open Image, and how many seconds it is shown."""
        with reading(self.path), Image.open(self.path) as image:
            # A PNG may have a still for programs that cannot play it.
            for index in range(bool(image.info.get("default_image")), image.n_frames):
                image.seek(index)
                image.load()
                delay = (image.info.get("duration") or _DELAY) / 1000
                yield image, Fraction(delay).limit_denominator(1 << 16)

    def frames(
        self, start: Fraction
    ) -> Iterator[tuple[np.ndarray, Fraction, Fraction]]:
        """Yield (frame, timestamp, duration) from `start` seconds on; see `picture`."""
        timestamp = Fraction(0)
        for image, delay in self._pictures():
            if timestamp + delay > start:
                yield as_shown(image, alpha=True), timestamp, delay
            timestamp += delay


def as_pattern(path: str) -> str:
    """Return "shot_%04d.png" for "shot_####.png", a # for each digit; others as is."""
    if os.path.exists(path) or not files.ends(path, (*IMAGE_SUFFIXES, ".exr")):
        return path
    # The last of them: others may be of a scene.
    return re.sub(r"#+(?=[^#/\\]*$)", lambda found: f"%0{len(found[0])}d", path)


def _on_white(frame):
    """As `on_paper`, of uint16."""
    share = frame[..., 3:] / np.float32(65535)
    mixed = frame[..., :3] * share + (1 - share) * np.float32(65535)
    return np.rint(mixed).astype(np.uint16)


def is_shot(folder: pathlib.Path, videos: Sequence[pathlib.Path]) -> bool:
    """Whether a folder holds the frames of one video, in spite of the videos there.

    So it is if more pictures than videos have names that differ in a number alone, and
    no video has such a name, as in the memory of a camera.
    """
    names = collections.Counter(
        (before, after)
        for before, number, after in map(_split, files.find(folder, IMAGE_SUFFIXES))
        if number is not None
    )
    for video in videos:
        before, _, after = _split(video)
        names.pop((before, after), None)
    return max(names.values(), default=0) > len(videos)


def _split(path):
    """What stands before the last number of a name, the number, and what follows."""
    parts = re.fullmatch(r"(.*?)(\d+)(\D*)", path.stem)
    return parts.groups() if parts else (path.stem, None, "")


def _numbers(pictures):
    """The numbers, growing, in which alone names differ; None if they do not."""
    before, numbers, after = zip(*map(_split, pictures), strict=True)
    if None in numbers or len({*zip(before, after, strict=True)}) > 1:
        return None
    numbers = [int(number) for number in numbers]
    grow = all(one < two for one, two in itertools.pairwise(numbers))
    return numbers if grow else None


def _find(path):
    """The files of a picture, a folder or a pattern."""
    if path.is_dir() or (NUMBER.search(path.name) and not path.exists()):
        folder = path if path.is_dir() else path.parent
        found = files.find(folder, IMAGE_SUFFIXES, natural=True)
        what = "a folder without pictures"
        if not path.is_dir():
            name = numbered(path.name)
            found = [file for file in found if name.fullmatch(file.name)]
            what = "no picture has such a name"
        if not found:
            raise InputError(
                f"{path}: {what}; give a video, or a folder of "
                f"numbered pictures ({', '.join(IMAGE_SUFFIXES)})"
            )
        return found
    return [path]


def _look_for_gaps(path, numbers, gaps):
    missing = [
        f"{before + 1}-{after - 1}" if after - before > 2 else f"{before + 1}"
        for before, after in itertools.pairwise(numbers)
        if after - before > 1
    ]
    if not missing:
        return
    count = numbers[-1] - numbers[0] + 1 - len(numbers)
    which = ", ".join(missing[:5]) + ", ..." * (len(missing) > 5)
    what = f"{path}: {count} pictures are missing ({which})"
    if gaps == "refuse":
        raise InputError(f"{what}; add them, or give gaps=hold or gaps=close")
    _log.warning("%s: the one before is held; gaps=close leaves no time for them", what)
