"""Videos, cameras, streams and pictures to uint8 RGB frames with times, and back.

    with VideoReader("in.mp4") as reader, VideoWriter("out.mp4", like=reader) as writer:
        for frame, timestamp in reader:
            writer.write(frame, timestamp)

Frames are uint8 RGB `[H, W, 3]`, upright; a timestamp is a `fractions.Fraction` of
seconds. The writer keeps size, timestamps, sound and colors of what was read.
"""

import importlib
import typing

from vgan.video.images import IMAGE_SUFFIXES, VIDEO_SUFFIXES, is_image, read_image

if typing.TYPE_CHECKING:
    from vgan.video.reader import VideoReader
    from vgan.video.writer import VideoWriter

# What needs PyAV is imported at its first use: training on pictures goes without.
_LAZY = {"VideoReader": "reader", "VideoWriter": "writer"}

__all__ = [
    "IMAGE_SUFFIXES",
    "VIDEO_SUFFIXES",
    "VideoReader",
    "VideoWriter",
    "is_image",
    "read_image",
]


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(importlib.import_module(f"vgan.video.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
