"""What a container says is not to be shown of each frame, such as letterbox bars."""

import io
import re

import av

# Matroska's PixelCropLeft, -Top, -Right and -Bottom.
_CROPS = (b"\x54\xcc", b"\x54\xbb", b"\x54\xdd", b"\x54\xaa")


def margins(stream: av.VideoStream) -> tuple[int, int, int, int]:
    """Return the pixels of frames, (left, top, right, bottom), to leave out.

    These are PixelCrop of Matroska and the clean aperture of MP4. PyAV does not tell of
    them, but FFmpeg copies them into the head of a Matroska file, which can be read.
    """
    if not {"matroska", "mov"} & set(stream.container.format.name.split(",")):
        return 0, 0, 0, 0
    head = io.BytesIO()
    try:
        with av.open(head, "w", format="matroska") as container:
            container.add_stream_from_template(stream)
            container.start_encoding()
    except (av.FFmpegError, ValueError):  # Matroska does not take this codec
        return 0, 0, 0, 0
    # The element Video: 0xE0, its length, PixelWidth (0xB0), PixelHeight (0xBA), ...
    length = rb"([\x81-\xfe]|[\x40-\x7f].|\x01.{7})"
    video = re.search(
        rb"\xe0" + length + rb"(?=\xb0[\x81-\x84].{1,4}?\xba)", head.getvalue(), re.S
    )
    if not video:
        return 0, 0, 0, 0
    size = int.from_bytes(video[1]) & ((1 << 7 * len(video[1])) - 1)
    inside = head.getvalue()[video.end() :][:size]
    found = (re.search(re.escape(name) + rb"[\x81-\x84]", inside) for name in _CROPS)
    return tuple(
        int.from_bytes(inside[crop.end() :][: inside[crop.end() - 1] & 15])
        if crop
        else 0
        for crop in found
    )
