"""What a visitor has chosen: styles and how much of them. Read, and checked."""

import dataclasses
import math
from collections.abc import Iterable, Mapping

from vgan import InputError

MOST = 8  # styles in a blend


@dataclasses.dataclass(frozen=True)
class Choice:
    """How to paint.

    Attributes:
        shares: {id of a style: its weight above 0}; empty: the first of the shelf.
        strength: Share of the painted picture, 0 to 1.
        keep_color: Whether colors stay those of the input.
    """

    shares: dict[str, float] = dataclasses.field(default_factory=dict)
    strength: float = 1.0
    keep_color: bool = False


def from_message(message: object, known: Iterable[str]) -> Choice:
    """Return what a page's message says, `{"styles": {id: weight}, "strength": ...}`.

    Args:
        message: As parsed from JSON.
        known: Ids of the styles that there are.

    Raises:
        vgan.InputError: It is another thing, or out of range.
    """
    if not isinstance(message, dict):
        raise InputError("choice: give an object with styles, strength and keep_color")
    unknown = message.keys() - {"styles", "strength", "keep_color"}
    if unknown:
        raise InputError(f"choice: has no {min(unknown)[:40]!r}")
    shares = message.get("styles", {})
    if not isinstance(shares, dict) or len(shares) > MOST:
        raise InputError(f"styles: give an object of up to {MOST} styles, id: weight")
    for style, share in shares.items():
        if style not in known:
            raise InputError(f"styles: there is no style {style[:60]!r}")
        if not _is_number(share) or not 0 <= share <= 1e6:
            raise InputError("styles: a weight must be a number from 0 to 1000000")
    if shares and not max(shares.values()) > 1e-6:
        raise InputError("styles: give one of them a weight above 0")
    shares = {style: float(share) for style, share in shares.items() if share > 1e-6}
    strength = message.get("strength", 1.0)
    if not _is_number(strength) or not 0 <= strength <= 1:
        raise InputError("strength: must be a number from 0 to 1")
    keep_color = message.get("keep_color", False)
    if not isinstance(keep_color, bool):
        raise InputError("keep_color: must be true or false")
    return Choice(shares, float(strength), keep_color)


def from_query(query: Mapping, known: Iterable[str]) -> Choice:
    """Return what an address says: `?style=irises:0.7&style=mill:0.3&strength=0.8`.

    Args:
        query: A multidict, as aiohttp gives it.
        known: Ids of the styles that there are.

    Raises:
        vgan.InputError: As `from_message`.
    """
    shares = {}
    for text in query.getall("style", []):
        style, colon, weight = text.rpartition(":")
        if text in known or not colon:
            shares[text] = 1.0
        else:
            shares[style] = _number(weight)
    keep_color = query.get("keep_color", "0")
    message = {
        "styles": shares,
        "strength": _number(query.get("strength", "1")),
        "keep_color": {"0": False, "1": True}.get(keep_color, keep_color),
    }
    return from_message(message, known)


def _number(text):
    try:
        return float(text)
    except ValueError:
        return None  # which is refused by name


def _is_number(value):
    return type(value) in (int, float) and math.isfinite(value)
