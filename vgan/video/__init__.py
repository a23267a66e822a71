"""Videos, cameras, streams and pictures to uint8 RGB frames with times, and back.

    with VideoReader("in.mp4") as reader, VideoWriter("out.mp4", like=reader) as writer:
        for frame, timestamp in reader:
            writer.write(frame, timestamp)

Frames are uint8 RGB `[H, W, 3]`, upright; a timestamp is a `fractions.Fraction` of
seconds. The writer keeps size, timestamps, sound and colours of what was read.
"""

from vgan.video.images import IMAGE_SUFFIXES, is_image, read_image
from vgan.video.reader import VIDEO_SUFFIXES, VideoReader
from vgan.video.writer import VideoWriter

__all__ = [
    "IMAGE_SUFFIXES",
    "VIDEO_SUFFIXES",
    "VideoReader",
    "VideoWriter",
    "is_image",
    "read_image",
]
