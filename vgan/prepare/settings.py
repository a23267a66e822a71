"""What a prepared set is made like."""

import dataclasses
import typing
from fractions import Fraction

from vgan import InputError

ROLES = ("content", "style")
LEAST_SIZE = 16


@dataclasses.dataclass(frozen=True)
class Settings:
    """The flags of `vgan.prepare` that decide what is in a set.

    Attributes:
        fps: Frames per second of the clips.
        size: Short side of the clips in pixels.
        clip_length: Frames of a clip; a photo is a clip of one.
        role: "content"; or "style": the label of a file is its first sub-folder.
        max_clips: Most clips of the whole set; 0: all.
        validation: Fraction of the files that is never trained on.

    Raises:
        InputError: A value is out of its range.
    """

    fps: float = 24.0
    size: int = 256
    clip_length: int = 16
    role: str = "content"
    max_clips: int = 0
    validation: float = 0.1

    def __post_init__(self) -> None:
        for name, low, high, what in (
            ("fps", 1, 240, "1 to 240 frames per second"),
            ("size", LEAST_SIZE, 4096, f"{LEAST_SIZE} to 4096 pixels"),
            ("clip_length", 1, 512, "1 to 512 frames"),
            ("max_clips", 0, float("inf"), "0, which is all, or more"),
            ("validation", 0, 0.9, "0 to 0.9"),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name}={value}: give {what}")
        if self.role not in ROLES:
            raise InputError(f"role={self.role}: give {' or '.join(ROLES)}")

    @property
    def rate(self) -> Fraction:
        """`fps` as the Fraction that it stands for."""
        return Fraction(self.fps).limit_denominator(100_000)

    def of_scan(self) -> dict[str, typing.Any]:
        """Those settings, {name: value}, that what is found in a file depends on."""
        names = ("fps", "size", "clip_length", "role")
        return {name: getattr(self, name) for name in names}
