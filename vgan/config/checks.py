"""What a field of a dataclass may hold: names, types and ranges, in plain words."""

import dataclasses
import difflib
import json
import types
import typing

from vgan import InputError


def parse(text):
    """JSON where the text is JSON, else the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or too much of it
        return {"True": True, "False": False, "None": None}.get(text, text)


def check_values(section, config, rules):
    """Raise InputError for a field of another type, or forbidden by a rule.

    Rules are (what a value must be, test, names of fields).
    """
    for name, hint in typing.get_type_hints(type(config)).items():
        if not dataclasses.is_dataclass(hint):
            check_type(hint, getattr(config, name), f"{section}.{name}")
    for words, test, names in rules:
        for name in names:
            value = getattr(config, name)
            if not test(value):
                raise InputError(f"{section}.{name}: must be {words}, got {value!r}")


def check_name(cls, key, name):
    """Raise InputError where a dataclass has no field `key`; `name` is for messages."""
    known = [f.name for f in dataclasses.fields(cls)]
    if key not in known:
        close = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
        raise InputError(f"{name}: there is no field {key!r}; {hint}")


def check_type(hint, value, name):
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


def check_where(config):
    """Raise InputError where the place that batches are made at cannot do the rest.

    Args:
        config: The Experiment, whole: fields are set one after the other.
    """
    data, train = config.data, config.train
    if data.where == "device" and data.target:
        raise InputError(
            "data.where: device cuts windows out of pictures, which have no stylised "
            "form; leave out data.target, or make batches on the host"
        )
    if train.unroll == 1:
        return
    if data.where != "device":
        raise InputError("train.unroll: needs clips that go on; set data.where=device")
    for name in ("burn_in", "schedule"):
        if getattr(train, name):
            raise InputError(f"train.unroll: goes with no train.{name}; leave one out")
