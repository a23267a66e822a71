"""A part of a film: from one second to another."""

import dataclasses
import math
import numbers
import re
from fractions import Fraction

from vgan import InputError

ROUNDING = Fraction(1, 2000)  # of a second, in timestamps
WHOLE = Fraction(1, 10)  # second; what is shown for longer may be cut itself
_LARGEST = 10**9  # seconds; more overflows as ticks of a clock
_CLOCK = re.compile(r"((?:\d+:){0,2})(\d+\.?\d*|\.\d+)s?")

Time = Fraction | float | str


@dataclasses.dataclass(frozen=True)
class Cut:
    """The part of a film that is asked for; `read` makes it of what a user says.

    It begins with the frame that is shown at `start`, which is whole, and holds those
    that begin before its end. Only one that would be too long by more than a tenth of
    a second (slides) is cut itself.

    Attributes:
        start: Second of the film.
        end: Second of the film, after `start`, or None: that of the film.
        duration: Seconds from the first frame on, in the place of `end`; or None.
    """

    start: Fraction = Fraction(0)
    end: Fraction | None = None
    duration: Fraction | None = None

    def begin(self, fps: Fraction | None = None) -> Fraction:
        """Second of which the frame is wanted.

        Args:
            fps: Rate that the film is resampled to, or None.
        """
        # 0.333 is meant to be 1/3, and Matroska rounds as well.
        begin = self.start + ROUNDING if self.start else self.start
        return math.floor(begin * fps) / fps if fps else begin

    def zero(self, first: Fraction, time_base: Fraction) -> Fraction:
        """Second of the film that is 0 in the result.

        Args:
            first: When the first frame begins.
            time_base: Timestamps are multiples of this.
        """
        if not self.start or 0 <= self.start + ROUNDING - first < WHOLE:
            return first if self.start else self.start
        return math.floor(self.start / time_base) * time_base

    def length(self, zero: Fraction) -> Fraction | None:
        """Seconds of the result, or None: to the end of the film."""
        return self.duration if self.end is None else self.end - zero


def read(
    start: Time | None = None, end: Time | None = None, duration: Time | None = None
) -> Cut | None:
    """Return the Cut that a user asks for, or None: all of the film.

    Args:
        start: As of `read_time`; None: the beginning.
        end: Likewise; None: the end of the film.
        duration: Likewise, in the place of `end`.

    Raises:
        InputError: One is no time, the end is not after the start, or both `end` and
            `duration` are given.
    """
    given = {"start": start, "end": end, "duration": duration}
    given = {k: read_time(k, v) for k, v in given.items() if v is not None}
    if "end" in given and "duration" in given:
        raise InputError("duration: does not go with end=; give one of the two")
    if "duration" in given and not given["duration"]:
        raise InputError(f"duration={duration}: give more than 0 seconds")
    cut = Cut(**given)
    if cut.end is not None and cut.end <= cut.start:
        raise InputError(
            f"end={end}: is not after start={start or 0}; give a later one"
        )
    return cut if given else None


def read_time(name: str, value: Time) -> Fraction:
    """Return seconds: of a number, or of "12.5", "12s", "0:20" or "1:02:03.5".

    Args:
        name: What the user calls it.
        value: What was given; 0 or more.

    Raises:
        InputError: It is no time.
    """
    seconds = None
    if isinstance(value, str) and (found := _CLOCK.fullmatch(value.strip())):
        parts = [Fraction(part) for part in (found[1] + found[2]).split(":")]
        if all(part < 60 for part in parts[1:]):
            seconds = sum(part * 60**n for n, part in enumerate(reversed(parts)))
    elif isinstance(value, bool):
        seconds = None
    elif isinstance(value, numbers.Real) and 0 <= value < _LARGEST:  # no NaN
        is_exact = isinstance(value, numbers.Rational)
        seconds = Fraction(value if is_exact else float(value))
    if seconds is None or not 0 <= seconds < _LARGEST:
        raise InputError(
            f"{name}={value!s:.50}: give seconds, such as 12.5, 0:20 or 1:02:03.5"
        )
    return seconds
