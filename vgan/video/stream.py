"""What FFmpeg demuxes and decodes: files, cameras, network streams."""

import heapq
import logging
import pathlib
import typing
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.format import Flags

from vgan import InputError
from vgan.video import tags
from vgan.video.clock import Clock
from vgan.video.codecs import bits, has_alpha
from vgan.video.color import UNSPECIFIED, ToRGB, guessed_matrix
from vgan.video.connection import Connection
from vgan.video.damage import Losses
from vgan.video.filters import deinterlaced
from vgan.video.hdr import BT2020
from vgan.video.margins import margins
from vgan.video.opening import (
    StandardInput,
    demuxed,
    for_ffmpeg,
    of_program,
)
from vgan.video.planes import PlanarFrame

_log = logging.getLogger("vgan")
_FPS = Fraction(25)  # where neither the container nor the codec tells a rate
# Containers that say when to decode only; FFmpeg makes up when to show.
_WITHOUT_PTS = ("avi", "asf")
_REORDERED = 17  # packets at most that a decoder needs for a frame
_LEADING = 8  # frames that may wait for the first that has a time
# Containers that tell where each key frame is, and whose clock goes on from there.
_INDEXED = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
_EARLIER = 2  # seconds that a filter or an open group of pictures may look back


class StreamSource:
    """One video stream of what FFmpeg opens. See VideoReader for the attributes.

    Args:
        location: Path, address, number of a camera, StandardInput, or a binary file.
        name: What messages call it.
        timeout: Seconds to wait for a network, at the start and for each packet.
        camera: Whether `location` is the number of a camera.
        start: Second that is asked for first.
        size: (H, W) that frames are scaled to, or None.
        window: Part of each frame that is shown, or None; see VideoReader.
        deinterlace: Whether the fields of interlaced frames become whole pictures.
        reconnect: Seconds to wait for a live address that is away.
        exact: Whether frames after a jump have to be those that decoding from the
            beginning gives, which takes longer.
    """

    names = None
    planar = False

    def __init__(
        self,
        location: pathlib.Path | str | StandardInput | typing.BinaryIO,
        name: str,
        timeout: float,
        camera: bool = False,
        start: Fraction | float = 0,
        size: tuple[int, int] | None = None,
        window: tuple[float, float, float, float] | None = None,
        deinterlace: bool = True,
        reconnect: float = 0,
        exact: bool = False,
    ) -> None:
        self._location, self._name, self._exact = location, name, exact
        self._deinterlace, self._said = deinterlace, set()
        self._warning = None  # said once, and only if frames can be decoded at all
        self._works = False
        self._clear = None  # decoder of what has alpha beside the picture
        self._timeout = timeout
        self._clock = None
        self.end = None  # second, of the picture, where all of it was read
        self._gap = None  # seconds that it was away
        self._piped = isinstance(location, StandardInput)
        self.path = location if isinstance(location, pathlib.Path) else None
        self._connection = Connection(location, name, timeout, camera, reconnect)
        try:
            self._take(self._connection.container)
            self._describe(camera, location)
            self._begin(start)
            self._look_at_first(size, window)
        except BaseException:
            self.close()
            raise

    def _take(self, container):
        """Read from this one."""
        stream = self._choose_stream(container)
        self._container, self._stream = container, stream
        self.is_indexed = container.format.name in _INDEXED
        self.time_base = stream.time_base
        sounds = of_program(container, stream, container.streams.audio)
        self.tracks = [stream.index, *(sound.index for sound in sounds)]

    def _choose_stream(self, container):
        """The first video stream marked as default, which is what players show."""
        streams = [
            stream
            for stream in container.streams.video
            if not stream.disposition & av.stream.Disposition.attached_pic
            and stream.codec_context is not None
        ]
        if not streams:
            what = "only a cover picture" if container.streams.video else "no video"
            raise InputError(
                f"{self._name}: there is {what} in it; give a file with moving pictures"
            )
        default = av.stream.Disposition.default
        chosen = next((s for s in streams if s.disposition & default), streams[0])
        if container.format.name in ("hls", "dash"):
            # Variants of one picture, of which the first may well be the smallest.
            chosen = max(streams, key=lambda s: (s.width * s.height, s.bit_rate or 0))
            for stream in streams:
                if stream is not chosen:
                    stream.discard = av.stream.Discard.all  # or it is loaded, too
        # Where a file does not say, as H.264 and its like have it.
        chosen.codec_context.options = {"chroma_sample_location": "left"}
        return chosen

    def _describe(self, camera, location):
        container, stream = self._container, self._stream
        rate = stream.average_rate or stream.guessed_rate or _FPS
        # Cameras and broken headers give rates such as 1/0 or a million.
        self.fps = Fraction(rate) if 0 < rate <= 1000 else _FPS
        length = container.duration
        self.duration = Fraction(length, av.time_base) if (length or 0) > 0 else None
        is_address = self._connection.is_address
        self.is_live = camera or (is_address and not self._is_download(location))
        self.num_frames = None
        if not self.is_live:
            estimate = round(self.duration * self.fps) if self.duration else None
            self.num_frames = stream.frames or estimate
            # A frame takes a byte or more: a length beyond that is damaged.
            if 0 < container.size < (self.num_frames or 0):
                self.num_frames = None
        # PyAV's default, slice threads, stays: frame threads lose the good frames next
        # to a damaged one and delay a live picture.
        # Broadcast and cut-out clips begin anywhere on their clock; a file of another
        # kind that begins within its first second means it (edit list, late frame).
        # A live stream begins with what comes first.
        start = Fraction(container.start_time or 0, av.time_base)
        self._broadcast = container.format.flags & Flags.ts_discont.value
        if abs(start) < 1 and not self._broadcast:
            start = 0
        self._origin = None if self.is_live else round(start / self.time_base)
        self.origin = (self._origin or 0) * self.time_base
        self.has_sound = len(self.tracks) > 1
        self.besides = tags.names(container, stream)
        self.again = None
        if not (self.is_live or self._piped):
            self.again = for_ffmpeg(self.path) if self.path else location
        self.audio = self.again if self.has_sound else None

    def _begin(self, start):
        """Decode the first frame from which `start` can be reached.

        Never the file's first, if that is not asked for: it would cost as much as
        many others.
        """
        self._began = 0
        self._losses = self._count()
        self._decoded = self._frames()
        if start and not (self.is_live or self._piped):
            self._seek(start)
            frame = next(self._decoded, None)
            if frame is not None:
                self._began = start
                self._decoded = _chain(frame, self._decoded)
            else:  # perhaps it is shorter than that, or damaged as a whole
                self._seek(0)
        self._first = self._first_frame()

    def _look_at_first(self, size, window):
        frame = self._first
        guess = guessed_matrix(frame)
        if guess:
            self._say(
                f"colors of its matrix ({frame.colorspace}) cannot be known: those of "
                f"{'BT.2020' if guess == BT2020 else 'common video'} are taken"
            )
        self._to_rgb = ToRGB(frame, size, window, margins(self._stream), sited=None)
        self._pixel_shape = self._shape_of_pixels()
        self.width, self.height = self._to_rgb.width, self._to_rgb.height
        ratio = self._stream.sample_aspect_ratio
        if not ratio or ratio == 1:
            ratio = None
        elif self._to_rgb.transposed:
            ratio = 1 / ratio
        self.sample_aspect_ratio = ratio
        self.depth = bits(frame.format.name)
        # Every frame of a GIF has alpha as decoded, whatever is in the file.
        gif = self._stream.codec_context.name == "gif"
        self.alpha = has_alpha(frame.format.name) and not gif
        converts = self._to_rgb.converts
        self.hdr = (frame.color_trc, frame.color_primaries) if converts else None
        self.colors = None
        said = frame.color_primaries not in (UNSPECIFIED, 0)
        if said and not self._to_rgb.converts:
            self.colors = frame.color_primaries, frame.color_trc

    def _is_download(self, address):
        """Whether it is a finite video that waits for us, as a file does."""
        if address.startswith("rtsp"):
            return False
        if self.duration is not None:
            return True
        # Of these it would be the size of the playlist, and without an end it is live.
        playlist = self._container.format.name in ("hls", "dash")
        return address.startswith("http") and not playlist and self._container.size > 0

    def _first_frame(self):
        try:
            first = next(self._decoded)
        except StopIteration:
            if self._warning and self._connection.is_address:
                raise InputError(
                    f"{self._name}: no frame came, it {self._warning}; "
                    "check the sender and the network"
                ) from None
            if self._piped and self._location.excuse():
                raise InputError(f"{self._name}: {self._location.excuse()}") from None
            codec = self._stream.codec_context.name
            raise InputError(
                f"{self._name}: no frame of its {codec} video can be decoded; "
                "the file is damaged or protected, convert or copy it again"
            ) from None
        self._works = True
        if self._warning:
            _log.warning("%s: %s", self._name, self._warning)
        return first

    def frames(
        self, start: Fraction
    ) -> Iterator[tuple[av.VideoFrame, Fraction, Fraction]]:
        """Yield (frame, timestamp, duration) from `start` seconds on.

        Frames are as decoded: what is not shown is never converted; see `picture`.
        """
        fresh, self._first = self._first, None
        if self._piped and fresh is None:
            raise InputError(f"{self._name}: standard input cannot be read again")
        again = fresh is None or start != self._began
        if again and not (self.is_live or self._piped):
            self._seek(start)
            fresh = None
        decoded = self._decoded if fresh is None else _chain(fresh, self._decoded)
        del fresh
        held = last = pts = None
        duration = 1 / self.fps
        count = 0
        for frame in decoded:
            count += 1
            timestamp = self._timestamp(frame, last, pts, duration)
            last, pts = timestamp, frame.pts
            duration = frame.duration * self.time_base or 1 / self.fps
            if start and timestamp <= start:
                held = frame, timestamp, duration
                continue
            if held:
                yield held
                held = None
            yield frame, timestamp, duration
        if held and held[1] + held[2] > start:
            yield held
        stream = self._stream
        if not start and count == stream.frames and stream.duration:
            length = stream.duration * stream.time_base
            self.end = length + (stream.start_time or 0) * self.time_base - self.origin

    def picture(self, frame: av.VideoFrame) -> np.ndarray | PlanarFrame:
        """What is shown of a frame of `frames`, RGB `[H, W, 3]`, uint8 unless `deep`.

        A PlanarFrame, where `planar` is set and it can be one.
        """
        fits = self._to_rgb.fits(frame)
        same = self._shape_of_pixels() == self._pixel_shape
        if not fits:
            self._say(
                f"the picture changes to {frame.width} x {frame.height} on the way: "
                "resized to the first's"
            )
        elif not same:
            self._say(
                "the shape of pixels changes on the way: black bars keep the first's"
            )
        if not (fits and same):
            self._to_rgb.pixel_shape = self._pixel_shape
        return self._to_rgb.planar(frame) if self.planar else self._to_rgb(frame)

    @property
    def deep(self) -> bool:
        """Whether pictures are uint16; may be set."""
        return self._to_rgb.deep

    @deep.setter
    def deep(self, value: bool) -> None:
        self._to_rgb.deep = value

    @property
    def keep_alpha(self) -> bool:
        """Whether pictures are RGBA; may be set."""
        return self._to_rgb.keep_alpha

    @keep_alpha.setter
    def keep_alpha(self, value: bool) -> None:
        self._to_rgb.keep_alpha = value

    def _shape_of_pixels(self):
        """Width over height, as the decoder has read last."""
        return self._stream.codec_context.sample_aspect_ratio or Fraction(1)

    def _say(self, what):
        """Say it once."""
        if what not in self._said:
            self._said.add(what)
            _log.warning("%s: %s", self._name, what)

    @property
    def damage(self) -> str | None:
        """One line of what is lost of it so far; None where all came."""
        if not self.is_live:
            return self._losses and self._losses.describe()
        connection = self._connection
        return f"it broke off ({connection.away})" if connection.broke_off else None

    @property
    def doubt(self) -> str | None:
        """One line of what may be lost, or may be meant; or None."""
        return None if self.is_live or not self._losses else self._losses.doubt()

    def _count(self):
        return Losses(self._container, self._stream, self.path, self.fps)

    def _frames(self):
        """Decoded frames, each a whole picture, with their times.

        Each connection to a live sender has a clock of its own.
        """
        back = True
        while back:
            frames = self._timed(self._decode())
            if self._deinterlace:
                frames = deinterlaced(
                    frames,
                    lambda: self._say(
                        "is interlaced: its fields become whole pictures (bwdif); "
                        "deinterlace=off leaves them woven"
                    ),
                )
            yield from frames
            back = self._connection.away and self._works and self._is_back()

    def _is_back(self):
        """Whether what was away is open again."""
        if not self._connection.is_back(self._take):
            return False
        self._gap = Fraction(self._connection.gone).limit_denominator(1000)
        self._warning = None
        return True

    def _timestamp(self, frame, last, pts, duration):
        if self._gap is not None and None not in (last, frame.pts):
            # A sender that is back has another clock: ours went on meanwhile.
            self._origin = frame.pts - round((last + self._gap) / self.time_base)
            self._gap = None
        if self._origin is None:
            self._origin = frame.pts or 0
        if frame.pts is None:
            return Fraction(0) if last is None else last + duration
        timestamp = (frame.pts - self._origin) * self.time_base
        if last is None:
            return max(timestamp, Fraction(0))
        if timestamp > last:
            return timestamp
        # A clock that stands still; or one that steps back by less than a jump, which
        # the frames after this one make up for.
        return last + (duration if frame.pts == pts else self.time_base)

    def _seek(self, start):
        """Decode from the last key frame before `start`, which indexes may misjudge."""
        nearest = _EARLIER if self._exact else 0
        for earlier in (nearest, 10, start)[2 * (self._exact > self.is_indexed) :]:
            position = max(start - earlier, 0)
            ticks = int(position / self.time_base) + (self._origin or 0)
            if not position and self._broadcast:  # decoding begins before
                ticks -= round(1 / self.time_base)
            try:
                self._container.seek(ticks, stream=self._stream)
            except av.FFmpegError as error:
                raise InputError(
                    f"{self._name}: cannot go to {float(start):g} s "
                    f"({error.strerror}); convert it to MP4 or MKV"
                ) from error
            self._losses = None if position else self._count()
            self._clear = None
            self._decoded = self._frames()
            frame = next(self._decoded, None)
            if frame is not None:
                self._decoded = _chain(frame, self._decoded)
            known = frame is not None and frame.pts is not None
            if not position or (known and frame.pts <= ticks):
                return

    def _timed(self, frames):
        """The frames; the time of those before the first that has one is counted back.

        So a broadcast begins that is cut off anywhere.
        """
        early, tick = [], 1 / self.fps / self.time_base
        if self._container.format.flags & Flags.no_timestamps.value:
            early = None  # none will have one
        for frame in frames:
            if frame.pts is None and early is not None and len(early) < _LEADING:
                early.append(frame)
                continue
            while early:
                first = early.pop(0)
                if frame.pts is not None:
                    first.pts = frame.pts - round((len(early) + 1) * tick)
                yield first
                del first
            early = None
            yield frame
        yield from early or ()

    def _decode(self):
        """Decoded frames; what is damaged is skipped, and said once."""
        name = self._clock.name if self._clock else self._name
        self._clock = Clock(self._container, name)
        tracks = [self._container.streams[index] for index in self.tracks]
        packets = self._clock.steady(demuxed(self._container, tracks))
        self._due = []
        frames = []
        while frames is not None:
            yield from frames
            with self._connection.reading() as is_open:
                frames = self._decode_next(packets) if is_open else None

    def _decode_next(self, packets):
        """Frames of the next packet, or None at the end."""
        losses = self._losses
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            stalled = isinstance(error, av.error.ExitError)
            reason = (
                f"nothing came for {self._timeout:g} s" if stalled else (error.strerror)
            )
            if self.is_live:
                self._connection.lost(reason, self._timeout if stalled else 0)
            elif losses:
                losses.stopped(reason)
            if not (self._connection.is_awaited and self._works):
                self._warn(f"ends early ({reason})")
            packet = av.Packet()  # an empty one gives what the decoder still holds
            packet.stream = self._stream
        if packet is None:
            if losses:
                losses.ended()
            return None
        if packet.stream.index != self._stream.index:
            return []  # sound, which only the clock looks at
        if losses:
            losses.took(packet, self._clock.stretch(packet.stream.index))
        if not packet.size and packet.dts is not None:
            return []  # "the last frame again"; to decode it would be to end
        without_pts = self._container.format.name in _WITHOUT_PTS
        due = None
        if without_pts and packet.dts is not None:
            due = packet.dts if packet.pts is None else packet.pts
            heapq.heappush(self._due, due)
            packet.pts = None
        try:
            frames = self._decoded_of(packet)
        except av.FFmpegError as error:
            if losses:
                losses.failed()
            self._warn(f"skipping what cannot be decoded ({error.strerror})")
            if due is not None:
                self._due.remove(due)
                heapq.heapify(self._due)
            return []
        if without_pts:  # one after the other, whatever order they are decoded in
            for frame in frames:
                frame.pts = heapq.heappop(self._due) if self._due else None
            del self._due[_REORDERED:]
        for frame in frames if losses else ():
            losses.gave(frame)
        return frames

    def _decoded_of(self, packet):
        """FFmpeg's own decoders of VP8 and VP9 leave out alpha; libvpx has it."""
        stream = packet.stream
        if stream.metadata.get("alpha_mode") != "1":
            return packet.decode()
        if self._clear is None:
            name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}[stream.codec_context.name]
            self._clear = av.CodecContext.create(name, "r")
        return self._clear.decode(packet if packet.size else None)

    def _warn(self, what):
        if self._warning is None:
            self._warning = what
            if self._works:
                _log.warning("%s: %s", self._name, what)

    def close(self) -> None:
        """Close the file or the connection; at once, or when a read that waits ends."""
        self._connection.close()


def _chain(frame, rest):
    """The frame, then the rest, without holding on to the frame."""
    box = [frame]
    del frame
    yield box.pop()
    yield from rest
