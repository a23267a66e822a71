"""config.json of a run folder: what the run has been trained with."""

import dataclasses
import os

from vgan import InputError
from vgan.config import from_json, to_json


def write(folder, config):
    """Write config.json, at once or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / ".partial_config.json"
    partial.write_text(to_json(config))
    os.replace(partial, folder / "config.json")


def changes(folder, config):
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
    for section, name in (("losses", "targets"), ("train", "only")):
        names = [sorted(set(side[section][name])) for side in (old, new)]
        if names[0] != names[1]:
            raise InputError(
                f"{folder}: was trained with {section}.{name} of {names[0]}; give the "
                "run another name, run=NAME, and begin with its weights by train.start"
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
        f"{section}.{name} from {old[section][name]} to {value}"
        for section in ("data", "losses", "train")
        for name, value in new[section].items()
        if old[section][name] != value
    ]
