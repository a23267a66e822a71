"""NDI: pictures of another program in the local network, by cyndilib.

They come as RGB: NDI itself converts from the YCbCr that it sends, so both ends agree
about the matrix.
"""

import logging
import threading
import time
import types
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np

from vgan import InputError
from vgan.video.color import ToRGB

_log = logging.getLogger("vgan")
PREFIX = "ndi:"
_PAUSE = 0.004  # seconds between two looks for a frame
_LISTING = 3  # seconds to look for sources, where none is named
_JUMP = 10  # seconds: a longer step is one of the sender's clock


class NDISource:
    """Frames of an NDI source; see VideoReader for the attributes.

    Timestamps are those of the sender's clock, from the first frame on. Its sound is
    not kept. A sender that ends or stalls is waited for, and so is the first frame.

    Args:
        address: "ndi:" and the name of the source, with or without its computer's, as
            in "ndi:studio" and "ndi:HOST (studio)".
        timeout: Seconds to wait for the source, and for each frame.
        size: (H, W) that frames are scaled to, or None.
        window: Part of each frame that is shown, or None; see VideoReader.
        reconnect: Seconds to wait for a sender that is away.

    Raises:
        InputError: There is no such source, it sends nothing, or cyndilib is missing.
    """

    is_live = True
    is_indexed = False
    again = audio = colors = doubt = duration = end = names = num_frames = path = None
    sample_aspect_ratio = hdr = None
    alpha, depth, deep, keep_alpha = False, 8, False, False
    has_sound = False  # that could be copied
    origin = Fraction(0)
    time_base = Fraction(1, 90_000)
    tracks = ()

    def __init__(
        self,
        address: str,
        timeout: float,
        size: tuple[int, int] | None = None,
        window: tuple[float, float, float, float] | None = None,
        reconnect: float = 0,
    ) -> None:
        ndi = library(address)
        self._name, self._timeout, self._reconnect = address, timeout, reconnect
        self._closing = threading.Event()
        self._away = None  # why nothing comes
        self._broke_off = self._resized = self._heard = False
        self._finder, source = _find(ndi, address, timeout)
        self._receiver = ndi.Receiver(
            color_format=ndi.wrapper.RecvColorFormat.RGBX_RGBA,
            bandwidth=ndi.wrapper.RecvBandwidth.highest,
            allow_video_fields=False,  # NDI deinterlaces
            recv_name="vgan",
        )
        # This, and not `receive`: it waits for nothing, where that holds up all threads
        # of Python, and the two take frames from one another.
        self._newest = ndi.VideoFrameSync()
        self._receiver.frame_sync.set_video_frame(self._newest)
        self._receiver.set_source(source)
        self._stamp = self._stamps()
        self._first = self._next(reconnect=0)
        if self._first is None:
            self.close()
            raise InputError(
                f"{address}: no frame came, {self._away}; check the sender"
            )
        self._to_rgb = ToRGB(self._first, size, window, sited=None)
        self.width, self.height = self._to_rgb.width, self._to_rgb.height
        rate = Fraction(self._newest.get_frame_rate() or 0)
        self.fps = rate if 0 < rate <= 1000 else Fraction(25)

    def frames(
        self, start: Fraction
    ) -> Iterator[tuple[av.VideoFrame, Fraction, Fraction]]:
        """Yield (frame, timestamp, duration) as they come; `start` is 0."""
        frame, self._first = self._first, None
        frame = self._next(self._reconnect) if frame is None else frame
        timestamp, zero = Fraction(0), self._stamp[0]
        while frame is not None:
            yield frame, timestamp, 1 / self.fps
            (before, _), arrived = self._stamp, self._arrived
            del frame
            frame = self._next(self._reconnect)
            if not 0 < self._stamp[0] - before < _JUMP:  # another clock: ours goes on
                zero += self._stamp[0] - before - (self._arrived - arrived)
            ticks = round((self._stamp[0] - zero) / self.time_base)
            timestamp = max(ticks * self.time_base, timestamp + self.time_base)

    def _next(self, reconnect):
        """The next frame; None where it was closed, or was away for too long."""
        since = time.monotonic()
        while not self._closing.wait(_PAUSE):
            self._receiver.frame_sync.capture_video()
            width, height = self._newest.get_resolution()
            now = time.monotonic()
            if width and self._stamps() != self._stamp:
                self._stamp, self._arrived = self._stamps(), now
                if self._away is not None:
                    _log.warning("%s: is back after %.0f s", self._name, now - since)
                    self._away = None
                self._mention_sound()
                rows = self._newest.get_array().reshape(height, -1)
                picture = rows[:, : 4 * width].reshape(height, width, 4)
                return av.VideoFrame.from_ndarray(picture, format="rgba")
            if self._away is None:
                self._miss(now - since, width, reconnect)
                since = since if self._away is None else now
            if self._away is not None and now - since >= reconnect:
                self._broke_off = True
                return None
        return None

    def _stamps(self):
        # Senders of old versions know the second alone.
        return self._newest.get_timestamp_posix(), self._newest.get_timecode_posix()

    def _miss(self, seconds, came, reconnect):
        """See whether the sender is away, where no frame came for these seconds."""
        gone = came and not self._receiver.get_num_connections()
        if self._closing.is_set():  # which ends the connection, too
            return
        if gone:
            self._away = "its sender is gone"
        elif seconds > self._timeout:
            self._away = f"nothing came for {self._timeout:g} s"
        else:
            return
        if reconnect:
            what = f"{self._away}; waiting {reconnect:g} s for it to come back"
            _log.warning("%s: %s", self._name, what)
        elif came:
            _log.warning("%s: ends early (%s)", self._name, self._away)

    def _mention_sound(self):
        if self._heard:
            return
        self._heard = self._receiver.get_performance_data()["audio"]["frames_total"] > 0
        if self._heard:
            _log.warning("%s: the sound of a live source is not kept", self._name)

    def picture(self, frame: av.VideoFrame) -> np.ndarray:
        """What is shown of a frame of `frames`, uint8 RGB `[H, W, 3]`."""
        if not self._resized and not self._to_rgb.fits(frame):
            self._resized = True
            self._to_rgb.pixel_shape = Fraction(1)
            _log.warning(
                "%s: the picture changes to %d x %d on the way: resized to the first's",
                self._name, frame.width, frame.height,
            )  # fmt: skip
        return self._to_rgb(frame)

    @property
    def damage(self) -> str | None:
        """Why it ended; None where it did not."""
        return f"it broke off ({self._away})" if self._broke_off else None

    def close(self) -> None:
        """End the connection."""
        self._closing.set()
        self._receiver.disconnect()


def library(address: str) -> types.ModuleType:
    """Return cyndilib.

    Args:
        address: What needs it, for the message.

    Raises:
        InputError: It is not installed.
    """
    try:
        import cyndilib
    except ImportError as error:
        raise InputError(
            f"{address}: cyndilib is not installed; pip install -e '.[ndi]'"
        ) from error
    return cyndilib


def _find(ndi, address, timeout):
    """The finder, which must live on, and the source of that name."""
    name = address.removeprefix(PREFIX)
    end = time.monotonic() + (timeout if name else min(timeout, _LISTING))
    finder = ndi.Finder()
    while True:
        names = sorted(finder.update_sources())
        found = [n for n in names if name and (n == name or n.endswith(f" ({name})"))]
        if found:
            break
        if time.monotonic() > end:
            seen = ", ".join(PREFIX + name for name in names[:10]) or "none"
            what = "there is no such NDI source" if name else "has no name"
            raise InputError(
                f"{address}: {what}; those seen on the local network: {seen}"
            )
        time.sleep(0.1)
    if len(found) > 1:
        several = " or ".join(PREFIX + name for name in found)
        raise InputError(f"{address}: several computers send it; give {several}")
    return finder, finder.get_source(found[0])
