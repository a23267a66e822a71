"""FFmpeg's filters, as they are needed here."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from av import VideoFrame
from av.filter import Graph


class Filters:
    """A chain of FFmpeg's filters that gives a frame for each.

    Args:
        frame: One of those to come; all have its size and format.
        *chain: (name, arguments) of each filter.
    """

    def __init__(self, frame: VideoFrame, *chain: tuple[str, str]) -> None:
        graph = self._graph = Graph()
        self._source = graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format.name,
            time_base=frame.time_base or Fraction(1, 25),
        )
        self._sink = graph.add("buffersink")
        filters = [graph.add(name, arguments) for name, arguments in chain]
        graph.link_nodes(self._source, *filters, self._sink).configure()

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        """Return what becomes of a frame."""
        self._source.push(frame)
        return self._sink.pull()

    def all(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """Yield what is ready after a frame, none or several; None ends it."""
        self._source.push(frame)
        with contextlib.suppress(BlockingIOError, EOFError):
            while True:
                yield self._sink.pull()


def deinterlaced(
    frames: Iterable[VideoFrame], found: Callable[[], None]
) -> Iterator[VideoFrame]:
    """Yield a whole picture for each frame, at the same time.

    Frames that are not interlaced stay as they are. From the first one on that is, each
    comes one frame late: FFmpeg's bwdif looks at its neighbors.

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
