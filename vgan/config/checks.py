"""What the fields of an experiment may hold, in plain words."""

import dataclasses
import difflib
import json
import typing

from vgan import InputError
from vgan.checks import check_type, check_values

if typing.TYPE_CHECKING:
    from vgan.config import Experiment


__all__ = ["check_name", "check_type", "check_values", "check_where", "parse"]


def parse(text: str) -> typing.Any:
    """JSON where the text is JSON, else the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # not valid JSON, or too much of it
        return {"True": True, "False": False, "None": None}.get(text, text)


def check_name(cls: type, key: str, name: str) -> None:
    """Raise InputError where a dataclass has no field `key`; `name` is for messages."""
    known = [f.name for f in dataclasses.fields(cls)]
    if key not in known:
        close = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
        raise InputError(f"{name}: there is no field {key!r}; {hint}")


def check_where(config: "Experiment") -> None:
    """Raise InputError where the place that batches are made at cannot do the rest.

    Args:
        config: The Experiment, whole: fields are set one after the other.
    """
    data, train = config.data, config.train
    if data.where == "device" and data.target:
        raise InputError(
            "data.where: device cuts windows out of pictures, which have no stylized "
            "form; leave out data.target, or make batches on the host"
        )
    if train.unroll == 1:
        return
    if data.where != "device":
        raise InputError("train.unroll: needs clips that go on; set data.where=device")
    for name in ("burn_in", "schedule"):
        if getattr(train, name):
            raise InputError(f"train.unroll: goes with no train.{name}; leave one out")
