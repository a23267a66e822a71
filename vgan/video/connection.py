"""A container that is read by one thread and closed by another, and may come back."""

import contextlib
import logging
import pathlib
import threading
import time
from collections.abc import Callable, Iterator

import av

from vgan import InputError
from vgan.video.opening import StandardInput, open_container

_LONGEST_PAUSE = 10  # seconds between two attempts to reach a sender again
_log = logging.getLogger("vgan")


class Connection:
    """What FFmpeg has open; a live address that was away is opened again.

    Args:
        location: As of `open_container`, like the next three.
        name: What messages call it.
        timeout: Seconds to wait for a network.
        camera: Whether `location` is the number of a camera.
        patience: Seconds to wait for an address that is away; 0: not at all.

    Attributes:
        container: The av.InputContainer that is open now, or was last.
        away: Why nothing comes any more; None while something does.
        broke_off: Whether it was away for good.
        gone: Seconds for which nothing came when it was away last.

    Raises:
        InputError: It does not exist, does not respond or is not a video.
    """

    def __init__(
        self,
        location: pathlib.Path | str | StandardInput,
        name: str,
        timeout: float,
        camera: bool = False,
        patience: float = 0,
    ) -> None:
        self._location, self._name, self._timeout = location, name, timeout
        self.is_address = isinstance(location, str) and not camera
        self._patience = patience if self.is_address else 0
        self.away = None
        self.broke_off, self.gone = False, 0.0
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self.container = open_container(location, name, timeout, camera)

    @contextlib.contextmanager
    def reading(self) -> Iterator[bool]:
        """Keep it open, for the thread that reads; gives whether it still is."""
        with self._lock:
            yield not self._closing.is_set()
            if self._closing.is_set():
                self.container.close()

    def lost(self, why: str, silent: float = 0) -> None:
        """Note that nothing comes any more, and why, after some silent seconds."""
        self.away, self._since, self._silent = why, time.monotonic(), silent

    @property
    def is_awaited(self) -> bool:
        """Whether it is away, and may be back in time."""
        return bool(self.away and self._patience)

    def is_back(self, take: Callable[[av.container.InputContainer], object]) -> bool:
        """Wait until what was lost is there again; return whether it is.

        Args:
            take: Called with the container that is open then. Where it raises
                InputError, that one is not what was lost.
        """
        with self.reading() as is_open:
            self.broke_off = not (is_open and self.is_awaited and self._wait(take))
            if not self.broke_off:
                self.away = None
        return not self.broke_off

    def _wait(self, take):
        """The pauses grow, so that a sender that comes up is not flooded."""
        _log.warning(
            "%s: %s; waiting %g s for it to come back",
            self._name, self.away, self._patience,
        )  # fmt: skip
        self.container.close()  # or the port is in use
        pause, until = 1, self._since + self._patience
        while (left := until - time.monotonic()) > 0:
            if self._closing.wait(min(pause, left)):
                return False
            pause = min(2 * pause, _LONGEST_PAUSE)
            try:
                timeout = min(self._timeout, max(left, 1))
                self.container = open_container(self._location, self._name, timeout)
                take(self.container)
            except InputError:
                self.container.close()
                continue
            self.gone = time.monotonic() - self._since + self._silent
            _log.warning("%s: is back after %.0f s", self._name, self.gone)
            return True
        return False

    def close(self) -> None:
        """Close it at once, or when a read that waits ends."""
        self._closing.set()
        # Closed under a thread that reads from it, FFmpeg crashes: that one does it.
        if self._lock.acquire(blocking=False):
            try:
                self.container.close()
            finally:
                self._lock.release()
