"""What clips are made of, and what shape they get."""

import dataclasses
import pathlib

from vgan import LARGEST
from vgan.checks import check_values

BATCH_SIZE = 4  # clips, where nothing else is said
NOISE = 1024  # standard normal numbers that come with each example


@dataclasses.dataclass(frozen=True)
class ClipSpec:
    """What clips are made of, and what shape they get.

    Attributes: see the arguments of the same names of `vgan.datasets.clips`, whose
    defaults these are.

    Raises:
        InputError: A value is of another type, or out of range.
    """

    content: str | pathlib.Path | dict[str, float] = "synthetic"
    style: str | pathlib.Path | dict[str, float] = "synthetic"
    image_size: int = 128
    clip_length: int = 4
    style_length: int = 4
    style_size: int = 0
    style_hues: float = 0.0
    target: str = ""
    fps: float = 12.0
    estimate_flow: bool = True
    flip: bool = True
    noise: float = 0.0
    clips: int = 0
    validation: float = 0.1

    section = ""  # where the fields are, for messages

    def __post_init__(self) -> None:
        counts = ("clip_length", "style_length")
        rules = [
            ("at least 8", lambda x: x >= 8, ("image_size",)),
            (f"at most {LARGEST}", lambda x: x <= LARGEST, ("image_size",)),
            ("at least 1", lambda x: x >= 1, counts),
            ("from 0.001 to 1000", lambda x: 1e-3 <= x <= 1000, ("fps",)),
            ("0 or more", lambda x: x >= 0, ("clips",)),
            ("0, or image_size or more", self._holds_a_clip, ("style_size",)),
            ("from 0 to 1", lambda x: 0 <= x <= 1, ("style_hues",)),
            ("from 0 to 255", lambda x: 0 <= x <= 255, ("noise",)),
            ("from 0 to below 1", lambda x: 0 <= x < 1, ("validation",)),
        ]
        check_values(self.section, self, rules)

    def _holds_a_clip(self, size):
        return size == 0 or size >= self.image_size

    def sources(self, role: str) -> dict[str, float]:
        """Return {source: weight} of a role, "content" or "style", not checked."""
        named = getattr(self, role)
        return named if isinstance(named, dict) else {named: 1.0}
