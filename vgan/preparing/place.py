"""The folder of a set: whether it may be, whose it is, what it was made with."""

import contextlib
import dataclasses
import fcntl
import os
import shutil

from vgan import InputError
from vgan.datasets.folders import expanded
from vgan.preparing import parts

PARTS, STATE = ".parts", "state.json"


def check(output, roots):
    """Refuse an output that the next run would take for an input, and other files.

    Raises:
        InputError: It is one.
    """
    place = output.resolve()
    for root in map(expanded, roots):
        root = root.resolve()
        if place == root or root in place.parents:
            raise InputError(
                f"--output={output}: is inside of the input {root}; give another"
            )
        if place in root.parents:
            raise InputError(
                f"--output={output}: the input {root} is inside of it; give another"
            )
    if place.exists() and not place.is_dir():
        raise InputError(f"--output={output}: is a file; give a folder to make")


@contextlib.contextmanager
def claimed(output, settings, overwrite):
    """Make the folder, or make sure that it is of these settings; ours in the block.

    Args:
        output: pathlib.Path of the folder.
        settings: Settings.
        overwrite: Begin anew, also with other settings.

    Yields:
        The folder of parts, which holds STATE, {"settings": {flag: value}, ...}.

    Raises:
        InputError: It is of other settings, of something else, cannot be written, or
            another run is at work in it.
    """
    folder, said = output / PARTS, dataclasses.asdict(settings)
    state = parts.read_json(folder / STATE)
    filled = output.exists() and any(output.iterdir())
    if filled and not folder.is_dir():
        raise InputError(
            f"--output={output}: is a folder of something else; give a new one"
        )
    if state is not None and state["settings"] != said and not overwrite:
        old = state["settings"]
        flags = [
            f"--{name}={old.get(name)}" for name in said if old.get(name) != said[name]
        ]
        raise InputError(
            f"--output={output}: was made with {' '.join(flags)}; give the same, "
            "another output, or --overwrite to replace it"
        )
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(output, os.O_RDONLY)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if overwrite:
                shutil.rmtree(folder)
                folder.mkdir()
            for left in folder.glob("*.tmp"):  # of a run that was killed
                left.unlink()
            if overwrite or state is None:
                parts.write_json(folder / STATE, {"settings": said})
        except BlockingIOError as error:
            raise InputError(
                f"--output={output}: another run is at work in it; wait for its end"
            ) from error
        except OSError as error:
            raise InputError(
                f"--output={output}: cannot be written ({error.strerror}); give another"
            ) from error
        yield folder
