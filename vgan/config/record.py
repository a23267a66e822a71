"""config.json of a run folder: what the run has been trained with."""

import dataclasses
import pathlib
import typing

from vgan import InputError, files
from vgan.config import from_json, to_json

if typing.TYPE_CHECKING:
    from vgan.config import Experiment


def write(folder: pathlib.Path, config: "Experiment") -> None:
    """Write config.json, at once or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    files.write_text(folder / "config.json", to_json(config))


def changes(folder: pathlib.Path, config: "Experiment") -> list[str]:
    """What differs from the config that the run has been trained with, a line each.

    Raises:
        InputError: The networks differ, or config.json is no config.
    """
    path = folder / "config.json"
    try:
        before = from_json(path.read_text())
    except (InputError, OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be used ({error}); give the run another name, run=NAME"
        ) from error
    old, new = dataclasses.asdict(before), dataclasses.asdict(config)
    for section in ("generator", "discriminator"):
        if old[section] != new[section]:
            raise InputError(
                f"{folder}: was trained with {section}={old[section]}, not "
                f"{new[section]}; give the run another name, run=NAME"
            )
    for what, then, now in (
        ("a target of", _constrained(old), _constrained(new)),
        ("train.only of", sorted(old["train"]["only"]), sorted(new["train"]["only"])),
    ):
        if then != now:
            raise InputError(
                f"{folder}: was trained with {what} {then}; give the run another name, "
                "run=NAME, and begin with its weights by train.start"
            )
    if old["train"]["unroll"] != new["train"]["unroll"]:
        raise InputError(
            f"{folder}: was trained with train.unroll={old['train']['unroll']}; leave "
            "it so, or give the run another name, run=NAME"
        )
    for name in ("start", "start_layers"):
        if old["train"][name] != new["train"][name]:
            raise InputError(
                f"{folder}: began with train.{name}={old['train'][name]!r}, which "
                "counts at step 0 only; leave it so, or give the run another name "
                "by run=NAME"
            )
    seeds = [(old["seed"], new["seed"])] if old["seed"] != new["seed"] else []
    return [f"seed from {a} to {b}" for a, b in seeds] + [
        f"{section}.{name} from {before} to {value}"
        for section in ("data", "losses", "train")
        for name in {**old[section], **new[section]}
        if (before := old[section].get(name)) != (value := new[section].get(name))
    ]


def _constrained(values):
    """Names of the losses that are held at a target."""
    losses = {name: v for name, v in values["losses"].items() if isinstance(v, dict)}
    return sorted(name for name, value in losses.items() if value.get("target"))
