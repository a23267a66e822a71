"""One clock for picture and sound, whose jumps are taken out.

Joined recordings, a broadcast clock that wraps, lost packets: the times in a file may
step back, jump ahead by hours, or be wrong for one packet only. What decodes them and
what copies them each read the packets in the order of the file through a Clock of their
own, and as it decides by these alone, both get the same times.
"""

import logging
from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
from av.format import Flags

# FFmpeg's bounds: a step back of more than this is a jump,
BACK = Fraction(1, 10)  # seconds
# and so is one of more than this ahead of all streams, where clocks may jump.
AHEAD = 10  # seconds
# Of sound alone it is none up to this: segments of a stream overlap.
OVERLAP = 1  # second
_log = logging.getLogger("vgan")


class Clock:
    """Takes jumps out of the times of packets.

    In the picture, a step back of more than BACK is a jump, in sound alone of more than
    OVERLAP; in containers whose clock is not continuous by definition (transport and
    program streams, Ogg), so is one of more than AHEAD ahead of all that was read. From
    a jump on, all streams are moved by one common offset, so that time goes on where it
    was and picture and sound stay together. A single packet that is out by more than
    AHEAD, in any container, goes where its neighbors say.

    Args:
        container: The av.InputContainer that packets are of.
        name: What the line in the log calls it that says so; None: nothing is said.

    Attributes:
        name: The same until it was said.
    """

    def __init__(
        self, container: av.container.InputContainer, name: str | None = None
    ) -> None:
        self._may_jump = bool(container.format.flags & Flags.ts_discont.value)
        self.name = name
        self._epoch = _Epoch(Fraction(0))  # the newest
        self._tracks = {}
        self._first = self._latest = None

    def steady(self, packets: Iterable[av.Packet]) -> Iterator[av.Packet]:
        """Yield the packets, their times corrected; those of a stream in order.

        Args:
            packets: Iterable of av.Packet in the container's order: of the picture and
                all its sound, here and elsewhere. Subtitles only follow.
        """
        for packet in packets:
            if packet.stream.type == "subtitle":
                yield _moved(packet, self._epoch.offset)
                continue
            # The last, empty packet of each stream has the `stream_index` 0.
            index = packet.stream.index
            track = self._tracks.get(index)
            if track is None:
                track = self._tracks[index] = _Track(self._epoch)
            time = _time(packet)
            held, track.held = track.held, None
            if held is not None:
                alone = time is not None and self._fits(track, time)
                yield (self._strayed if alone else self._jumped)(held, track)
            if time is None:
                yield _moved(packet, track.epoch.offset)
            elif self._fits(track, time):
                yield self._placed(packet, track, track.epoch.offset)
            else:  # the next one tells whether all go on from there
                track.held = packet

    def stretch(self, index: int) -> object:
        """What is the same for all packets of a stream that no jump parts.

        Args:
            index: Of the stream whose packet was yielded last.
        """
        track = self._tracks.get(index)
        return track and track.epoch

    def _fits(self, track, time):
        if track.end is None:
            return True
        time += track.epoch.offset
        if time < track.last - BACK:
            return False
        return time <= max(track.end, self._latest) + AHEAD

    def _strayed(self, packet, track):
        """Place a packet that is out of step alone."""
        offset = track.epoch.offset
        if abs(_time(packet) + offset - track.end) > AHEAD:
            self._say("one time is {:+.6g} s off", packet, track)
            offset = track.end - _time(packet)
        return self._placed(packet, track, offset)

    def _jumped(self, packet, track):
        """Place a packet that those after it follow."""
        time, newest = _time(packet), self._epoch
        step = time + track.epoch.offset - track.end
        to_newest = time + newest.offset - track.end
        is_sound = packet.stream.type == "audio"
        if track.epoch is not newest and abs(to_newest) <= AHEAD:
            # Another stream has made this jump, where it ended before this one: no
            # picture and little sound is lost.
            if to_newest < (-BACK if is_sound else 0):
                newest.offset -= to_newest
            track.epoch = newest
        elif step < (-OVERLAP if is_sound else -BACK) or (step > 0 and self._may_jump):
            self._say("its clock jumps by {:+.6g} s", packet, track)
            track.epoch = self._epoch = _Epoch(track.end - time)
        return self._placed(packet, track, track.epoch.offset)

    def _placed(self, packet, track, offset):
        time = _time(packet) + offset
        base = packet.time_base
        shown = packet.pts if packet.dts is not None else None
        if shown is not None and abs(shown - packet.dts) * base > AHEAD:
            packet.pts = None  # the decoder knows better
        if track.last is not None and time > track.last:
            track.step = time - track.last
        track.last = time
        track.end = time + (packet.duration * base if packet.duration else track.step)
        self._first = time if self._first is None else self._first
        self._latest = max(track.end, self._latest or track.end)
        return _moved(packet, offset)

    def _say(self, what, packet, track):
        if self.name is None:
            return
        what = what.format(float(_time(packet) + track.epoch.offset - track.end))
        _log.warning(
            "%s: %s at second %.6g: picture and sound go on together, there and at "
            "all later ones",
            self.name, what, track.end - self._first,
        )  # fmt: skip
        self.name = None


class _Epoch:
    """A stretch of the file between two jumps."""

    def __init__(self, offset):
        self.offset = offset  # seconds, of the result's clock against the file's


class _Track:
    """Where a stream is, in seconds of the result's clock."""

    def __init__(self, epoch):
        self.epoch = epoch
        self.last = self.end = self.held = None
        self.step = Fraction(0)


def _moved(packet, offset):
    shift = round(offset / packet.time_base)
    if packet.dts is not None:
        packet.dts += shift
    if packet.pts is not None:
        packet.pts += shift
    return packet


def _time(packet):
    """Seconds on the file's clock, in the order of decoding; or None."""
    ticks = packet.dts
    if ticks is None and packet.stream.type == "audio":
        ticks = packet.pts
    return None if ticks is None else ticks * packet.time_base
