"""Frames that come in real time: the newest ones, and files played as a camera.

Live, what is late is worthless: with a consumer slower than its source, `Latest` drops
frames and keeps the delay bounded, where a queue would grow.

    with VideoReader("camera:0") as reader, Latest(reader) as frames:
        for frame, timestamp in frames:  # as new as can be, however slow this is
            ...
"""

import collections
import threading
import time
import typing
from collections.abc import Iterable
from fractions import Fraction

import numpy as np

DEPTH = 2  # frames


class Latest:
    """The newest frames of a source that does not wait.

    A thread reads as fast as frames come and keeps a few. Iterating gives them in
    order, or waits for one; so what the consumer sees is never older than those few
    frames and one of its own, and memory does not grow. Two, so that one late frame of
    the consumer costs none of the source, if it is fast enough by and large.

    The source's end comes after its last frame. What the source raises is raised at
    the consumer, also after the frames before it.

    Args:
        frames: Iterator of (frame `[H, W, 3]`, timestamp), such as a VideoReader.
        depth: Most frames that wait.

    Attributes:
        dropped: Frames that made room for newer ones before anybody took them.
        arrived: When the frame that was given last had come, by time.monotonic().
    """

    def __init__(
        self, frames: Iterable[tuple[np.ndarray, Fraction]], depth: int = DEPTH
    ) -> None:
        self.dropped = 0
        self.arrived = self._error = None
        self._waiting = collections.deque(maxlen=depth)
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
                    self.dropped += len(self._waiting) == self._waiting.maxlen
                    self._waiting.append((item, time.monotonic()))
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
            self._changed.wait_for(lambda: self._waiting or self._ended)
            if self._waiting:
                item, self.arrived = self._waiting.popleft()
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
            self._ended, self._error = True, None
            self._waiting.clear()
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
