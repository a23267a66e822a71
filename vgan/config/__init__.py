"""What an experiment is: frozen dataclasses, read from a file, changed by --set.

An experiment is a Python file with a docstring and `get_config() -> Experiment`.
`generator`, `discriminator` and each of `losses` go straight into the constructors in
vgan.models and vgan.losses, so a default is written once, there.
"""

import dataclasses
import json
import pathlib
import runpy
import typing
from collections.abc import Iterable

from vgan import InputError
from vgan.config import checks, legacy
from vgan.config.arguments import data_arguments
from vgan.config.fields import Data, Experiment, Train
from vgan.datasets.spec import NOISE

_PACKAGE = pathlib.Path(__file__).parents[1]
# Of the user's folder, of an installed vgan, of a checkout that runs elsewhere.
FOLDERS = (
    pathlib.Path("experiments"),
    *(folder / "experiments" for folder in (_PACKAGE, _PACKAGE.parent)),
)

__all__ = [
    "NOISE",
    "Data",
    "Experiment",
    "Train",
    "data_arguments",
    "from_json",
    "load",
    "override",
    "to_json",
]


def load(experiment: str | pathlib.Path, overrides: Iterable[str] = ()) -> Experiment:
    """Return the Experiment that a name or a file gives, with overrides applied.

    Args:
        experiment: Path of a .py file, or the name of one in ./experiments or, where
            that has none, among the experiments that come with vgan.
        overrides: Strings "section.field=value", as --set takes them.

    Raises:
        InputError: No such experiment, its file fails, a value is of another type or
            out of range, or an override does not fit.
    """
    path = pathlib.Path(experiment)
    folders = [path.parent]
    if path.suffix != ".py":
        folders = FOLDERS
        places = [folder / f"{experiment}.py" for folder in folders]
        path = next(filter(pathlib.Path.is_file, places), places[0])
    if not path.is_file():
        found = {file.stem for folder in folders for file in folder.glob("*.py")}
        known = sorted(name for name in found if name[0] != "_")
        raise InputError(
            f"experiment {experiment!r}: there is no {path}; "
            f"known here: {', '.join(known) or 'none'}"
        )
    try:
        config = runpy.run_path(str(path))["get_config"]()
        config = from_json(to_json(config))  # checks, and makes lists of tuples
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except KeyError as error:
        raise InputError(
            f"{path}: has no {error}; copy a get_config() from another experiment"
        ) from error
    except (Exception, SystemExit) as error:  # whatever a user's file may do
        raise InputError(f"{path}: {type(error).__name__}: {error}") from error
    return override(config, overrides)


def override(config: Experiment, assignments: Iterable[str]) -> Experiment:
    """Return `config` with each "a.b=value" applied and checked by type."""
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise InputError(f"set={assignment}: write it as section.field=value")
        try:
            keys = legacy.current_name(name.strip()).split(".")
            config = _replace(config, keys, text.strip(), name)
        except InputError as error:
            raise InputError(f"set={error}") from error
    return config


def to_json(config: Experiment) -> str:
    """Return the experiment as readable JSON text."""
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_json(text: str) -> Experiment:
    """Return the Experiment that `to_json` wrote.

    Raises:
        InputError: It is not valid JSON, or a field is unknown or of another type.
    """
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"is not valid JSON: {error}") from error
    return _from_dict(Experiment, legacy.translate(values), "")


def _from_dict(cls, values, prefix):
    hints = typing.get_type_hints(cls)
    fields = {}
    if not isinstance(values, dict):
        raise InputError(
            f"{prefix.rstrip('.') or 'config'}: expected fields, got {values!r}"
        )
    for name, value in values.items():
        checks.check_name(cls, name, prefix + name)
        if dataclasses.is_dataclass(hints[name]):
            fields[name] = _from_dict(hints[name], value, f"{prefix}{name}.")
        else:
            fields[name] = checks.check_type(hints[name], value, prefix + name)
    return cls(**fields)


def _replace(config, keys, text, name):
    key, *rest = keys
    if isinstance(config, dict):
        inner = config.get(key, {})
        if rest:
            if not isinstance(inner, dict):
                raise InputError(f"{name}: {key!r} is a value and has no fields")
            inner = _replace(inner, rest, text, name)
            return {**config, key: inner}
        value = checks.parse(text)
        # A number is the weight of a loss, a word its name; the rest stays.
        for part, kind in (("weight", int | float), ("name", str)):
            if isinstance(inner, dict) and part in inner and isinstance(value, kind):
                value = {**inner, part: value}
        return {**config, key: value}
    checks.check_name(type(config), key, name)
    hint = typing.get_type_hints(type(config))[key]
    value = getattr(config, key)
    if rest:
        if not (dataclasses.is_dataclass(value) or isinstance(value, dict)):
            raise InputError(f"{name}: {key!r} is a value and has no fields")
        value = _replace(value, rest, text, name)
    elif dataclasses.is_dataclass(value):
        raise InputError(
            f"{name}: is a section; name one of its fields: "
            + ", ".join(f.name for f in dataclasses.fields(value))
        )
    else:
        value = checks.check_type(
            hint, text if hint is str else checks.parse(text), name
        )
    return dataclasses.replace(config, **{key: value})
