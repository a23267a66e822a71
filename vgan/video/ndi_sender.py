"""NDI: pictures and sound to other programs in the local network, by cyndilib.

The name is announced by mDNS, and whoever asks is sent to; nothing is encrypted. RGB
goes out: NDI itself converts to the YCbCr that it sends.
"""

import contextlib
import io
import logging
import os
import typing
from collections.abc import Iterator
from fractions import Fraction

import av
import cv2
import numpy as np

from vgan import InputError
from vgan.video.clock import Clock
from vgan.video.codecs import Coding
from vgan.video.ndi_source import PREFIX, library

if typing.TYPE_CHECKING:
    from vgan.video.reader import VideoReader

_log = logging.getLogger("vgan")
_RATE, _SAMPLES = 48_000, 1024  # of sound: a second, at once


class NDISender:
    """Frames and sound to whoever in the local network asks for a source of that name.

    What comes faster than in real time, as of a film, waits for its time. Sound is
    stereo, at 48 kHz. An odd row or column at the bottom or right is cut off.

    Args:
        address: "ndi:" and the name that the source is to have.
        like: VideoReader that the frames come from, or None.
        fps: Frames per second, a Fraction.
        coding: Of which there is nothing to choose.

    Raises:
        InputError: There is no name, or cyndilib is missing; or, from write, another
            program on this computer has that name.
    """

    def __init__(
        self,
        address: str | os.PathLike,
        like: "VideoReader | None",
        fps: Fraction,
        coding: Coding,
    ) -> None:
        coding.refuse("NDI")
        self._address, self._fps = str(address), Fraction(fps)
        self._ndi = library(self._address)
        self._is_live = getattr(like, "is_live", False)
        self._sender = None
        self._sound = self._due = None
        if getattr(like, "audio", None):
            self._sound = _sound(like)
            self._due = next(self._sound, None)
        elif getattr(like, "has_sound", False):
            _log.warning("%s: the sound of a live source is not kept", like.source)

    def write(self, frame: np.ndarray, seconds: Fraction) -> None:
        """Send a uint8 RGB frame `[H, W, 3]` and its sound; wait where it is early."""
        height, width = (side // 2 * 2 for side in frame.shape[:2])
        if self._sender is None:
            self._open(width, height)
        picture = cv2.cvtColor(frame[:height, :width], cv2.COLOR_RGB2RGBA)
        self._sender.write_video(picture.reshape(-1))
        while self._due is not None and self._due[0] < seconds + 1 / self._fps:
            self._sender.write_audio(self._due[1])
            self._due = next(self._sound, None)

    def _open(self, width, height):
        ndi = self._ndi
        picture, sound = ndi.VideoSendFrame(), ndi.AudioSendFrame(_SAMPLES)
        picture.set_resolution(width, height)
        picture.set_frame_rate(self._fps.limit_denominator(1001))
        picture.set_fourcc(ndi.wrapper.FourCC.RGBX)
        sound.sample_rate, sound.num_channels = _RATE, 2
        sender = ndi.Sender(
            self._address.removeprefix(PREFIX),
            clock_video=not self._is_live,
            clock_audio=False,
        )
        sender.set_video_frame(picture)
        # Without it, cyndilib crashes where it should say that the name is taken; and
        # what it says goes where a pipe of frames may be.
        sender.set_audio_frame(sound)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                sender.open()
        except MemoryError:
            raise InputError(
                f"{self._address}: another program on this computer sends under that "
                "name; give another"
            ) from None
        self._sender = sender

    def finish(self, complete: bool) -> None:
        """Leave the network."""
        self.abandon()

    def abandon(self) -> None:
        """Leave the network."""
        if self._sound is not None:
            self._sound.close()
        if self._sender is not None:
            self._sender.close()
            self._sender = None


def _sound(like: "VideoReader") -> Iterator[tuple[Fraction, np.ndarray]]:
    """(Second, float32 `[2, samples]`) of the first sound track that is with a picture.

    What cannot be decoded is left out; where nothing can, it ends, and the reader says.
    """
    with av.open(like.again, timeout=10.0, metadata_errors="replace") as container:
        tracks = [container.streams[index] for index in like.tracks[:2]]
        resampler = av.AudioResampler("fltp", "stereo", _RATE, frame_size=_SAMPLES)
        try:
            for packet in Clock(container).steady(container.demux(tracks)):
                if packet.stream.type != "audio":
                    continue
                frames = []
                with contextlib.suppress(av.InvalidDataError):
                    frames = packet.decode()
                for piece in (p for f in frames for p in resampler.resample(f)):
                    second = piece.pts * piece.time_base - like.origin
                    if second >= 0 or not like.offset:  # it is in the cut
                        yield second, piece.to_ndarray()
        except (av.FFmpegError, ValueError) as error:
            like.sound_damage = f"its sound ends early ({error})"
            _log.warning("%s: %s", like.source, like.sound_damage)
