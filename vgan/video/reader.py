"""The one way in: a file, folder, camera or stream as frames with timestamps."""

import math
import os
import pathlib
import re
import typing
from fractions import Fraction

import numpy as np

from vgan import InputError
from vgan.video.cut import ROUNDING, WHOLE, Cut
from vgan.video.image_source import GAPS, AnimationSource, ImageSource
from vgan.video.images import IMAGE_SUFFIXES, NUMBER, is_image, refuse_drawing
from vgan.video.ndi_source import PREFIX, NDISource
from vgan.video.opening import StandardInput, public, refuse_unknown
from vgan.video.stream import StreamSource


class VideoReader:
    """Frames of a video and the times at which they are shown.

    Iterating gives `(frame, timestamp)`: uint8 RGB `[H, W, 3]`, upright, and a
    `fractions.Fraction` of seconds; timestamps grow strictly. No more
    frames are in memory than the decoder needs. The first frame is decoded at once, so
    that what cannot be read fails here, before any work is done.

    Damaged parts of a file are skipped, with one warning in the log. Where the picture
    changes its size on the way, frames keep the first one's, with a warning.

    Where the clock of a file jumps, timestamps go on, with one warning in the log; see
    `vgan.video.clock`. After a seek they are the file's own until the next jump.

    What comes over http(s) is a file, read at our own pace, where its length in seconds
    or bytes is known; else it is live, as are all other addresses without a duration.

    Args:
        source: Path of a file that FFmpeg reads, of a still picture or of a folder of
            numbered pictures (25 a second unless `fps` says otherwise) or a pattern of
            their paths, such as `shot/%04d.png`; `camera:0`, or a bare number that is
            no path; an `rtsp://`, `http(s)://`, `rtmp://`, `udp://`, `tcp://` or
            `srt://` address; `ndi:NAME`, a source in the local network; `-` for what
            FFmpeg reads on standard input; or a binary file that is open and can seek,
            which stays open.
        fps: Resample to this constant rate: frame k is what is shown at second
            k / fps, so it never drifts from the clock. None keeps every frame.
        start: Begin with the frame that is shown at this second.
        timeout: Seconds to wait for a network: a stream that stalls for longer ends,
            with one warning in the log.
        size: (H, W) that frames are scaled to while they are converted, which for
            small ones takes much less time; None keeps their own.
        window: Part of each frame that is shown, (left, top, width, height) in parts of
            its width and height, rounded to even pixels; None shows all.
        deinterlace: Whether interlaced frames become whole pictures, with a line in the
            log; else their two fields stay woven into one another.
        gaps: Where numbers of pictures are missing: "hold" the one before, with a line
            in the log; "close" the gap; "refuse" the folder.
        reconnect: Seconds to wait for a live network source that stalls or breaks off
            to come back, before it ends. Its frames then go on at the time that passed.
        cut: The part of it that is wanted, a `vgan.video.cut.Cut`, or None: all.
            Timestamps, `start`, sound and all else then count from where it begins; its
            frames are those that decoding from the beginning gives.
        sound: What becomes of its sound where a VideoWriter takes it from here, one of
            `vgan.video.sound.KINDS`.

    Attributes:
        source: What was given, as a string without passwords.
        deinterlace: As given.
        gaps: As given.
        width: Width in pixels of the frames, upright.
        height: Height in pixels of the frames, upright.
        fps: Average frames per second, a Fraction.
        num_frames: How many frames to expect (an estimate), or None.
        duration: Seconds, a Fraction, or None.
        is_live: Whether frames come as they happen: no end, no seeking.
        time_base: All timestamps are multiples of this Fraction of a second.
        sample_aspect_ratio: Displayed width over height of a pixel, or None.
        colors: (primaries, transfer) of the frames as in ITU-T H.273, or None.
        again: What to open for all but the picture, or None where it cannot be.
        depth: Bits of a value in the source, such as 8 or 10.
        hdr: (transfer, primaries) as in ITU-T H.273 of what becomes BT.709 here, which
            nothing tells afterwards; else None.
        alpha: Whether the source has transparent parts, as far as its format tells.
        keep_alpha: Whether frames are RGBA `[H, W, 4]`, straight, of a source with
            alpha; False, and may be set before the first is taken.
        deep: Whether frames are uint16, 0 to 65535, for sources of more than 8 bits;
            False, and may be set before the first is taken.
        audio: The same where there is sound, else None.
        has_sound: Whether there is sound, had or not.
        origin: Second of the file's own clock that timestamps count from.
        cut, sound: As given.
        offset: Second of the film that timestamps count from: 0 but for a cut.
        length: Seconds to which it is cut, or None: to its end.
        is_indexed: Whether one may jump in it without losing its clock.
        names: {timestamp: name without suffix} of the pictures of a folder, or None.
        besides: Names of what the file holds besides picture and sound, for messages.
        tracks: Indexes of the streams in the file: the picture's and its sounds'.
        shown: (timestamp, seconds) of the frame that was given last, and how long it is
            shown, as far as the file tells; or None.
        damage: Once all is read from the beginning: one line of what is lost, such as
            "37 of 120 frames; the rest cannot be decoded", or None where all came. Of a
            live source: why it ended, unless it said that it ends.
        sound_damage: Set by who copies the sound: one line, or None.

    Raises:
        InputError: There is no such source, or no frame of it can be decoded.

    Example:
        with VideoReader("in.mp4", fps=12) as reader:
            for frame, timestamp in reader:
                ...
    """

    def __init__(
        self,
        source: str | os.PathLike | int | typing.BinaryIO,
        fps: Fraction | float | None = None,
        start: Fraction | float = 0,
        timeout: float = 10.0,
        size: tuple[int, int] | None = None,
        window: tuple[float, float, float, float] | None = None,
        deinterlace: bool = True,
        gaps: str = "hold",
        reconnect: float = 0.0,
        cut: Cut | None = None,
        sound: str = "keep",
    ) -> None:
        if fps is not None and not 1e-3 <= fps <= 1000:
            raise InputError(f"fps={fps}: give 0.001 to 1000 frames per second")
        if gaps not in GAPS:
            raise InputError(f"gaps={gaps}: give {', '.join(GAPS)}")
        fps = None if fps is None else Fraction(fps).limit_denominator(100_000)
        is_open = hasattr(source, "read")
        self.source = public(getattr(source, "name", source) if is_open else source)
        self.deinterlace, self.gaps = deinterlace, gaps
        start = max(Fraction(0), Fraction(start))
        begin = cut.begin(fps) if cut else start
        self.shown = self.sound_damage = None
        self._shown = None, None  # the last frame as decoded and as converted
        self._source, self._resample = _open(
            *(source, self.source, fps, timeout, begin, deinterlace, gaps),
            {"size": size, "window": window},
            *(reconnect, cut is not None),
        )
        for name in (
            "width", "height", "fps", "num_frames", "duration", "is_live", "path",
            "time_base", "sample_aspect_ratio", "colors", "audio", "origin",
            "has_sound", "names", "tracks", "again", "besides", "is_indexed",
            "alpha", "depth", "hdr",
        ):  # fmt: skip
            setattr(self, name, getattr(self._source, name))
        self.sound = sound
        if sound == "none":
            self.has_sound, self.audio = False, None
        if self._resample:
            self.fps, self.time_base = fps, 1 / fps
            if self.num_frames and self.duration is not None:
                self.num_frames = max(1, math.ceil(self.duration * fps))
        self.cut, self.offset, self.length = cut, Fraction(0), None
        try:
            if cut:
                self._go(begin, cut.start)
                self._begin_cut()
            if start or not cut:
                self.seek(start)
        except BaseException:
            self.close()
            raise

    @property
    def deep(self) -> bool:
        """Whether frames are uint16; see above."""
        return self._source.deep

    @deep.setter
    def deep(self, value: bool) -> None:
        self._source.deep = value

    @property
    def keep_alpha(self) -> bool:
        """Whether frames are RGBA; see above."""
        return self._source.keep_alpha

    @keep_alpha.setter
    def keep_alpha(self, value: bool) -> None:
        self._source.keep_alpha = value and self.alpha

    @property
    def damage(self) -> str | None:
        """One line of what is lost, or None; see above."""
        return self._source.damage or self.sound_damage

    @property
    def doubt(self) -> str | None:
        """One line of what may be lost, as it may be meant so; or None."""
        return self._source.doubt

    def keep_planes(self) -> None:
        """Let frames come as `planes.PlanarFrame` from here on, where they can.

        For who makes less of them than RGB at full size, or may.
        """
        self._source.planar = True

    def seek(self, seconds: Fraction | float) -> None:
        """Go to the frame that is shown at `seconds`; the next one read is that.

        Raises:
            InputError: The video ends before, or it is live; or it is standard input,
                and frames were read already.
        """
        self._go(self.offset + Fraction(seconds), seconds)

    def _go(self, second, said):
        """Go to a second of the film, that messages call `said`."""
        if self.is_live and said:
            raise InputError(
                f"{self.source}: a live source cannot start at {float(said):g} s"
            )
        self._frames = self._source.frames(max(Fraction(0), second))
        if self._resample:
            self._frames = _at_rate(self._frames, self.fps, second)
        self._first = next(self._frames, None)
        if self._first is None:
            raise InputError(
                f"{self.source}: has no frame at {float(said):g} s"
                + (f", it is {float(self.duration):g} s long" if self.duration else "")
            )

    def _begin_cut(self):
        """Count from the first frame on."""
        self.offset = self.cut.zero(self._first[1], self.time_base)
        self.length = self.cut.length(self.offset)
        self.origin += self.offset
        if self.names:
            times = ((time - self.offset, name) for time, name in self.names.items())
            self.names = {time: name for time, name in times if time >= 0}
        if self.duration is not None:
            self.duration -= self.offset
            if self.length is not None:
                self.duration = min(self.duration, self.length)
        if self.num_frames and self.duration is not None:
            self.num_frames = max(1, math.ceil((self.duration - ROUNDING) * self.fps))

    def __iter__(self) -> typing.Self:
        return self

    def __next__(self) -> tuple[np.ndarray, Fraction]:
        item, self._first = self._first or next(self._frames, None), None
        if item is None:
            self._last_to_the_end()
            raise StopIteration
        frame, timestamp, seconds = item
        if self.cut:
            timestamp, seconds = self._placed(timestamp, seconds)
        self.shown = timestamp, seconds
        if not self._resample:
            return self._source.picture(frame), timestamp
        if frame is not self._shown[0]:  # one that is shown twice is converted once
            self._shown = frame, self._source.picture(frame)
        return self._shown[1], timestamp

    def _placed(self, timestamp, seconds):
        """When a frame of a cut is shown, and how long; ends after its last one."""
        end = timestamp + seconds - self.offset
        timestamp = max(timestamp - self.offset, Fraction(0))
        if self.length is not None:
            if timestamp and timestamp + ROUNDING >= self.length:
                self._frames = iter(())
                raise StopIteration
            if end - self.length >= WHOLE:
                end = self.length
        return timestamp, end - timestamp

    def _last_to_the_end(self):
        """Frames out of order have durations of others: the file's length counts."""
        if self.shown and self._source.end and not self._resample:
            timestamp, seconds = self.shown
            self.shown = timestamp, max(seconds, self._source.end - timestamp)

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, the camera or the connection."""
        self._first, self._frames, self._shown = None, iter(()), (None, None)
        self._source.close()


def _open(source, name, fps, timeout, start, deinterlace, gaps, look, reconnect, exact):
    """The source, and whether it has to be resampled to `fps`."""
    text, resample = str(source), fps is not None
    film = {**look, "deinterlace": deinterlace, "exact": exact}
    if hasattr(source, "read"):
        return StreamSource(source, name, timeout, start=start, **film), resample
    path = pathlib.Path(text)
    if re.fullmatch(r"(camera:)?\d+", text) and not path.exists():
        number = text.removeprefix("camera:")
        return StreamSource(number, name, timeout, camera=True, **film), resample
    if text == "-":
        return StreamSource(StandardInput(), name, timeout, **film), resample
    if text.startswith(PREFIX):
        return NDISource(text, timeout, **look, reconnect=reconnect), resample
    if re.match(r"[a-z][a-z0-9+.-]+://", text):
        if not re.match(r"(rtsps?|https?|rtmps?|tcp|udp|srt)://", text):
            raise InputError(
                f"{name}: give rtsp://, http://, https://, rtmp://, udp:// or tcp://, "
                "or beam= for folders of gs:// and its like"
            )
        refuse_unknown(text, name)
        film["reconnect"] = reconnect
        return StreamSource(text, name, timeout, start=start, **film), resample
    pattern = not path.exists() and NUMBER.search(path.name)
    if pattern and path.parent.is_dir():
        return ImageSource(path, fps, **look, gaps=gaps), False
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; check the path")
    if not (path.is_dir() or path.is_file()):
        raise InputError(f"{path}: is a pipe or a device, not a file; give a file")
    if path.is_dir() or is_image(path):
        return ImageSource(path, fps, **look, gaps=gaps), False
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return AnimationSource(path, **look), resample
    refuse_drawing(path)
    if path.is_file() and not path.stat().st_size:
        raise InputError(f"{path}: the file is empty; copy or record it again")
    return StreamSource(path, name, timeout, start=start, **film), resample


def _at_rate(frames, fps, start):
    """Frame k is the last whose timestamp is not after second k / fps.

    A live source would make us wait for the next frame to know: there, a frame is
    due one frame late. Timestamps may be a little late themselves, as Matroska rounds
    them to milliseconds.
    """
    index = None
    held = None
    for frame, timestamp, duration in frames:
        if index is None:
            index = math.floor((max(timestamp, start) + ROUNDING) * fps)
        while held is not None and index / fps + ROUNDING < timestamp:
            yield held, index / fps, 1 / fps
            index += 1
        held, end = frame, timestamp + duration
    while held is not None and (index / fps < end):
        yield held, index / fps, 1 / fps
        index += 1
