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

from vgan import InputError
from vgan.video import tags
from vgan.video.codecs import Coding, bits, has_alpha, is_rgb, opened_quietly
from vgan.video.color import BT709, BT2020, ToYUV, matrix_for
from vgan.video.exr import write_exr
from vgan.video.hdr import Widened
from vgan.video.images import NUMBER
from vgan.video.planes import FORMATS
from vgan.video.sound import Sound
from vgan.video.spare import SparedFile

if typing.TYPE_CHECKING:
    from vgan.video.reader import VideoReader

_log = logging.getLogger("vgan")
_LIMITED, _FULL = 1, 2
_257 = np.uint16(257)  # 8 bits to 16
_RGB = 0  # in the place of a matrix
_KINDS = {".m4v": ".mp4", ".ts": ".mpegts", ".m3u8": ".mpegts"}
_OF_APPLE = (".mp4", ".mov", ".m4v")
_HELD_BACK = 20  # bytes per pixel: what an encoder's look-ahead gives at the end


class Movie:
    """H.264 or what is asked for, VP9 in WebM; with the sound of the source.

    Args:
        path: File to write; its suffix tells the container.
        like: VideoReader that the frames come from, or None.
        fps: Average frames per second, a Fraction.
        coding: How the picture is coded.
    """

    _QUALITY = 11  # 40 dB and more on real clips, small noisy ones too

    def __init__(
        self,
        path: pathlib.Path,
        like: "VideoReader | None",
        fps: Fraction,
        coding: Coding,
    ) -> None:
        self._path, self._like, self._fps = path, like, fps
        suffix = self._suffix()
        self._coder = coding.into(suffix)
        self.codec = self._coder.name
        self._time_base = _fine(getattr(like, "time_base", None) or 1 / fps)
        if suffix == ".avi":  # counts frames
            self._time_base = 1 / fps
        elif suffix in (".ts", ".m3u8"):
            self._time_base = Fraction(1, 90_000)
        self._container = self._sound = self._file = None
        self._last = None
        self._gap = max(1, round(1 / fps / self._time_base))
        self._depth = getattr(like, "depth", None) or 8
        hdr = getattr(like, "hdr", None)
        self._widened = hdr and coding.hdr == "keep" and Widened(*hdr)
        self._has_alpha = bool(getattr(like, "alpha", False))
        pixel_format = self._coder.pixel_format(self._depth, self._has_alpha)
        self.deep, self.alpha = bits(pixel_format) > 8, has_alpha(pixel_format)
        # An EnlargedPicture, too.
        self.takes_enlarged = pixel_format in FORMATS and not self._widened
        if self._widened and not self.deep:
            raise InputError(
                f"hdr=keep: takes more than 8 bits, and {self._coder.name} gets 8; "
                "give codec=hevc, or pixel_format=yuv420p10"
            )

    def _suffix(self):
        return self._path.suffix.lower()

    def _begin(self, height, width):
        suffix = self._suffix()
        options = {}
        if suffix in (".mp4", ".mov", ".m4v"):
            options["movflags"] = "+faststart"  # play before all is loaded
            # Late starts of sound or picture are rounded to this; FFmpeg's is 1 ms.
            options["movie_timescale"] = str(self._time_base.denominator)
        else:
            # Sound that begins before zero (AAC's run-in) must not delay the picture.
            options["avoid_negative_ts"] = "disabled"
        self._container = self._open(options, _HELD_BACK * height * width)
        self._add_picture(width, height)
        self._sound = Sound(self._like, self._container, _KINDS.get(suffix, suffix))

    def _open(self, options, room):
        self._file = SparedFile(self._path, room)
        # FFmpeg's own choice for .m4v takes neither HEVC nor most sound.
        kind = _KINDS.get(self._suffix(), "").removeprefix(".") or None
        return av.open(self._file, "w", format=kind, options=options)

    def _add_picture(self, width, height):
        odd = bool(width % 2 or height % 2)
        pixel_format = self._coder.pixel_format(self._depth, self._has_alpha, odd)
        options = self._codec_options(pixel_format)
        opened_quietly()
        stream = self._container.add_stream(
            self._coder.encoder, rate=self._fps, options=options
        )
        self._stream = stream
        codec = stream.codec_context
        codec.width, codec.height = width, height
        codec.pix_fmt = pixel_format
        codec.time_base = self._time_base
        stream.time_base = self._time_base
        codec.thread_type = "AUTO"
        matrix = matrix_for(width, height)
        colors = getattr(self._like, "colors", None) or (BT709, BT709)
        if self._widened:
            matrix, colors = BT2020, self._like.hdr[::-1]
        codec.colorspace, codec.color_range = matrix, _LIMITED
        if is_rgb(pixel_format):
            codec.colorspace, codec.color_range = _RGB, _FULL
        codec.color_primaries, codec.color_trc = colors
        if getattr(self._like, "sample_aspect_ratio", None):
            codec.sample_aspect_ratio = self._like.sample_aspect_ratio
        if self._coder.encoder == "libx265" and self._suffix() in _OF_APPLE:
            codec.codec_tag = "hvc1"  # QuickTime plays no other
        self._to_yuv = ToYUV(pixel_format, matrix)
        try:
            if not codec.is_open:  # now, to say of which size it is
                codec.open()
        except (ValueError, av.FFmpegError) as error:
            raise InputError(
                self._coder.refusal(pixel_format, width, height, error.strerror)
            ) from error

    def _codec_options(self, pixel_format):
        options = self._coder.options(pixel_format, self._QUALITY)
        if self._coder.encoder == "libx264" and self._suffix() == ".avi":
            options["bf"] = "0"  # AVI does not say when a frame is shown
        return options

    def write(self, frame: np.ndarray, seconds: Fraction) -> None:
        """Append an RGB or RGBA frame, uint8 or uint16, shown from `seconds` on."""
        if self._container is None:
            self._begin(*frame.shape[:2])
        if self._widened:
            frame = frame if frame.dtype == np.uint16 else frame * _257
            wide = self._widened(frame[..., :3])
            frame = np.dstack([wide, frame[..., 3:]]) if frame.shape[2] == 4 else wide
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


class Playlist(Movie):
    """An HLS playlist, .m3u8, and beside it one .ts of the same name, cut by bytes."""

    _SECONDS = 4  # of a segment, each of which begins with a key frame

    def _open(self, options, room):
        media = self.media(self._path)
        return av.open(
            str(self._path.absolute()),
            "w",
            format="hls",
            options={
                "hls_flags": "single_file",
                "hls_playlist_type": "vod",
                "hls_time": str(self._SECONDS),
                "hls_segment_filename": str(media.absolute()),
            },
        )

    def _codec_options(self, pixel_format):
        every = max(1, round(self._SECONDS * self._fps))
        return {**super()._codec_options(pixel_format), "g": str(every)}

    @staticmethod
    def media(path: pathlib.Path) -> pathlib.Path:
        """Path of the file that a playlist of that path is of."""
        return path.with_suffix(".ts")

    @classmethod
    def rename(cls, playlist: pathlib.Path, name: str) -> None:
        """Have a playlist name its file so, in place of as it was written."""
        text = playlist.read_text("utf-8").replace(cls.media(playlist).name, name)
        playlist.write_text(text, "utf-8")


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
        coding: Coding,
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
    """Pictures in a folder: 000000.png, 000001.png, ..., or named as the source's.

    Args:
        path: The folder.
        like: What the frames come from; names, {timestamp: name}, if they have some.
        fps: Not used.
        coding: How they are coded, as PNG or EXR.
        pattern: Of names, such as "%04d.png", for the numbers that names end in or, if
            there are none, from 0 on; or None.
    """

    def __init__(
        self,
        path: pathlib.Path,
        like: "VideoReader | None",
        fps: Fraction,
        coding: Coding,
        pattern: str | None = None,
    ) -> None:
        self._path, self._count, self._pattern = path, 0, pattern
        self._names = getattr(like, "names", None) or {}
        self._suffix = ".exr" if coding.codec == "exr" else ".png"
        self.alpha, self.deep = True, self._suffix == ".exr"
        if pattern:
            numbers = [_last_number(name) for name in self._names.values()]
            if None in numbers or len(set(numbers)) < len(numbers):
                self._names = {}
        tags.leave_out(
            like, "a folder of pictures" if self.deep else "a folder of PNGs"
        )

    def write(self, frame: np.ndarray, seconds: Fraction) -> None:
        """Append a uint8 RGB frame `[H, W, 3]` shown from `seconds` on."""
        name = self._names.get(seconds, f"{self._count:06d}")
        self._count += 1
        if self._pattern:
            number = _last_number(name)
            name = NUMBER.sub(lambda to: f"{number:{to[1] or ''}d}", self._pattern, 1)
        else:
            name += self._suffix
        path = self._path / name
        try:
            if self.deep:
                write_exr(path, frame)
            else:
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
