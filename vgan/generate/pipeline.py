"""Decode, stylize and encode at the same time.

    with Prefetcher(reader) as frames, BackgroundWriter(writer.write) as write:
        for frame, timestamp in frames:
            write(stylizer(frame), timestamp)

What is read ahead and what waits to be written is bounded, so that memory does not grow
with the length of the video. PyAV, OpenCV and the engines release Python's lock.
"""

import queue
import threading
import time
import typing
from collections.abc import Callable, Iterable

PATIENCE = 2  # seconds; a reader may wait for a pipe or a network for ever
DEPTH = 3  # frames; more does not help, as stages take about the same time each frame
_END = object()


class Prefetcher:
    """An iterable, read by a thread a few items ahead of who takes them.

    An exception of the iterable is raised where its item would have been.

    Args:
        items: What to read.
        depth: Most items that wait.

    Attributes:
        seconds: Time that reading took so far.
    """

    def __init__(self, items: Iterable[typing.Any], depth: int = DEPTH) -> None:
        self.seconds = 0.0
        self._items = iter(items)
        self._queue = queue.Queue(depth)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while not self._stopped.is_set():
            start = time.perf_counter()
            try:
                item = next(self._items, _END), None
            except BaseException as error:  # handed over, see __next__
                item = _END, error
            self.seconds += time.perf_counter() - start
            if not _put(self._queue, item, self._stopped) or item[0] is _END:
                return

    def __iter__(self) -> typing.Self:
        return self

    def __next__(self) -> typing.Any:
        item, error = self._queue.get()
        if error is not None:
            raise error
        if item is _END:
            self._queue.put((_END, None))  # and again, whoever asks
            raise StopIteration
        return item

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopped.set()
        self._thread.join(PATIENCE)


class BackgroundWriter:
    """A function without a result, called by a thread a little later, in order.

    Its exception is raised by the next call, or at the end. Leaving the block waits for
    all calls, also after Ctrl-C: what was made is kept. After another exception, what
    waits is dropped.

    Args:
        function: What to call.
        depth: Most calls that wait.

    Attributes:
        seconds: Time that the function took so far.
    """

    def __init__(self, function: Callable[..., object], depth: int = DEPTH) -> None:
        self.seconds = 0.0
        self._function = function
        self._queue = queue.Queue(depth)
        self._failed = threading.Event()
        self._error = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self):
        while (arguments := self._queue.get()) is not _END:
            start = time.perf_counter()
            try:
                self._function(*arguments)
            except BaseException as error:  # handed over, see __call__
                self._error = error
                self._failed.set()
                return
            self.seconds += time.perf_counter() - start

    def __call__(self, *arguments: object) -> None:
        """Have the function called with these; wait only if too many wait already."""
        if not _put(self._queue, arguments, self._failed):
            self._raise()

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: object,
    ) -> None:
        if kind is not None and not issubclass(kind, KeyboardInterrupt):
            while not self._queue.empty():
                self._queue.get_nowait()
        _put(self._queue, _END, self._failed)
        self._thread.join()
        if kind is None:
            self._raise()

    def _raise(self):
        if self._error is not None:
            error, self._error = self._error, None
            raise error


def _put(waiting, item, stopped):
    """Put an item into a queue, unless it is stopped; return whether it was put."""
    while not stopped.is_set():
        try:
            waiting.put(item, timeout=0.05)
        except queue.Full:
            continue
        return True
    return False
