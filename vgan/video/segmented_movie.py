"""A movie encoded in segments, and put together from their packets.

H.264 with B-frames and odd time bases do not survive every container; packets as they
came from the encoder, with their times in its ticks, do.
"""

import bisect
import dataclasses
import io
import itertools
import logging
import pathlib
import types
import typing
from collections.abc import Callable, Sequence
from fractions import Fraction

import av
import cv2
import numpy as np

from vgan import InputError
from vgan.video.codecs import Coding
from vgan.video.encoders import Movie
from vgan.video.segment_file import DamagedSegmentError, SegmentFile, SegmentRecorder

if typing.TYPE_CHECKING:
    from vgan.video.reader import VideoReader

FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
ENCODED_LIKE = (
    "time_base", "colors", "sample_aspect_ratio", "depth", "hdr", "alpha",
)  # fmt: skip
_HELD_BACK = 16  # frames at most that an H.264 encoder holds back
_AVX_512F = 13  # CV_CPU_AVX_512F, which the Python module does not name
_log = logging.getLogger("vgan")


class SegmentedMovie:
    """What a VideoWriter writes with: segments, and at the end a Movie of them.

    Args:
        path: The joined file to make, in the folder of segments.
        like, fps, coding: As for Movie.
        made_of: JSON-able value; segments of another one are removed.
        snapshot: Called after the last frame of each segment.
        segment_frames: Frames in a segment.

    Attributes:
        segments: The SegmentFiles that are complete.
    """

    def __init__(
        self,
        path: pathlib.Path,
        like: "VideoReader | None",
        fps: Fraction,
        coding: Coding,
        made_of: object,
        snapshot: Callable[[], dict[str, object]],
        segment_frames: int,
    ) -> None:
        self._path, self._like = path, like
        whole = Movie(path, like, fps, coding)
        self.deep, self.alpha = whole.deep, whole.alpha
        self.takes_enlarged = whole.takes_enlarged
        if self.alpha and whole.codec == "vp9":  # which has it beside the packets
            _log.warning(
                "%s: VP9 of segments has no alpha; resume=False keeps it", path
            )
            coding = dataclasses.replace(coding, pixel_format="yuv420p")
            self.alpha = False
        self._movie = path, like, fps, coding
        self._made_of, self._snapshot = made_of, snapshot
        self._segment_frames = segment_frames
        self._current = None
        self.segments = list(self._find())
        kept = {segment.path for segment in self.segments}
        # From the end: whatever stops this, no gap is left.
        for file in sorted(path.parent.iterdir(), reverse=True):
            ours = file.suffix in (".segment", ".part") or file.stem == "joined"
            ours |= file.name == "lock"  # of an earlier version
            if ours and file not in kept:
                file.unlink()

    @property
    def is_whole(self) -> bool:
        """Whether an earlier run wrote all frames, and had only to join them."""
        last = self.segments[-1] if self.segments else None
        return last is not None and last.num_frames < self._segment_frames

    @property
    def num_kept(self) -> int:
        """Frames in complete segments."""
        return sum(segment.num_frames for segment in self.segments)

    def _find(self):
        name = self._path.parent
        for number in itertools.count():
            try:
                segment = SegmentFile(self._segment_path(number))
            except FileNotFoundError:
                return
            except DamagedSegmentError as error:
                _log.warning("%s: is damaged, it and what follows is made anew", error)
                return
            if segment.made_of != self._made_of:
                _log.warning("%s: is of another input or options: made anew", name)
                return
            yield segment
            if segment.num_frames < self._segment_frames:
                return  # the end of the video

    def _segment_path(self, number):
        return self._path.with_name(f"{number:06d}.segment")

    def write(self, frame: np.ndarray, seconds: Fraction) -> None:
        """Append a uint8 RGB frame `[H, W, 3]` shown from `seconds` on."""
        if self._current is None:
            before = self.segments[-1] if self.segments else None
            if self.is_whole:
                raise ValueError(
                    "a frame after the end: the earlier run wrote them all"
                )
            path = self._segment_path(len(self.segments))
            self._current = _Segment(path, *self._movie, before)
        self._current.write(frame, seconds)
        if self._current.num_frames == self._segment_frames:
            self._complete(self._snapshot())

    def _complete(self, snapshot):
        self.segments.append(self._current.save(snapshot, self._made_of))
        self._current = None

    def finish(self, complete: bool) -> None:
        """Join the segments; sound to its end."""
        if self._current is not None:
            self._current.last_as_in(self._like)
            self._complete(None)
        join(self.segments, *self._movie, complete=complete)

    def abandon(self) -> None:
        """Close; what is complete stays."""
        if self._current is not None:
            self._current.abandon()

    def remove_segments(self) -> None:
        """Remove the files of the segments."""
        while self.segments:
            self.segments.pop().path.unlink()


def join(
    segments: Sequence[SegmentFile],
    path: pathlib.Path,
    like: "VideoReader | None",
    fps: Fraction,
    coding: Coding,
    complete: bool = True,
    reproducible: bool = False,
) -> None:
    """Put segments into one movie, without encoding again.

    Args:
        segments: SegmentFiles, at least one, in their order.
        path: The file to make.
        like: VideoReader that gives the sound and all else, or None.
        fps: As for Movie.
        coding: As for Movie.
        complete: Whether the sound goes to its end, or where the picture stops.
        reproducible: Whether the bytes are the same each time: without the random
            numbers by which Matroska files are told apart, and FFmpeg's version.

    Raises:
        InputError: A segment is damaged.
        OSError: The file cannot be written; what there is of it is the caller's.
    """
    joined = _Joined(path, like, fps, coding)
    joined.reproducible = reproducible
    try:
        joined.begin(segments)
        for segment, after in itertools.zip_longest(segments, segments[1:]):
            joined.append(segment, after)
        joined.finish(complete)
    except DamagedSegmentError as error:
        joined.abandon()
        raise InputError(
            f"{error}: is damaged; the same command again makes it anew"
        ) from error
    except BaseException:
        joined.abandon()
        raise


class _Segment(Movie):
    """Encodes some frames of a movie as if they were all, but in its time.

    Args:
        path: The SegmentFile to make.
        movie, like, fps, coding: The arguments of the Movie.
        before: The SegmentFile before it, or None.
    """

    def __init__(self, path, movie, like, fps, coding, before):
        if like is not None:  # its sound comes later
            known = {name: getattr(like, name, None) for name in ENCODED_LIKE}
            if movie.suffix.lower() == ".webm":  # which does not hold it, as said then
                del known["sample_aspect_ratio"]
            like = types.SimpleNamespace(**known, again=None, has_sound=False)
        super().__init__(movie, like, fps, coding)
        self.num_frames = 0
        if before is not None:
            self._last, self._gap = before.last_pts, before.gap
        self._recorder = SegmentRecorder(path)

    def _codec_options(self, pixel_format):
        options = super()._codec_options(pixel_format)
        # With x264's AVX-512 code and its macroblock tree, frames of some sizes (64x48,
        # 320x180) gave other packets from run to run; not with AVX2, which is as fast.
        if self._coder.encoder == "libx264" and cv2.checkHardwareSupport(_AVX_512F):
            options["x264-params"] = "asm=avx2"
        return options

    def _open(self, options, room):
        # Never written to: an encoder only has to know what its packets are for.
        return av.open(io.BytesIO(), "w", format=FORMATS[self._path.suffix.lower()])

    def _mux(self, packets):
        for packet in packets:
            packet.duration = packet.duration or self._gap
            self._recorder.add(packet)

    def write(self, frame, seconds):
        super().write(frame, seconds)
        self._shape, self._seconds = frame.shape, seconds
        self.num_frames += 1

    def save(self, snapshot, made_of):
        """Encode what waits; return the SegmentFile."""
        self._mux(self._stream.encode(None))
        segment = self._recorder.save(
            snapshot,
            made_of=made_of,
            num_frames=self.num_frames,
            shape=self._shape,
            last_timestamp=str(self._seconds),
            last_pts=self._last,
            gap=self._gap,
        )
        super().abandon()
        return segment

    def abandon(self):
        super().abandon()
        self._recorder.abandon()


class Shot(_Segment):
    """Encodes a stretch of a movie that is to be the same on every machine.

    x264's packets depend on the number of its threads, which by default is that of the
    processor's cores: here it is one.

    Args:
        path: The SegmentFile to make.
        movie: Path of the movie that it will be joined to; its suffix counts.
        like: As for Movie.
        coding: As for Movie.
    """

    def __init__(
        self,
        path: pathlib.Path,
        movie: pathlib.Path,
        like: "VideoReader",
        coding: Coding,
    ) -> None:
        super().__init__(path, movie, like, Fraction(like.fps), coding, before=None)

    def _codec_options(self, pixel_format):
        return {**super()._codec_options(pixel_format), "threads": "1"}


class _Joined(Movie):
    """A movie of packets that are encoded already."""

    reproducible = False

    def _open(self, options, room):
        container = super()._open(options, room)
        if self.reproducible:
            container.flags |= av.container.Flags.bitexact.value
        return container

    def begin(self, segments):
        """Open the file, as is right for all SegmentFiles that will be appended."""
        self._begin(*segments[0].shape[:2])
        # With B-frames, an encoder begins before the first frame is shown: by as many
        # frames as it can hold back, if it gets as many. From then on a packet is
        # decoded when that many frames before it are shown; so it goes on in each
        # segment.
        first, count = [], 0
        for segment in segments:
            index = segment.index()
            shown = np.sort(index["pts"]).tolist()
            early = int(index["pts"][0] - index["dts"][0])
            count = max(count, bisect.bisect_left(shown, shown[0] + early))
            first += shown[: _HELD_BACK + 1 - len(first)]
        self._due = [pts - (first[count] - first[0]) for pts in first[:count]]

    def append(self, segment, after):
        """Copy a SegmentFile's packets, and the sound until `after` or its end."""
        index = segment.index()
        shown = np.sort(index["pts"]).tolist()
        due = self._due + shown
        self._due = due[len(shown) :]
        self._last, self._gap = segment.last_pts, segment.gap
        lengths = {}
        if after is None:  # of as many frames as a segment has, it was not known to be
            self.last_as_in(self._like)
        else:
            ends = *shown[1:], after.index()["pts"].min().item()
            lengths = {pts: end - pts for pts, end in zip(shown, ends, strict=True)}
        for packet, dts in zip(segment.packets(index), due, strict=False):
            packet.dts = dts
            packet.stream, packet.time_base = self._stream, self._time_base
            packet.duration = lengths.get(packet.pts, self._gap)
            self._mux([packet])
            self._sound.copy_until(packet.pts * self._time_base)
