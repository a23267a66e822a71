"""Frames that come in real time: the newest only, and files played as a camera.

Live, what is late is worthless: with a consumer slower than its source, `Latest` drops
frames and keeps the delay bounded, where a queue would grow.

    with VideoReader("camera:0") as reader, Latest(reader) as frames:
        for frame, timestamp in frames:  # as new as can be, however slow this is
            ...
"""

import threading
import time
import typing
from collections.abc import Iterable
from fractions import Fraction

import numpy as np


class Latest:
    """The newest frame of a source that does not wait.

    A thread reads as fast as frames come and keeps one. Iterating gives the newest that
    was not given yet, or waits for it; so what the consumer sees is never older than
    one frame of its own plus one of the source, and memory does not grow.

    The source's end comes after its last frame. What the source raises is raised at
    the consumer, also after the frame before it.

    Args:
        frames: Iterator of (frame `[H, W, 3]`, timestamp), such as a VideoReader.

    Attributes:
        dropped: Frames that were replaced by a newer one before anybody took them.
        arrived: When the frame that was given last had come, by time.monotonic().
    """

    def __init__(self, frames: Iterable[tuple[np.ndarray, Fraction]]) -> None:
        self.dropped = 0
        self.arrived = None
        self._newest = self._error = None
        self._ended = False
        self._changed = threading.Condition()
        # A daemon: a source that waits for a network for ever holds up no exit.
        self._thread = threading.Thread(
            target=self._read, args=(iter(frames),), name="latest frame", daemon=True
        )
        self._thread.start()

    def _read(self, frames):
        error = None
        try:
            for item in frames:
                with self._changed:
                    if self._ended:
                        return
                    self.dropped += self._newest is not None
                    self._newest = item, time.monotonic()
                    self._changed.notify()
                del item  # or the last frame of a stalled source is held for long
        except BaseException as caught:
            error = caught
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify()

    def __iter__(self) -> typing.Self:
        return self

    def __next__(self) -> tuple[np.ndarray, Fraction]:
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._ended)
            item, self._newest = self._newest, None
            if item is not None:
                item, self.arrived = item
                return item
            error, self._error = self._error, None
        if error is not None:
            raise error
        raise StopIteration

    def close(self) -> None:
        """Stop at once, though the source may still be waiting for its next frame.

        The source itself stays open; a VideoReader may be closed then.
        """
        with self._changed:
            self._ended, self._newest, self._error = True, None, None
            self._changed.notify()

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Paced:
    """A file in real time, as if it were a camera.

    No frame comes before its timestamp on a clock that starts with the first one. Who
    is slow gets the next frames at once, until it has caught up; put `Latest` around it
    for a source that does not wait.

    Args:
        frames: Iterator of (frame `[H, W, 3]`, timestamp), such as a VideoReader.
    """

    def __init__(self, frames: Iterable[tuple[np.ndarray, Fraction]]) -> None:
        self._frames = iter(frames)
        self._zero = None

    @property
    def now(self) -> float | None:
        """The clock, in seconds as timestamps are; None before the first frame."""
        return None if self._zero is None else time.monotonic() - self._zero

    def __iter__(self) -> typing.Self:
        return self

    def __next__(self) -> tuple[np.ndarray, Fraction]:
        frame, timestamp = next(self._frames)
        if self._zero is None:
            self._zero = time.monotonic() - float(timestamp)
        wait = float(timestamp) - self.now
        if wait > 0:
            time.sleep(wait)
        return frame, timestamp
