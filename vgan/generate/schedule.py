"""Which style, and how much of it, at which second of a video.

On the command line, a second after an `@`: `a.jpg@0s`, `b.jpg@4s`, `mosaic:0.7@10s`. Or
a JSON file, with paths relative to it:

    {
      "fade": 1.0,
      "keyframes": [
        {"time": 0, "style": "a.jpg"},
        {"time": 4, "styles": {"b.jpg": 0.7, "mosaic": 0.3}, "strength": 0.5},
        {"time": 9, "strength": 1.0, "fade": 3}
      ]
    }

A keyframe is the second at which a change begins, and `fade` seconds later it is done:
nothing of a style is seen before its time. What a keyframe leaves out stays as it was;
the first one holds from the beginning of the video.
"""

import bisect
import dataclasses
import math
import os
import re
import typing
from collections.abc import Collection, Sequence
from fractions import Fraction

import numpy as np

from vgan import InputError
from vgan.runtime import styles
from vgan.runtime.engines import Engine
from vgan.runtime.engines.keras_file import ModelInfo

FADE = 1.0  # seconds


@dataclasses.dataclass(frozen=True)
class Keyframe:
    """What holds from one second on.

    Attributes:
        time: Second at which the change towards it begins.
        shares: {index of a style: its weight in the blend}.
        strength: Share of the stylized picture over the input's own, 0 to 1.
        fade: Seconds that the change takes.
    """

    time: float
    shares: dict
    strength: float
    fade: float


class Schedule:
    """Style codes and strengths over time; made by `read`.

    Args:
        wanted: List of `styles.Style`, each of which is encoded once.
        keyframes: List of Keyframe, by time.

    Attributes:
        is_constant: Whether it is the same at all times.
        has_pauses: Whether its strength is 0 at a time.
        styles: The `styles.Style` of all times; `styles.pictures` shows them.

    Example:
        schedule = read(["a.jpg@0s", "b.jpg@4s"], None, 1.0, engines.describe(path), 0)
        schedule.encode(engine)
        stylizer.style_code, stylizer.strength = schedule.at(timestamp)
    """

    def __init__(
        self, wanted: Sequence[styles.Style], keyframes: Sequence[Keyframe]
    ) -> None:
        self.styles = wanted
        self._keyframes = keyframes
        self._times = [keyframe.time for keyframe in keyframes]
        self._engine = None  # that they were encoded with
        self._points = None  # (code, strength) of each keyframe
        self._origins = None  # (code, strength) that its fade begins with
        self.is_constant = len(keyframes) == 1
        self.has_pauses = any(keyframe.strength == 0 for keyframe in keyframes)

    def encode(self, engine: Engine) -> typing.Self:
        """Encode every style once, with `engine`; returns the schedule itself."""
        if self._engine is engine and self._points is not None:
            return self
        self._engine, self._points = engine, None
        codes = [styles.encode([style], engine) for style in self.styles]
        self._points, self._origins = [], []
        for keyframe in self._keyframes:
            blend = styles.blend(
                [codes[index] for index in keyframe.shares],
                list(keyframe.shares.values()),
            )
            point = np.asarray(blend, np.float32), keyframe.strength
            # A fade that the next keyframe cuts short goes on from where it had come.
            self._origins.append(self.at(keyframe.time) if self._points else point)
            self._points.append(point)
        return self

    def at(self, seconds: Fraction | float) -> tuple[np.ndarray, float]:
        """Return what holds at a second: style code float32 [1, D], strength 0 to 1.

        In a fade, codes are blended like styles are, with shares that change linearly,
        and so does the strength. Outside of one, the code is the same array each time.

        Args:
            seconds: A number or a Fraction, such as the timestamp of a frame.

        Raises:
            RuntimeError: Nothing was encoded yet.
        """
        if self._points is None:
            raise RuntimeError("encode the schedule first")
        seconds = float(seconds)  # as keyframes' times are: 1/10 is 0.1
        known = len(self._points)  # fewer than all while they are being encoded
        index = max(0, bisect.bisect_right(self._times, seconds, hi=known) - 1)
        keyframe, point = self._keyframes[index], self._points[index]
        elapsed = seconds - keyframe.time
        if index == 0 or elapsed >= keyframe.fade:
            return point
        share = elapsed / keyframe.fade
        (code, strength), (next_code, next_strength) = self._origins[index], point
        if share > 0 and code is not next_code:
            code = styles.blend([code, next_code], [1 - share, share])
        return code, strength + share * (next_strength - strength)


def read(
    texts: typing.Any,
    path: str | os.PathLike | None,
    fade: float | None,
    model: ModelInfo | Engine,
    seed: int = 0,
) -> Schedule:
    """Read what the user asks for; needs no network yet.

    Args:
        texts: What was written as a style, a list of "source", "source:weight" or, all
            of them, "source:weight@second"; those of one second are blended by weight.
            Or one style, or a blend, that `styles.read` takes.
        path: The JSON file, or None.
        fade: Seconds of a cross-fade where the file does not say, or None: 1 second.
        model: ModelInfo: what it knows by name, and the sizes that it takes.
        seed: Of `random` styles; each mention is another one.

    Returns:
        Schedule, still to be encoded.

    Raises:
        InputError: Both ways or some timed and some untimed styles are given, the file
            is no schedule, times are out of order, a style cannot be read.
    """
    fade = FADE if fade is None else fade
    if not 0 <= fade < math.inf:
        raise InputError(f"fade={fade}: give 0 or more seconds")
    if path is not None:
        if len(texts):
            raise InputError(
                f"style={next(iter(texts))}: schedule={path} says which styles to "
                "show; give one of the two"
            )
        from vgan.generate import schedule_file

        return schedule_file.read(path, fade, model, seed)
    timed = []
    if isinstance(texts, list):
        timed = [split_time(text, model.named_styles) for text in texts]
    if all(time is None for _, time in timed):
        wanted = styles.read(texts, model, seed)
        shares = {index: style.weight for index, style in enumerate(wanted)}
        return Schedule(wanted, [Keyframe(0.0, shares, 1.0, fade)])
    for text, (_, time) in zip(texts, timed, strict=True):
        if time is None:
            raise InputError(
                f"style={text}: has no time and others have; "
                f"say when it begins, such as {text}@0s"
            )
    return _from_flags(texts, timed, fade, model, seed)


def split_time(
    text: str, named_styles: Collection[str] = ()
) -> tuple[str, float | None]:
    """Split "source:weight@4.5s" at its time; None where there is none.

    Raises:
        InputError: What follows the @ of a known style is no second.
    """
    source, at, when = text.rpartition("@")
    if not at or text in named_styles or os.path.exists(text):
        return text, None
    if re.fullmatch(r"(\d+\.?\d*|\.\d+)s?", when):
        return source, float(when.removesuffix("s"))
    name, _ = styles.split_weight(source, named_styles)
    if name in named_styles or name == "random" or os.path.exists(name):
        raise InputError(
            f"style={text}: the time must be a second from 0 on and come last, "
            f"such as {source}@4s"
        )
    return text, None  # an @ in the name of what may not exist


def _from_flags(texts, timed, fade, model, seed):
    wanted = styles.read([text for text, _ in timed], model, seed)
    keyframes = []
    for index, (text, (_, time)) in enumerate(zip(texts, timed, strict=True)):
        if keyframes and time < keyframes[-1].time:
            raise InputError(
                f"style={text}: comes after one at {keyframes[-1].time:g} s; "
                "give styles in the order of their times"
            )
        if not keyframes or time > keyframes[-1].time:
            keyframes.append(Keyframe(time, {}, 1.0, fade))
        keyframes[-1].shares[index] = wanted[index].weight
    for keyframe in keyframes:
        if not sum(keyframe.shares.values()) > 0:
            raise InputError(
                f"style={texts[next(iter(keyframe.shares))]}: all weights at "
                f"{keyframe.time:g} s are 0; give one of them a share"
            )
    return Schedule(wanted, keyframes)
