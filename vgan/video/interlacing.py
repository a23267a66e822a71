"""Interlaced frames, two fields woven into one, to whole pictures."""

from collections.abc import Callable, Iterable, Iterator

import av

from vgan.video.color import Filters


def deinterlaced(
    frames: Iterable[av.VideoFrame], found: Callable[[], None]
) -> Iterator[av.VideoFrame]:
    """Yield a whole picture for each frame, at the same time.

    Frames that are not interlaced stay as they are. From the first one on that is, each
    comes one frame late: FFmpeg's bwdif looks at its neighbours.

    Args:
        frames: Decoded frames.
        found: Called when interlaced ones begin.
    """
    kind = filters = None
    for frame in frames:
        if filters is None and not frame.interlaced_frame:
            yield frame
            continue
        now = frame.width, frame.height, frame.format.name
        if now != kind:
            if filters is None:
                found()
            else:
                yield from filters.all(None)
            kind, filters = now, _bwdif(frame)
        yield from filters.all(frame)
    if filters is not None:
        yield from filters.all(None)


def _bwdif(frame):
    return Filters(
        frame,
        ("bwdif", "mode=send_frame:deint=interlaced"),
        ("settb", f"expr={frame.time_base}"),  # it has halved the ticks
    )
