"""What is measured: content clips and style pictures."""

import itertools
import pathlib

import cv2
import numpy as np

from vgan import InputError
from vgan.video import VideoReader, is_image, read_image

STYLE_FRAMES = 4  # of a style clip


def find(paths, flag):
    """Return {name: path} of the clips or pictures that paths name.

    A folder stands for the files in it, but a folder of numbered pictures is a clip
    where clips are wanted.

    Args:
        paths: Files and folders.
        flag: "--content" or "--styles", for messages.

    Raises:
        InputError: One does not exist, or there is nothing in it.
    """
    found = {}
    for path in map(pathlib.Path, paths):
        if not path.exists():
            raise InputError(f"{flag} {path}: there is no such file or folder")
        inside = (
            sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else []
        )
        inside = [p for p in inside if not p.name.startswith(".")]
        pictures = [p for p in inside if is_image(p)]
        if not path.is_dir() or (
            flag == "--content" and pictures and len(pictures) == len(inside)
        ):
            inside = [path]
        if not inside:
            raise InputError(f"{flag} {path}: the folder is empty; put files into it")
        for each in inside:
            name, count = each.stem, 2
            while name in found:
                name, count = f"{each.stem}_{count}", count + 1
            found[name] = each
    return found


def keep_readable(found, flag, read):
    """Drop what cannot be read, with a line for each.

    Args:
        found: From `find`.
        flag: For messages.
        read: Function of a path that raises InputError.

    Returns:
        {name: what read gave}.

    Raises:
        InputError: Only one was given, and it cannot be read; or none of them can.
    """
    kept, reason = {}, None
    for name, path in found.items():
        try:
            kept[name] = read(path)
        except InputError as error:
            reason = error
            if len(found) > 1:
                print(f"{flag}: left out, {error}")
    if not kept:
        raise InputError(f"{flag}: nothing can be read; {reason}")
    return kept


def length(path, limit):
    """Number of frames that will be read, as the file says; None where it does not."""
    with VideoReader(path) as reader:
        next(iter(reader))  # what cannot be decoded fails here
        counts = [count for count in (reader.num_frames, limit) if count]
        return min(counts) if counts else None


def frames(path, size, limit=None):
    """Yield frames of a clip, uint8 [H, W, 3], scaled to a short side of `size`."""
    with VideoReader(path) as reader:
        for frame, _ in itertools.islice(reader, limit):
            yield scaled(frame, size)


def style_frames(path):
    """Read a style picture, or a few frames of a style clip: uint8 [T', h, w, 3].

    Of what is longer than 4:1, the middle.
    """
    if is_image(path):
        return _middle(read_image(path)[None])
    with VideoReader(path) as reader:
        first = [frame for frame, _ in itertools.islice(reader, STYLE_FRAMES)]
    return _middle(np.stack(first))


def _middle(frames):
    height, width = frames.shape[1:3]
    most = 4 * min(height, width)
    top, left = (max(0, (side - most) // 2) for side in (height, width))
    return frames[:, top : top + most, left : left + most]


def scaled(frame, size):
    """Scale a frame uint8 [H, W, 3] to a short side of `size`."""
    scale = size / min(frame.shape[:2])
    return resized(frame, *(round(side * scale) for side in frame.shape[:2]))


def resized(frame, height, width):
    """Scale a frame uint8 [H, W, 3] to [height, width]."""
    if frame.shape[:2] == (height, width):
        return frame
    smaller = height < frame.shape[0]
    method = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return cv2.resize(frame, (width, height), interpolation=method)
