"""What an argument may hold: types and ranges, in plain words."""

import dataclasses
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
    raise InputError(f"{name}: expected {expected}, got {value!r:.100}")
