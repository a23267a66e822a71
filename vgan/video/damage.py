"""What of a film came, and what is lost: counted, so that it can be said.

Demuxers and decoders skip what is damaged, often without a word. A loss shows in what
the container declares, in errors, and in holes of a steady clock; where the last might
be meant (a still at the end, a pause), the file's structure is looked at too.
"""

import collections
import functools
import io
import os
import pathlib
from fractions import Fraction

import av
import numpy as np

# Of Matroska: what is entered, and what may stand in a segment or a cluster.
_ENTERED = {0x18538067, 0x1F43B675}  # segment, cluster
_ELEMENTS = _ENTERED | {
    0x1A45DFA3, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770,
    0x1254C367, 0x5854, 0xEC, 0xBF, 0xE7, 0xA3, 0xA0, 0xAB, 0xA7, 0xAF,
}  # fmt: skip
_TRACKS, _TRACK, _NUMBER = 0x1654AE6B, 0xAE, 0xD7  # one in the other
_BLOCK = 0xA3  # begins with the number of its track
# Of these each packet is a frame, but for fields and what leads up to the first frame.
_ONE_TO_ONE = ("h264", "hevc", "mpeg1video", "mpeg2video", "mjpeg", "vp9", "av1")
_JUMP = 60  # seconds; a clock that goes further is set anew, or damaged itself
_JOINT = 2  # packets before a joint that may be marked as damaged, though all came
_UNSTEADY = 0.1  # share of holes above which a clock has pauses by nature
# First bytes and sizes of packets, and where in them the first bytes are.
_PACKETS = {
    "mpegts": ((b"\x47", 188), (b"\x47", 192, 4), (b"\x47", 204)),
    "mpeg": ((b"\0\0\1", 2048),),
}


class Losses:
    """Counts what a decoder gives of one stream, from its beginning.

    Args:
        container: av.InputContainer.
        stream: Its video stream.
        path: pathlib.Path of the file, or None of an address or a pipe.
        fps: Average frames per second, a Fraction.
    """

    def __init__(
        self,
        container: av.container.InputContainer,
        stream: av.VideoStream,
        path: pathlib.Path | None,
        fps: Fraction,
    ) -> None:
        self._path, self._format = path, container.format.name.split(",")[0]
        self._index = stream.index
        self._ticks = 1 / fps / stream.time_base  # of a frame
        self._jump = _JUMP / stream.time_base
        self._is_cut_off = path is not None and _is_cut_off(path, self._format)
        self._declared = self._stated = stream.frames
        if self._format == "mov" or (self._format == "avi" and not self._is_cut_off):
            # Without what an edit list leaves out, and repeats. Not in PyAV before 16.
            index = getattr(stream, "index_entries", ())
            self._declared = len(index) or stream.frames
        self._end = _end(container, stream)
        self._one_to_one = stream.codec_context.name in _ONE_TO_ONE
        self._packets = self._frames = self._failed = self._damaged = 0
        self._hidden = self._leading = 0  # packets, as of an edit list; before a frame
        self._early = []  # times of those before the first frame
        self._steady = self._unsteady = self._holes = self._missing = 0
        self._keyed = self._ended = False
        self._last = self._why = self._stretch = self._stored = None
        self._uneven = 0  # steps of the decoding times that are none of a frame
        self._joined, self._was_key = 0, True
        self._marked = []  # whether the last packets are marked as damaged

    def took(self, packet: av.Packet, stretch: object = None) -> None:
        """Count a packet that was demuxed.

        Args:
            packet: Of the picture.
            stretch: As of `Clock.stretch`. Where one ends, recordings may be joined:
                that their packets are not numbered on is no damage.
        """
        joint = self._packets and stretch is not self._stretch
        self._stretch = stretch
        if joint or (packet.is_keyframe and not self._was_key):
            # Parts may follow one another without a step of the clock, too.
            self._joined += 0 if joint else sum(self._marked)
            self._marked.clear()
        elif len(self._marked) == _JOINT:
            self._damaged += self._marked.pop(0)
        self._was_key = packet.is_keyframe
        self._marked.append(bool(self._frames and packet.is_corrupt and not joint))
        again = not packet.size and packet.dts is not None  # the last frame, as in AVI
        self._packets += bool(packet.size) or again
        # Its time was so wrong that the clock took it away: nobody meant to hide it.
        self._failed += packet.is_discard and packet.pts is None
        self._keyed |= packet.is_keyframe
        if None not in (self._stored, packet.dts):
            step = packet.dts - self._stored
            self._uneven += abs(step - self._ticks) > max(1, self._ticks / 50)
        self._stored = packet.dts
        self._hidden += packet.is_discard or again
        self._missing -= again
        if not (self._frames or packet.is_discard):
            self._early.append(packet.pts)

    def failed(self) -> None:
        """Count a packet that cannot be decoded; not before the first key frame."""
        self._failed += self._keyed

    def stopped(self, why: str) -> None:
        """Note that the file cannot be read on."""
        self._why = why

    def ended(self) -> None:
        """Note that all was read: only then can be told what is lost."""
        self._ended = True
        self._damaged += sum(self._marked)
        self._marked = []

    def gave(self, frame: av.VideoFrame) -> None:
        """Count a frame that was decoded."""
        self._frames += 1
        self._damaged += frame.is_corrupt
        self._one_to_one &= not frame.interlaced_frame
        last, pts = self._last, frame.pts
        if self._frames == 1:
            self._leading = sum(None in (t, pts) or t < pts for t in self._early)
        self._last = pts if pts is not None else last
        if last is None or pts is None:
            return
        step = pts - last
        if abs(step - self._ticks) <= max(1, self._ticks / 50):
            self._steady += 1
        elif 1.5 * self._ticks < step < self._jump:
            self._holes += 1
            self._missing += round(step / self._ticks) - 1
        else:
            self._unsteady += 1

    def describe(self) -> str | None:
        """One line of what is lost, or None where all came, or not all was read."""
        if not self._ended:
            return None
        # An index that lists less than came is damaged itself.
        is_whole = self._packets <= self._declared
        # One that ends in the middle leaves the film's length as it was; an edit list
        # does not.
        is_whole &= self._at_the_end() != self._stated - self._declared
        declared = self._declared if is_whole else self._stated
        missing = max(declared - self._packets, 0) + self._failed
        unseen, broken = self._unseen(), self._is_cut_off or self._is_broken
        if not missing and broken:
            missing = unseen
        if not missing and self._one_to_one:
            shown = self._packets - self._hidden - self._leading
            missing = max(0, shown - self._frames)
        if missing:
            total = self._frames + missing
            return f"{self._frames} of {total} frames; the rest cannot be decoded"
        if self._why or self._is_cut_off:
            why = self._why or "the file is cut off"
            return f"{self._frames} frames; then it ends early ({why})"
        if broken:
            return f"{self._frames} frames; a part of the file is damaged, and lost"
        if self._damaged:
            return f"{self._frames} frames, {self._damaged} of them damaged"
        return None

    def doubt(self) -> str | None:
        """One line of what may be lost, or may be meant; or None."""
        if not self._ended or self.describe():
            return None
        # Of frames without times it is not known where they are.
        leading = min(self._leading, self._packets - self._hidden - self._frames)
        if leading > 0 and self._one_to_one:
            return f"it begins with {leading} frames that need others before it"
        if self._joined:
            return (
                f"recordings are joined in it, or {self._joined} of its "
                f"{self._frames} frames are damaged"
            )
        if self._format == "mov" and 10 * self._frames < self._stated:
            left = self._stated - self._frames
            return f"its edit list leaves out {left} of {self._stated} frames"
        # Who leaves frames out by an edit list leaves the times of the others alone.
        hides = self._format == "mov" and self._hidden and not self._uneven
        if hides and (self._unsteady or self._holes):
            return (
                f"its list of times is damaged: {self._hidden} of {self._packets} "
                "frames are hidden, and others come at wrong times"
            )
        often = self._unsteady or self._holes > _UNSTEADY * self._steady
        if often or self._missing <= 0:
            return None
        return f"its clock has room for {self._missing} more frames, which are missing"

    def _at_the_end(self):
        """Frames that there is room for after the last one."""
        if self._end is None or self._last is None:
            return 0
        return max(0, round((self._end - self._last) / self._ticks) - 1)

    def _unseen(self):
        """Frames that the clock has room for, if it is steady."""
        return self._at_the_end() + (0 if self._unsteady else self._missing)

    @functools.cached_property
    def _is_broken(self):
        """Whether the file lacks what its structure must have."""
        if self._path is None:
            return False
        if self._format == "matroska":  # which takes seconds
            late = self._early and (self._early[0] or 0) > self._ticks
            known = self._end is not None
            suspected = late or self._holes or not known or self._at_the_end()
            return bool(suspected) and _is_broken_matroska(
                self._path, self._index, self._packets
            )
        if self._format == "flv":
            return _is_broken_flv(self._path)
        if self._format == "gif":
            return _is_broken_gif(self._path)
        kinds = _PACKETS.get(self._format, ())
        return any(_has_hole(self._path, *kind) for kind in kinds)


def _end(container, stream):
    """Tick at which the picture ends, where the file tells; sound may be longer."""
    tag = stream.metadata.get("DURATION")
    if stream.duration and container.format.name != "mpeg":  # which is a guess
        return (stream.start_time or 0) + stream.duration
    try:
        hours, minutes, seconds = tag.split(":")
        return (
            60 * (60 * int(hours) + int(minutes)) + Fraction(seconds)
        ) / stream.time_base
    except (AttributeError, ValueError):
        pass
    if len(container.streams) > 1 or not container.duration:
        return None
    start = container.start_time or 0
    return Fraction(start + container.duration, av.time_base) / stream.time_base


def _is_cut_off(path, name):
    """Whether the file is shorter than its own first bytes say."""
    size = path.stat().st_size
    if name == "mpegts":
        return all(size % kind[1] for kind in _PACKETS[name])
    with open(path, "rb") as file:
        if name == "avi":
            return int.from_bytes(file.read(8)[4:], "little") + 8 > size
        if name != "matroska":
            return False
        for _ in range(2):
            ident, length = _element(file)
            if ident in _ENTERED:
                return length is not None and file.tell() + length > size
            file.seek(length or 0, os.SEEK_CUR)
    return False


def _is_broken_matroska(path, index, came):
    """Whether its elements do not follow one another to the end of the file.

    Or whether it holds more blocks of the track of an index than `came`.
    """
    size = path.stat().st_size
    tracks, end_of_tracks, blocks = [], 0, collections.Counter()
    with open(path, "rb") as file:
        while file.tell() < size:
            ident, length = _element(file)
            start = file.tell()
            if ident in _ENTERED:
                continue
            if length is None or (ident not in _ELEMENTS and start > end_of_tracks):
                return True
            if ident == _TRACKS:
                end_of_tracks = start + length
            if ident in (_TRACKS, _TRACK):
                continue
            if ident == _NUMBER:
                number = int.from_bytes(file.read(min(length, 8)))
                tracks.append(0x80 | number)  # as blocks have it
            elif ident == _BLOCK:
                track = int.from_bytes(file.read(1))
                if track not in tracks:
                    return True
                blocks[track] += 1
            file.seek(start + length)
        return file.tell() > size or blocks[dict(enumerate(tracks)).get(index)] > came


def _is_broken_gif(path):
    """Whether its blocks do not lead to the mark of its end (GIF89a, 1990)."""

    def skip_colors(flags):
        file.seek(3 * 2 ** (flags % 8 + 1) if flags & 0x80 else 0, os.SEEK_CUR)

    with open(path, "rb") as file:
        skip_colors(file.read(13)[10])
        while (kind := file.read(1)) != b";":
            if kind == b",":  # a picture
                skip_colors((file.read(9) or b"\0")[-1])
            elif kind != b"!":  # an extension
                return True
            file.seek(1, os.SEEK_CUR)
            while length := (file.read(1) or b"\0")[0]:
                file.seek(length, os.SEEK_CUR)
    return False


def _is_broken_flv(path):
    """Whether its tags, each followed by its own size, do not reach to the end."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        file.seek(int.from_bytes(file.read(9)[5:]) + 4)
        while file.tell() < size:
            length = int.from_bytes(file.read(11)[1:4])
            file.seek(length, os.SEEK_CUR)
            if int.from_bytes(file.read(4)) != length + 11:
                return True
    return False


def _element(file: io.BufferedReader):
    """Identifier and length (None: unknown) of the Matroska element that is next."""
    first = file.read(1) or b"\0"
    ident = first + file.read(8 - first[0].bit_length())
    first = file.read(1) or b"\0"
    count = 8 - first[0].bit_length()
    length = int.from_bytes(first + file.read(count)) & ((1 << 7 * (count + 1)) - 1)
    known = first[0] and length != (1 << 7 * (count + 1)) - 1
    return int.from_bytes(ident), length if known else None


def _has_hole(path, sync, size, offset=0):
    """Whether packets of a size lack their first bytes, after others that have them.

    Zeros at the end are none: recorders fill files with them.
    """
    data = np.memmap(path, np.uint8, "r")
    packets = data[: len(data) // size * size].reshape(-1, size)
    begins = np.all(packets[:, offset : offset + len(sync)] == list(sync), axis=1)
    where = np.flatnonzero(begins)
    if len(where) < 2 or where[-1] - where[0] >= 2 * len(where):
        return False  # it is of another size
    tail = data[(where[-1] + 1) * size :]
    return bool(where[-1] - where[0] + 1 > len(where) or np.any(tail))
