"""Frames of a video to shots, and what can be seen in a shot.

The cuts are found among all frames of the file; the frames that are kept are those
that are shown at k / fps, as in VideoReader.
"""

import contextlib
import math
import pathlib
import tempfile
import typing
from array import array
from collections.abc import Iterable, Iterator
from fractions import Fraction

import cv2
import numpy as np

from vgan.prepare.settings import Settings
from vgan.video import cuts
from vgan.video.reader import ROUNDING

LONGEST_STILL = 2  # seconds that a frame is shown at most: after that the shot ends
BLANK = 4  # gray values of a thumbnail spread less where there is one color
DARK = 20  # mean luma, of 255
STILL = 3  # luma of a thumbnail's pixel varies this much by noise and compression
MOST_HELD = 2**25  # bytes of a shot in memory; what is more waits on disk
JPEG = (
    *(cv2.IMWRITE_JPEG_QUALITY, 95),
    # A fifth to a third more bytes, half of the error in saturated colors.
    *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
)


class Moment(typing.NamedTuple):
    """A frame of a file.

    Attributes:
        picture: uint8 RGB [h, w, 3].
        luma: float32 [32, 32], 0 to 255, of its thumbnail.
        shot: Number of the shot that it is in.
        time: Second at which it is shown, a Fraction.
    """

    picture: np.ndarray
    luma: np.ndarray
    shot: int
    time: Fraction


def moments(frames: Iterable[tuple[np.ndarray, Fraction]]) -> Iterator[Moment]:
    """Yield a Moment for each (frame, timestamp).

    A shot ends at a cut, and where a stretch of one color, such as the black
    between two scenes, begins or ends.
    """
    detector, shot, was_blank = cuts.CutDetector(), 0, None
    for frame, time in frames:
        thumbnail = cuts.thumbnail(frame)
        luma = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY).astype(np.float32)
        blank = bool(luma.std() < BLANK)
        cut = detector(thumbnail)
        shot += cut or blank != (blank if was_blank is None else was_blank)
        was_blank = blank
        yield Moment(frame, luma, shot, time)


def on_clock(moments: Iterable[Moment], fps: Fraction) -> Iterator[tuple[int, Moment]]:
    """Yield (k, Moment shown at k / fps); k leaps where nothing new is shown for long.

    Args:
        moments: Iterable of Moment.
        fps: Fraction.
    """
    index = held = None
    step = 1 / fps
    for moment in moments:
        begins = math.floor((moment.time + ROUNDING) * fps)
        if held is None:
            index = begins
        else:
            step = min(moment.time - held.time, LONGEST_STILL)
            while index / fps + ROUNDING < held.time + step:
                yield index, held
                index += 1
            index = max(index, begins)
        held = moment
    while held is not None and index / fps < held.time + step:
        yield index, held
        index += 1


class Shot:
    """Frames that follow on from each other, as JPEG files that wait to be written.

    Args:
        first: k of the first frame.
        clip_length: Frames of a clip.
        dark: Mean luma under which a clip is too dark.
        spool: File object for the frames; what it holds is overwritten.
    """

    def __init__(
        self, first: int, clip_length: int, dark: float, spool: typing.BinaryIO
    ) -> None:
        self.first, self.clip_length = first, clip_length
        self._dark, self._spool = dark, spool
        self._spool.seek(0)
        self._places, self._sizes = array("Q"), array("Q")
        self._last = self._at = None
        self._low = self._high = None  # of the clip's pixels so far, float32 [32, 32]
        self._levels, self._deviation = array("f"), 0.0
        self.verdicts = []  # of each whole clip: "", "dark" or "still"

    def __len__(self) -> int:
        return len(self._places)

    def add(self, moment: Moment) -> None:
        """Add the next frame; the same Moment again costs nothing."""
        if moment is not self._last:
            data = encode(moment.picture)
            self._at = self._spool.tell(), len(data)
            self._spool.write(data)
            self._last = moment
        self._places.append(self._at[0])
        self._sizes.append(self._at[1])
        luma = moment.luma
        if len(self._levels) % self.clip_length == 0:
            self._low, self._high = luma, luma
        self._low = np.minimum(self._low, luma)
        self._high = np.maximum(self._high, luma)
        self._levels.append(luma.mean())
        self._deviation = max(self._deviation, float(luma.std()))
        if len(self._levels) % self.clip_length == 0:
            self.verdicts.append(self._verdict())

    def _verdict(self):
        level = np.mean(self._levels[-self.clip_length :])
        if level < self._dark:
            return "dark"
        still = np.max(self._high - self._low) <= STILL
        return "still" if still and self.clip_length > 1 else ""

    def clips(self) -> list[int]:
        """Return the k of the first frame of each clip that is worth keeping."""
        if self._deviation < BLANK:
            return []
        return [
            self.first + number * self.clip_length
            for number, verdict in enumerate(self.verdicts)
            if not verdict
        ]

    def reason(self) -> str:
        """Return why there is no clip in it, in plain words; "" if there is one."""
        level = float(np.mean(self._levels))
        if self.clips():
            return ""
        if self._deviation < BLANK:
            what = "black" if level < DARK else "one color"
            return f"{what}: mean luma {level:.0f} of 255"
        if len(self) < self.clip_length:
            count = f"{len(self)} frame" + "s" * (len(self) > 1)
            return f"too short: {count}, and a clip has {self.clip_length}"
        if "still" not in self.verdicts:
            return f"too dark: mean luma {level:.0f} of 255"
        if "dark" not in self.verdicts:
            return "frozen: nothing moves"
        return f"frozen or too dark: mean luma {level:.0f} of 255"

    def frames(self, index: Iterable[int]) -> Iterator[bytes]:
        """Yield the JPEG files of the frames at these positions."""
        for i in index:
            self._spool.seek(self._places[i])
            yield self._spool.read(self._sizes[i])

    def samples(self, count: int) -> list[np.ndarray]:
        """Return up to `count` frames, evenly from first to last, uint8 RGB."""
        index = np.unique(np.linspace(0, len(self) - 1, count).round().astype(int))
        return [decode(data) for data in self.frames(index)]


def shots(
    clocked: Iterable[tuple[int, Moment]],
    settings: Settings,
    folder: str | pathlib.Path,
) -> Iterator[Shot]:
    """Yield a Shot for each run of frames; it is valid until the next.

    Args:
        clocked: Iterable of (k, Moment).
        settings: Settings.
        folder: Where frames that do not fit in memory wait.
    """
    dark = DARK if settings.role == "content" else 0
    with contextlib.ExitStack() as stack:
        spool = tempfile.SpooledTemporaryFile(MOST_HELD, dir=folder)  # noqa: SIM115
        stack.callback(_drop, spool)
        shot = last = None
        for k, moment in clocked:
            if shot is None or (k, moment.shot) != (last[0] + 1, last[1]):
                if shot is not None:
                    yield shot
                shot = Shot(k, settings.clip_length, dark, spool)
            shot.add(moment)
            last = k, moment.shot
        if shot is not None:
            yield shot


def _drop(spool):
    with contextlib.suppress(OSError):  # what a full disk has no room for
        spool.close()


def encode(picture: np.ndarray) -> bytes:
    """Return the JPEG file, bytes, of a uint8 RGB picture [h, w, 3]."""
    picture = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", picture, JPEG)[1].tobytes()


def decode(data: bytes) -> np.ndarray:
    """Return the uint8 RGB picture [h, w, 3] of a JPEG file."""
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
