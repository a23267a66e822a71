"""What an argument may hold: types and ranges, in plain words."""

import dataclasses
import math
import numbers
import sys
import types
import typing
from collections.abc import Callable, Sequence

from vgan import InputError


def check_values(
    section: str,
    values: object,
    rules: list[tuple[str, Callable[[typing.Any], bool], Sequence[str]]],
) -> None:
    """Raise InputError for a field of another type, or forbidden by a rule.

    Args:
        section: What its fields are said to be of in messages, as "data"; or "".
        values: A dataclass.
        rules: List of (what a value must be, test, names of fields).
    """
    prefix = section and f"{section}."
    for name, hint in typing.get_type_hints(type(values)).items():
        if not dataclasses.is_dataclass(hint):
            check_type(hint, getattr(values, name), f"{prefix}{name}")
    for words, test, names in rules:
        for name in names:
            value = getattr(values, name)
            if not test(value):
                raise InputError(f"{prefix}{name}: must be {words}, got {value!r}")


def check_type(hint: typing.Any, value: object, name: str) -> typing.Any:
    """Return `value` as the type `hint`, or raise InputError."""
    options = (
        typing.get_args(hint)
        if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
        else (hint,)
    )
    for option in options:
        kind = typing.get_origin(option) or option
        if kind is float and type(value) is int and abs(value) < 2**1000:
            return float(value)
        if type(value) is kind:
            return value
    expected = " or ".join(getattr(o, "__name__", str(o)) for o in options)
    raise InputError(f"{name}: expected {expected}, got {shown(value, 100)}")


def number(
    name: str,
    value: object,
    least: float = 0,
    most: float = math.inf,
    *,
    above: bool = False,
    below: bool = False,
    whole: bool = False,
    message: str = "{name}: takes {words}, got {value}",
) -> typing.Any:
    """Return `value` as an int or a float, or raise InputError where it is none.

    Args:
        name: What the user calls it.
        value: Any number will do, NumPy's too, but no bool, infinity or NaN.
        least: The lowest that it may be.
        most: The highest.
        above: `least` itself is excluded.
        below: `most` itself is.
        whole: It must be an integer; the result is an int.
        message: How it is told, with {name}, {words} and {value}.
    """
    found = math.nan
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        found = int(value)
    elif isinstance(value, numbers.Real) and not (whole or isinstance(value, bool)):
        found = float(value)  # NumPy's own numbers would warn of the bounds
    fits = least <= found <= min(most, sys.float_info.max)
    if fits and not (above and found == least) and not (below and found == most):
        return found if whole else float(found)
    words = "a whole number" if whole else "a number"
    if most == math.inf:
        end = f"of at least {least:g}" if whole else f"{least:g} or more"
        end = f"above {least:g}" if above else end
    else:
        last = f"{'below ' if below else ''}{most:.10g}"
        end = f"above {least:g} and up to {last}" if above else f"{least:g} to {last}"
        end = end if above else f"from {end}"
    words = f"{words} {end}"
    raise InputError(message.format(name=name, words=words, value=shown(value)))


def shown(value: object, most: int = 50) -> str:
    """A value as one short line of a message."""
    try:
        return " ".join(repr(value).split())[:most]
    except ValueError:  # an int of thousands of digits
        return f"a huge {type(value).__name__}"
