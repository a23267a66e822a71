"""The JSON file of a schedule; `schedule` says what is in it."""

import json
import math
import os
import pathlib

import numpy as np

from vgan import InputError
from vgan.generate.schedule import Keyframe, Schedule
from vgan.runtime import styles
from vgan.runtime.engines import Engine
from vgan.runtime.engines.keras_file import ModelInfo

_LONGEST = 1e7  # seconds


def read(
    path: str | os.PathLike, fade: float, model: ModelInfo | Engine, seed: int
) -> Schedule:
    """Return the Schedule of a JSON file.

    Args:
        path: The file; paths in it are relative to its folder.
        fade: Seconds of a cross-fade where the file does not say.
        model: ModelInfo.
        seed: Of `random` styles; each mention is another one.

    Raises:
        InputError: Names the file, the keyframe (the first is number 1) and what is
            wrong with it.
    """
    path = pathlib.Path(path)
    show = _parse(path)
    try:
        _check_keys(show, ("fade", "keyframes"))
        fade = _number(show, "fade", fade, _LONGEST)
        listed = show.get("keyframes")
        if not isinstance(listed, list) or not listed:
            raise InputError('"keyframes" must be a list of at least one keyframe')
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    library = _Library(path.parent, model, np.random.default_rng(seed))
    keyframes = []
    for number, entry in enumerate(listed, 1):
        try:
            last = keyframes[-1] if keyframes else None
            keyframes.append(_keyframe(entry, last, fade, library))
        except InputError as error:
            raise InputError(f"{path}: keyframe {number}: {error}") from error
    return Schedule(library.styles, keyframes)


def _keyframe(entry, last, fade, library):
    _check_keys(entry, ("time", "style", "styles", "strength", "fade"))
    time = _number(entry, "time", None, _LONGEST)
    if last is not None and time <= last.time:
        raise InputError(
            f"its time, {time:g} s, is not after the one before, {last.time:g} s"
        )
    strength = _number(entry, "strength", 1.0 if last is None else last.strength, 1)
    fade = _number(entry, "fade", fade, _LONGEST)
    if "style" in entry and "styles" in entry:
        raise InputError('has both "style" and "styles"; give one of them')
    if "style" in entry:
        shares = {library.index(entry["style"]): 1.0}
    elif "styles" in entry:
        shares = _shares(entry["styles"], library)
    elif last is not None:
        shares = last.shares
    else:
        raise InputError('has no "style"; the first keyframe needs one')
    return Keyframe(time, shares, strength, fade)


def _shares(weights, library):
    if not isinstance(weights, dict) or not weights:
        raise InputError('"styles" must be {style: weight, ...}, such as {"a.jpg": 1}')
    shares = {}
    for source in weights:
        weight = _number(weights, source, None, 1e6)
        shares[library.index(source)] = weight
    if not sum(shares.values()) > 0:
        raise InputError("all weights are 0; give one of them a share")
    return shares


class _Library:
    """Styles by what they are called, each read once."""

    def __init__(self, folder, model, rng):
        self._folder, self._model, self._rng = folder, model, rng
        self._indices = {}
        self.styles = []

    def index(self, source):
        if not isinstance(source, str) or not source:
            raise InputError(
                f"{json.dumps(source)} is no style; give a path or a name in quotes"
            )
        if source not in self._indices:
            named = source in self._model.named_styles or source == "random"
            location = source if named else str(self._folder / source)
            self.styles.append(styles.read_one(location, self._model, self._rng))
            if source == "random":
                return len(self.styles) - 1
            self._indices[source] = len(self.styles) - 1
        return self._indices[source]


def _parse(path):
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "there is no such file"
        raise InputError(f"schedule={path}: {what}; give a JSON file")
    try:
        return json.loads(
            path.read_text("utf-8-sig"),
            parse_int=float,
            parse_constant=_refuse,
            object_pairs_hook=_object,
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}: line {error.lineno}, column {error.colno}: is not valid JSON "
            f"({error.msg})"
        ) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: is not valid JSON text; save it as UTF-8") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _refuse(constant):
    raise InputError(f"{constant} is no number; give one in digits")


def _object(pairs):
    """A JSON object; Python would silently keep the last of two like keys."""
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise InputError(f'"{key}" stands twice in one {{...}}; keep one of them')
    return dict(pairs)


def _check_keys(entry, known):
    if not isinstance(entry, dict):
        raise InputError(f"must be {{...}} with {', '.join(known)}")
    for key in entry:
        if key not in known:
            raise InputError(f'does not know "{key}"; known: {", ".join(known)}')


def _number(entry, key, default, most):
    """The number from 0 to `most` under a key; a default of None: it must be there."""
    value = entry.get(key, default)
    if key not in entry and default is None:
        raise InputError(f'has no "{key}"')
    if (
        isinstance(value, bool)
        or not isinstance(value, float)
        or not math.isfinite(value)
    ):
        raise InputError(f'"{key}" must be a number, got {json.dumps(value)}')
    if not 0 <= value <= most:
        raise InputError(f'"{key}" must be from 0 to {most:g}, got {value:g}')
    return value
