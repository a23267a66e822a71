"""What a VideoWriter writes with: a movie container, a GIF, numbered PNGs.

Each has write(frame `[H, W, 3]`, seconds), finish(complete) and abandon().
"""

import contextlib
import logging
import pathlib
import re
import typing
from fractions import Fraction

import av
import numpy as np
from PIL import Image

from vgan.video import tags
from vgan.video.color import BT709, ToYUV, matrix_for
from vgan.video.images import NUMBER
from vgan.video.sound import Sound
from vgan.video.spare import SparedFile

if typing.TYPE_CHECKING:
    from vgan.video.reader import VideoReader

_log = logging.getLogger("vgan")
_CRF = 11  # 40 dB and more on real clips, small noisy ones too
_LIMITED = 1
_HELD_BACK = 20  # bytes per pixel: what an encoder's look-ahead gives at the end


class Movie:
    """H.264 in MP4, MOV, MKV; VP9 in WebM; with the sound of the source.

    Args:
        path: File to write; its suffix tells the container.
        like: VideoReader that the frames come from, or None.
        fps: Average frames per second, a Fraction.
        quality: x264's constant rate factor, or None.
    """

    takes_enlarged = True  # an EnlargedPicture, too

    def __init__(
        self,
        path: pathlib.Path,
        like: "VideoReader | None",
        fps: Fraction,
        quality: float | None,
    ) -> None:
        self._path, self._like, self._fps = path, like, fps
        self._crf = _CRF if quality is None else quality
        self._time_base = _fine(getattr(like, "time_base", None) or 1 / fps)
        self._container = self._sound = self._file = None
        self._last = None
        self._gap = max(1, round(1 / fps / self._time_base))

    def _begin(self, height, width):
        suffix = self._path.suffix.lower()
        webm = suffix == ".webm"
        options = {}
        if suffix in (".mp4", ".mov"):
            options["movflags"] = "+faststart"  # play before all is loaded
            # Late starts of sound or picture are rounded to this; FFmpeg's is 1 ms.
            options["movie_timescale"] = str(self._time_base.denominator)
        else:
            # Sound that begins before zero (AAC's run-in) must not delay the picture.
            options["avoid_negative_ts"] = "disabled"
        self._container = self._open(options, _HELD_BACK * height * width)
        # 4:2:0 is what every player shows, but H.264 can only crop it to even sizes.
        # 4:4:4 keeps odd ones; browsers on FFmpeg, VLC and mpv play it, Apple does not.
        odd = (width % 2 or height % 2) and not webm
        self._add_picture(
            "libvpx-vp9" if webm else "libx264",
            self._codec_options(webm),
            (width, height),
            "yuv444p" if odd else "yuv420p",
        )
        self._sound = Sound(self._like, self._container, suffix)

    def _open(self, options, room):
        self._file = SparedFile(self._path, room)
        return av.open(self._file, "w", options=options)

    def _add_picture(self, name, options, size, pixel_format):
        stream = self._container.add_stream(name, rate=self._fps, options=options)
        self._stream = stream
        codec = stream.codec_context
        codec.width, codec.height = size
        codec.pix_fmt = pixel_format
        codec.time_base = self._time_base
        stream.time_base = self._time_base
        codec.thread_type = "AUTO"
        matrix = matrix_for(*size)
        codec.colorspace, codec.color_range = matrix, _LIMITED
        colors = getattr(self._like, "colors", None) or (BT709, BT709)
        codec.color_primaries, codec.color_trc = colors
        if getattr(self._like, "sample_aspect_ratio", None):
            codec.sample_aspect_ratio = self._like.sample_aspect_ratio
        self._to_yuv = ToYUV(pixel_format, matrix)

    def _codec_options(self, webm):
        if webm:  # 0..63 where x264 has 0..51
            return {
                "crf": str(round(self._crf * 63 / 51)),
                "b": "0",
                "deadline": "good",
                "cpu-used": "5",
                "row-mt": "1",
            }
        # A short look-ahead bounds the memory that large frames take. To divide blocks
        # that move takes a third of the time, and at this quality saves no bits.
        return {
            "crf": str(self._crf),
            "preset": "veryfast",
            "rc-lookahead": "20",
            "partitions": "i8x8,i4x4",
        }

    def write(self, frame: np.ndarray, seconds: Fraction) -> None:
        """Append a uint8 RGB frame `[H, W, 3]` shown from `seconds` on."""
        if self._container is None:
            self._begin(*frame.shape[:2])
        if self._file is not None and self._file.full:
            raise self._file.full
        pts = max(0, round(seconds / self._time_base))
        if self._last is not None:
            pts = max(pts, self._last + 1)
            self._gap = pts - self._last
        self._last = pts
        picture = self._to_yuv(frame)
        picture.pts, picture.time_base = pts, self._time_base
        self._prepare(picture)
        self._mux(self._stream.encode(picture))
        self._sound.copy_until(pts * self._time_base)

    def _prepare(self, picture):
        """Say to the encoder how to code this frame; the encoder knows best."""

    def _mux(self, packets):
        for packet in packets:
            if not packet.duration:  # only the last one's matters
                packet.duration = self._gap
            self._container.mux(packet)

    def last_as_in(self, like: "VideoReader | None") -> None:
        """Let the last frame last as long as in the VideoReader it came from."""
        second, seconds = getattr(like, "shown", None) or (None, None)
        if second is not None and round(second / self._time_base) == self._last:
            self._gap = max(1, round(seconds / self._time_base))

    def finish(self, complete: bool) -> int:
        """End the file; sound to its end, or where the picture stops.

        Returns:
            How many of the frames that were given do not fit on the disk any more.
        """
        self.last_as_in(self._like)
        packets = self._stream.encode(None)
        while packets and not (self._file is not None and self._file.is_spent):
            self._mux([packets.pop(0)])
        complete = complete and not packets
        end = (self._last + self._gap) * self._time_base
        self._sound.copy_until(None if complete else end)
        self._sound.finish()
        self._container.close()
        if self._file is not None:
            self._file.close()
        return len(packets)

    def abandon(self) -> None:
        """Close, as the file will be removed."""
        if self._container is not None:
            if self._sound is not None:
                self._sound.close()
            # What cannot be written any more need not be: the file is removed.
            with contextlib.suppress(OSError, av.FFmpegError):
                self._container.close()
        if self._file is not None:
            self._file.close()


def _fine(time_base):
    """1 / n seconds, n so large that rounding to it is not seen, and MP4 takes it."""
    ticks = time_base.denominator
    if ticks > 100_000_000:  # nanoseconds overflow in players
        ticks = 1_000_000
    while ticks < 10_000:
        ticks *= 2
    return Fraction(1, ticks)


class Gif:
    """An animated GIF that loops; each frame has its own palette of 256 colors."""

    _TICK = Fraction(1, 100)

    def __init__(
        self,
        path: pathlib.Path,
        like: "VideoReader | None",
        fps: Fraction,
        quality: float | None,
    ) -> None:
        self._path = path
        self._rate = fps
        self._container = self._file = None
        self._last = None
        self._dropped = 0
        tags.leave_out(like, "a GIF")

    def _begin(self, height, width):
        self._file = SparedFile(self._path)
        self._container = av.open(self._file, "w")
        self._stream = self._container.add_stream("gif", rate=self._rate)
        codec = self._stream.codec_context
        codec.width, codec.height, codec.pix_fmt = width, height, "pal8"
        codec.time_base = self._TICK

    def write(self, frame: np.ndarray, seconds: Fraction) -> None:
        """Append a uint8 RGB frame `[H, W, 3]` shown from `seconds` on."""
        if self._container is None:
            self._begin(*frame.shape[:2])
        if self._file.full:
            raise self._file.full
        pts = round(seconds / self._TICK)
        if self._last is not None and pts < self._last + 2:
            # Browsers show a delay of 0 or 1 hundredth as 10.
            self._dropped += 1
            return
        self._last = pts
        picture = av.VideoFrame.from_ndarray(_paletted(frame), format="pal8")
        picture.pts, picture.time_base = pts, self._TICK
        self._container.mux(self._stream.encode(picture))

    def finish(self, complete: bool) -> None:
        """End the file; sound to its end, or where the picture stops."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        self._file.close()
        if self._dropped:
            _log.warning("a GIF shows at most 50 frames/s: %d left out", self._dropped)

    def abandon(self) -> None:
        """Close, as the file will be removed."""
        if self._container is not None:
            with contextlib.suppress(OSError, av.FFmpegError):
                self._container.close()
            self._file.close()


def _paletted(frame):
    """Indices `[H, W]` and an ARGB palette `[256, 4]`; exact up to 256 colors."""
    image = Image.fromarray(frame)
    if image.getcolors(256):
        image = image.quantize(256, Image.Quantize.MEDIANCUT)
    else:
        palette = image.quantize(256, Image.Quantize.FASTOCTREE)
        image = image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    palette = np.full((256, 4), 255, np.uint8)
    colors = np.array(image.getpalette(), np.uint8).reshape(-1, 3)
    palette[: len(colors), 1:] = colors
    return np.asarray(image), palette


class Pngs:
    """PNGs in a folder: 000000.png, 000001.png, ..., or with the names of the source.

    Args:
        path: The folder.
        like: What the frames come from; names, {timestamp: name}, if they have some.
        fps: Not used.
        quality: Not used.
        pattern: Of names, such as "%04d.png", for the numbers that names end in or, if
            there are none, from 0 on; or None.
    """

    def __init__(
        self,
        path: pathlib.Path,
        like: "VideoReader | None",
        fps: Fraction,
        quality: float | None,
        pattern: str | None = None,
    ) -> None:
        self._path, self._count, self._pattern = path, 0, pattern
        self._names = getattr(like, "names", None) or {}
        if pattern:
            numbers = [_last_number(name) for name in self._names.values()]
            if None in numbers or len(set(numbers)) < len(numbers):
                self._names = {}
        tags.leave_out(like, "a folder of PNGs")

    def write(self, frame: np.ndarray, seconds: Fraction) -> None:
        """Append a uint8 RGB frame `[H, W, 3]` shown from `seconds` on."""
        name = self._names.get(seconds, f"{self._count:06d}")
        self._count += 1
        if self._pattern:
            number = _last_number(name)
            name = NUMBER.sub(lambda to: f"{number:{to[1] or ''}d}", self._pattern, 1)
        else:
            name += ".png"
        path = self._path / name
        try:
            Image.fromarray(frame).save(path, compress_level=3)
        except OSError:
            path.unlink(missing_ok=True)  # a part of one
            raise

    def finish(self, complete: bool) -> None:
        """End the file; sound to its end, or where the picture stops."""

    def abandon(self) -> None:
        """Close, as the file will be removed."""


def _last_number(name):
    found = re.findall(r"\d+", name)
    return int(found[-1]) if found else None
