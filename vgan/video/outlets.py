"""Where frames go while they are made: a pipe, a network address, a virtual camera.

Each has write(frame `[H, W, 3]`, seconds), finish(complete) and abandon(), as the
encoders of files do; but what is written is gone, so nothing is taken back.
"""

import errno
import logging
import os
import re
import sys
import typing
from fractions import Fraction

import av
import numpy as np
from av.codec.context import Flags
from av.video.frame import PictureType

from vgan import InputError
from vgan.video import tags
from vgan.video.codecs import Coding
from vgan.video.color import ToYUV, matrix_for
from vgan.video.encoders import Movie
from vgan.video.loopback import SystemCamera, VirtualCamera
from vgan.video.ndi_sender import NDISender
from vgan.video.ndi_source import PREFIX
from vgan.video.opening import public, refuse_unknown
from vgan.video.sound import Sound

if typing.TYPE_CHECKING:
    from vgan.video.reader import VideoReader

_log = logging.getLogger("vgan")
_PROTOCOLS = {
    "rtmp": "flv", "rtmps": "flv", "tcp": "mpegts", "udp": "mpegts", "rtsp": "rtsp",
    "srt": "mpegts",
}  # fmt: skip
_TIMEOUT = 10  # seconds to wait for the other side
_KEYFRAMES = 2  # seconds from one to the next: how long a viewer who joins waits


def find(
    path: str | os.PathLike,
) -> "type[Y4M | VirtualCamera | SystemCamera | NDISender | Broadcast] | None":
    """Return the class of the outlet that `path` names, or None if it is a file.

    Raises:
        InputError: An address whose protocol cannot be written, or without a name.
    """
    text = str(path)
    if text == "-":
        return Y4M
    if text == "camera":
        return SystemCamera
    if text == PREFIX:
        raise InputError(f"{text}: has no name; give one, such as {PREFIX}vgan")
    if text.startswith(PREFIX):
        return NDISender
    if re.fullmatch(r"/dev/video\d+", text):
        return VirtualCamera
    protocol = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", text)
    if not protocol:
        return None
    if protocol[1].lower() not in _PROTOCOLS:
        raise InputError(
            f"{public(text)}: cannot send to {protocol[1]}://; "
            f"give {', '.join(f'{name}://' for name in _PROTOCOLS)}"
        )
    refuse_unknown(text, public(text))
    return Broadcast


class Y4M:
    """Raw video (YUV4MPEG2) on standard output, for the next program of a pipe.

    4:2:0, or 4:4:4 where a side is odd; no sound. The format has one frame rate and no
    times: a frame is repeated until the next is due, and one that comes before its
    predecessor is over is left out.

    While it is open, whatever else this process prints goes to standard error.

    Args:
        address: "-".
        like: VideoReader that the frames come from, or None.
        fps: Frames per second, a Fraction.
        coding: Of which there is nothing to choose.

    Raises:
        InputError: Standard output is a terminal or closed; or, later, nobody reads it.
    """

    takes_enlarged = True  # an EnlargedPicture, too

    def __init__(
        self,
        address: str | os.PathLike,
        like: "VideoReader | None",
        fps: Fraction,
        coding: Coding,
    ) -> None:
        coding.refuse("raw video")
        if sys.stdout is None:
            raise InputError(
                "-: standard output is closed; pipe it on, or give a file as the output"
            )
        if os.isatty(1):
            raise InputError(
                "-: standard output is a terminal; "
                "pipe it on, such as ... | ffmpeg -i - out.mp4"
            )
        self._fps = Fraction(fps).limit_denominator(100_000)
        self._aspect = getattr(like, "sample_aspect_ratio", None) or Fraction(1)
        self._like = like
        self._picture = self._start = self._last = self._to_yuv = None
        self._count = self._dropped = 0
        tags.leave_out(like, "raw video", holds=("shape",))
        sys.stdout.flush()
        self._file = os.dup(1)
        os.dup2(2, 1)

    def write(self, frame: np.ndarray, seconds: Fraction) -> None:
        """Append a uint8 RGB frame `[H, W, 3]` shown from `seconds` on."""
        if self._to_yuv is None:
            self._start = seconds
            self._begin(*frame.shape[:2])
        self._last = seconds
        missing = round((seconds - self._start) * self._fps) - self._count
        if missing < 0:
            self._dropped += 1
            return
        self._repeat(missing)
        self._picture = b"FRAME\n" + self._to_yuv(frame).to_ndarray().tobytes()
        self._send(self._picture)
        self._count += 1

    def _repeat(self, times):
        for _ in range(times):
            self._send(self._picture)
            self._count += 1

    def _begin(self, height, width):
        odd = height % 2 or width % 2
        self._to_yuv = ToYUV("yuv444p" if odd else "yuv420p", matrix_for(width, height))
        rate, aspect = self._fps, self._aspect
        chroma = "444" if odd else "420mpeg2"
        self._send(
            f"YUV4MPEG2 W{width} H{height} F{rate.numerator}:{rate.denominator} Ip "
            f"A{aspect.numerator}:{aspect.denominator} C{chroma} XCOLORRANGE=LIMITED\n"
            .encode()
        )  # fmt: skip

    def _send(self, data):
        data = memoryview(data)
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except BrokenPipeError:
            raise InputError(
                f"-: the program that reads the output ended after {self._count} frames"
            ) from None

    def finish(self, complete: bool) -> None:
        """End; the rest of the process prints to standard output again."""
        second, seconds = getattr(self._like, "shown", None) or (None, 0)
        if complete and second is not None and second == self._last:
            end = second + seconds - self._start
            self._repeat(round(end * self._fps) - self._count)
        if self._dropped:
            _log.warning(
                "raw video at %.6g frames/s: %d frames in between left out",
                self._fps, self._dropped,
            )  # fmt: skip
        self.abandon()

    def abandon(self) -> None:
        """End as it is."""
        if self._file is not None:
            sys.stdout.flush()  # belongs to standard error still
            os.dup2(self._file, 1)
            os.close(self._file)
            self._file = None


class Broadcast(Movie):
    """H.264, or what is asked for, and sound, live to a network address.

    rtmp:// as FLV, udp:// and tcp:// as MPEG-TS, rtsp:// to a server that takes it.
    Coded for low latency, a key frame every two seconds; an odd row or column at the
    bottom or right is cut off. FFmpeg's `fifo` muxer connects and sends in a thread of
    its own, so a slow network holds up the picture only when two seconds of it wait.

    Args:
        address: Where to send to.
        like: VideoReader that the frames come from, or None.
        fps: Average frames per second, a Fraction.
        coding: How the picture is coded.

    Raises:
        InputError: From write or finish: there is no connection, or it was lost.
    """

    _QUALITY = 21  # half the bits of a file: networks carry it

    def __init__(
        self,
        address: str | os.PathLike,
        like: "VideoReader | None",
        fps: Fraction,
        coding: Coding,
    ) -> None:
        self._address = str(address)
        self._format = _PROTOCOLS[self._address.split("://")[0].lower()]
        super().__init__(address, like, fps, coding)
        # FLV counts milliseconds, MPEG-TS 1/90000 s.
        self._time_base = Fraction(1, 1000 if self._format == "flv" else 90_000)
        self._gap = max(1, round(1 / fps / self._time_base))
        self._last_key = None

    def _begin(self, height, width):
        wait = _TIMEOUT * 1_000_000
        options = {
            "flv": f"rw_timeout={wait}:flvflags=no_duration_filesize",
            "rtsp": f"timeout={wait}:rtsp_transport=tcp",
            "mpegts": f"rw_timeout={wait}",
        }[self._format]
        if self._address.startswith("udp"):
            options += ":pkt_size=1316"  # seven packets of MPEG-TS fit a network's
        self._container = av.open(
            self._address,
            "w",
            format="fifo",
            options={
                "fifo_format": self._format,
                "format_opts": options,
                "queue_size": str(max(8, min(round(2 * self._fps), 240))),
            },
        )
        self._add_picture(width, height)
        if self._format != "mpegts":
            self._stream.codec_context.flags |= Flags.global_header
        self._sound = Sound(self._like, self._container, self._suffix())

    def _suffix(self):
        return f".{self._format}"

    def _codec_options(self, pixel_format):
        options = super()._codec_options(pixel_format)
        options.pop("rc-lookahead", None)
        if self._coder.encoder in ("libx264", "libx265"):
            options["tune"] = "zerolatency"
        return options

    def write(self, frame: np.ndarray, seconds: Fraction) -> None:
        """Append a uint8 RGB frame `[H, W, 3]` shown from `seconds` on."""
        height, width = (size // 2 * 2 for size in frame.shape[:2])
        with self._one_line():
            super().write(frame[:height, :width], seconds)

    def _prepare(self, picture):
        since = picture.pts - (self._last_key or 0)
        if self._last_key is None or since * self._time_base >= _KEYFRAMES:
            picture.pict_type = PictureType.I
            self._last_key = picture.pts

    def finish(self, complete: bool) -> None:
        """Send what is left and say goodbye."""
        with self._one_line():
            super().finish(complete)

    def _one_line(self):
        return _Explained(public(self._address))


class _Explained:
    """Turns FFmpeg's errors of a connection into one line for the user."""

    def __init__(self, name):
        self._name = name

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if not isinstance(error, (OSError, av.FFmpegError)):
            return
        if error.errno == errno.ECONNREFUSED:
            what = "nobody listens there; start the server or check the address"
        else:
            reason = error.strerror or error
            what = f"the connection failed ({reason}); check the server and the network"
        raise InputError(f"{self._name}: {what}") from error
