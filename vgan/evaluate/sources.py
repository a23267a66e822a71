"""What is measured: content clips and style pictures."""

import itertools
import os
import pathlib
import typing
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from vgan import InputError, files
from vgan.video import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    VideoReader,
    is_image,
    read_image,
)
from vgan.video.resizing import resize

STYLE_FRAMES = 4  # of a style clip
STYLE_SIDE = 512  # short side in pixels that larger styles are kept at
LONGEST = 8  # times the short side
_MEDIA = IMAGE_SUFFIXES + VIDEO_SUFFIXES


def find(paths: Iterable[str | pathlib.Path], name: str) -> dict[str, pathlib.Path]:
    """Return {name: path} of the clips or pictures that paths name.

    A folder stands for the files in it, but a folder of numbered pictures is a clip
    where clips are wanted.

    Args:
        paths: Files and folders.
        name: "content" or "styles", what they are, also for messages.

    Raises:
        InputError: One does not exist, or there is nothing in it.
    """
    found = {}
    for text in paths:
        path = pathlib.Path(text)
        if "://" in text or text.startswith("camera:"):
            raise InputError(f"{name}={text}: give a file or a folder; save it first")
        if not path.exists():
            raise InputError(f"{name}={path}: there is no such file or folder")
        inside = files.find(path, _MEDIA) if path.is_dir() else [path]
        if name == "content" and inside and all(is_image(each) for each in inside):
            inside = [path]
        if not inside:
            raise InputError(
                f"{name}={path}: there is no video or picture in the folder itself; "
                "put files into it, or name its sub-folders"
            )
        for each in inside:
            stem = readable(each.stem)
            unlike, count = stem, 2
            while unlike in found:
                unlike, count = f"{stem}_{count}", count + 1
            found[unlike] = each
    return found


def readable(text: str) -> str:
    """A name as text that can be shown: no control characters, no broken UTF-8."""
    text = os.fsencode(text).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def keep_readable(
    found: dict[str, pathlib.Path],
    name: str,
    read: Callable[[pathlib.Path], typing.Any],
    report: Callable[[str], object] = print,
) -> dict[str, typing.Any]:
    """Drop what cannot be read, with a line for each.

    Args:
        found: From `find`.
        name: What they are, for messages.
        read: Function of a path that raises InputError.
        report: Called with each line.

    Returns:
        {name: what read gave}.

    Raises:
        InputError: Only one was given, and it cannot be read; or none of them can.
    """
    kept, reasons = {}, []
    for key, path in found.items():
        try:
            kept[key] = read(path)
        except InputError as error:
            reasons.append(error)
    if not kept:
        raise InputError(
            f"{name}: {'none of them' if len(found) > 1 else 'it'} can be read; "
            f"{reasons[0]}"
        )
    for reason in reasons:
        report(f"{name}: left out, {reason}")
    return kept


def length(path: str | pathlib.Path, limit: int | None) -> int | None:
    """Number of frames that will be read, as the file says; None where it does not.

    Raises:
        InputError: It cannot be decoded, or is too long and thin to measure.
    """
    with VideoReader(path) as reader:
        frame, _ = next(iter(reader))
        short, long = sorted(frame.shape[:2])
        if long > LONGEST * short:
            raise InputError(
                f"{path}: {frame.shape[1]}x{frame.shape[0]} is too long and thin to "
                f"measure; crop it to at most {LONGEST}:1"
            )
        counts = [count for count in (reader.num_frames, limit) if count]
        return min(counts) if counts else None


def frames(
    path: str | pathlib.Path, size: int, limit: int | None = None
) -> Iterator[np.ndarray]:
    """Yield frames of a clip, uint8 [H, W, 3], scaled to a short side of `size`."""
    with VideoReader(path) as reader:
        for frame, _ in itertools.islice(reader, limit):
            yield scaled(frame, size)


def style_frames(path: str | pathlib.Path) -> np.ndarray:
    """Read a style picture, or a few frames of a style clip: uint8 [T', h, w, 3].

    Of what is longer than 4:1, the middle; what is large is scaled to `STYLE_SIDE`.
    """
    if is_image(path):
        return _middle(read_image(path))[None]
    with VideoReader(path) as reader:
        first = itertools.islice(reader, STYLE_FRAMES)
        return np.stack([_middle(frame) for frame, _ in first])


def _middle(frame):
    height, width = frame.shape[:2]
    most = 4 * min(height, width)
    top, left = (max(0, (side - most) // 2) for side in (height, width))
    frame = frame[top : top + most, left : left + most]
    return scaled(frame, STYLE_SIDE) if min(height, width) > STYLE_SIDE else frame


def scaled(frame: np.ndarray, size: int) -> np.ndarray:
    """Scale a frame uint8 [H, W, 3] to a short side of `size`."""
    scale = size / min(frame.shape[:2])
    return resize(frame, *(round(side * scale) for side in frame.shape[:2]))
