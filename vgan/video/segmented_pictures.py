"""A folder of pictures that is written in stretches, and goes on after the last whole.

Pictures are files of their own: what is kept of a stretch is the state after it, and
how its pictures are known again.
"""

import itertools
import logging
import pathlib
import typing
import zlib
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from vgan.video.codecs import Coding
from vgan.video.segment_file import DamagedSegmentError, SegmentFile, SegmentRecorder

if typing.TYPE_CHECKING:
    from vgan.video.reader import VideoReader

_log = logging.getLogger("vgan")


class SegmentedPictures:
    """What a VideoWriter writes with: pictures, and a SegmentFile after some of them.

    Args:
        path: The folder of the pictures, in the folder of segments.
        encoder: What writes them, a class or function as `encoders.Pngs`.
        like, fps, coding: As for the encoder.
        made_of: JSON-able value; what is of another one is removed.
        snapshot: Called after the last picture of each segment.
        segment_frames: Pictures in a segment.

    Attributes:
        alpha, deep: As of the encoder.
        segments: The SegmentFiles that are complete, with all their pictures.
        is_whole: Whether an earlier run wrote all: never known, so False.
    """

    is_whole = False

    def __init__(
        self,
        path: pathlib.Path,
        encoder: Callable[..., typing.Any],
        like: "VideoReader | None",
        fps: Fraction,
        coding: Coding,
        made_of: object,
        snapshot: Callable[[], dict[str, object]],
        segment_frames: int,
    ) -> None:
        self._path, self._made_of, self._snapshot = path, made_of, snapshot
        self._segment_frames, self._known, self._new = segment_frames, {}, 0
        self.segments = list(self._find())
        kept = {segment.path for segment in self.segments}
        for file in path.parent.glob("*.segment"):
            if file not in kept:
                file.unlink()
        path.mkdir(exist_ok=True)
        for file in path.iterdir():
            if file.name not in self._known:
                file.unlink()
        self._pictures = encoder(path, like, fps, coding)
        self.alpha, self.deep = self._pictures.alpha, self._pictures.deep
        self._pictures._count = self.num_kept  # names of those that have no own

    @property
    def num_kept(self) -> int:
        """Pictures in complete segments."""
        return sum(segment.num_frames for segment in self.segments)

    def _find(self):
        for number in itertools.count():
            try:
                segment = SegmentFile(self._segment_path(number))
                if segment.made_of["task"] != self._made_of:
                    what = "is of another input or options"
                    _log.warning("%s: %s: made anew", self._path.parent, what)
                    return
                pictures = segment.made_of["pictures"]
                for name, check in pictures.items():
                    if _check(self._path / name) != check:
                        raise DamagedSegmentError(str(self._path / name))
            except FileNotFoundError as error:
                if pathlib.Path(error.filename).suffix != ".segment":
                    what = "is gone, it and what follows is made anew"
                    _log.warning("%s: %s", error.filename, what)
                return
            except DamagedSegmentError as error:
                _log.warning("%s: is damaged, it and what follows is made anew", error)
                return
            self._known |= pictures
            yield segment

    def _segment_path(self, number):
        return self._path.with_name(f"{number:06d}.segment")

    def write(self, frame: np.ndarray, seconds: Fraction) -> None:
        """Append a uint8 RGB frame `[H, W, 3]`, shown from `seconds` on."""
        self._pictures.write(frame, seconds)
        self._new += 1
        if self._new < self._segment_frames:
            return
        names = {path.name for path in self._path.iterdir()} - {*self._known}
        new = {name: _check(self._path / name) for name in sorted(names)}
        recorder = SegmentRecorder(self._segment_path(len(self.segments)))
        segment = recorder.save(
            self._snapshot(),
            made_of={"task": self._made_of, "pictures": new},
            num_frames=self._new,
            shape=frame.shape,
            last_timestamp=str(seconds),
            last_pts=None,
            gap=None,
        )
        self._known |= new
        self._new = 0
        self.segments.append(segment)

    def finish(self, complete: bool) -> None:
        """End the folder."""
        self._pictures.finish(complete)

    def abandon(self) -> None:
        """Close; what is complete stays."""
        self._pictures.abandon()

    def remove_segments(self) -> None:
        """Remove the files of the segments."""
        while self.segments:
            self.segments.pop().path.unlink()


def _check(path):
    """What a picture is known by."""
    data = path.read_bytes()
    return [len(data), zlib.crc32(data)]
