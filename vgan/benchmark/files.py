"""Results in JSON files."""

import pathlib

from vgan import InputError, files


def check(path: str | pathlib.Path, suffix: str, argument: str = "output") -> None:
    """Make sure that a result can be written there, before long work.

    Raises:
        InputError: It is no such file, or cannot be written.
    """
    path = pathlib.Path(path)
    if path.suffix != suffix:
        raise InputError(f"{argument}={path}: give a file that ends in {suffix}")
    if path.is_dir():
        raise InputError(f"{argument}={path}: is a folder; give a file")
    files.check_writable(
        path.resolve().parent, f"{argument}={path}", "give another file"
    )


def write_json(path: str | pathlib.Path, facts: object) -> None:
    """Write plain types as JSON, whole or not at all; a link stays one."""
    files.write_json(pathlib.Path(path).resolve(), facts, allow_nan=False)
