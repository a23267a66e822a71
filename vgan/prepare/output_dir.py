"""The folder of a set: whether it may be, whose it is, what it was made with."""

import contextlib
import dataclasses
import pathlib
from collections.abc import Iterable, Iterator

from vgan import InputError, files
from vgan.datasets.folders import expanded
from vgan.prepare import ownership
from vgan.prepare.settings import Settings


def check(output: pathlib.Path, roots: Iterable[str | pathlib.Path]) -> None:
    """Refuse an output that the next run would take for an input, and other files.

    Raises:
        InputError: It is one.
    """
    try:
        place = output.resolve()
        output.exists()
    except OSError as error:
        raise InputError(
            f"output={output}: cannot be a folder ({error.strerror}); give another"
        ) from error
    for root in map(expanded, roots):
        root = root.resolve()
        if place == root or root in place.parents:
            raise InputError(
                f"output={output}: is inside of the input {root}; give another"
            )
        if place in root.parents:
            raise InputError(
                f"output={output}: the input {root} is inside of it; give another"
            )
    if place.exists() and not place.is_dir():
        raise InputError(f"output={output}: is a file; give a folder to make")


@contextlib.contextmanager
def claimed(
    output: pathlib.Path, settings: Settings, overwrite: bool
) -> Iterator[pathlib.Path]:
    """Make the folder, or make sure that it is of these settings; ours in the block.

    Args:
        output: pathlib.Path of the folder.
        settings: Settings.
        overwrite: Begin anew, also with other settings.

    Yields:
        The folder of parts, which holds the state, see `ownership.read_state`.

    Raises:
        InputError: It is of other settings, of something else, cannot be written, or
            another run is at work in it.
    """
    folder, said = output / ownership.PARTS, dataclasses.asdict(settings)
    with contextlib.ExitStack() as stack:
        with files.writing(f"output={output}", "give another"):
            state = ownership.read_state(output)
            ownership.refuse_others(output, state)
            if state and not overwrite:
                _refuse_changes(output, state["settings"], said)
            folder.mkdir(parents=True, exist_ok=True)
            told = f"output={output}: another run is at work in it; wait for its end"
            stack.enter_context(files.locked(output, told))
            ownership.clear(folder, "" if overwrite else files.PARTIAL)
            if overwrite or not state:
                named = {name: state[name] for name in ("name",) if name in state}
                state = {**ownership.MARK, **named, "settings": said}
                files.write_json(folder / ownership.STATE, state, sort_keys=True)
        yield folder


def _refuse_changes(output, old, new):
    changed = [f"{name}={old.get(name)}" for name in new if old.get(name) != new[name]]
    if changed:
        raise InputError(
            f"output={output}: was made with {' '.join(changed)}; give the same, "
            "another output, or overwrite=True to replace it"
        )
