"""Exact state of a run, one .npz a checkpoint: `checkpoints/step_00000250.npz`.

Every variable of the run, the optimizers' and the counters too, so that a resumed run
goes on bit for bit. Plain arrays: no pickle, the same file under every backend.
The generator that ships is another file, for another purpose: `save_generator`.
"""

import pathlib
import re
import typing
import zipfile
import zlib

import numpy as np

from vgan import InputError, files

if typing.TYPE_CHECKING:
    from vgan.train.gan import VideoGAN


RENAMED = {"diseases": "failure_modes"}  # since earlier versions
KEEP = 2  # the newest, and one before it


def save(folder: pathlib.Path, gan: "VideoGAN") -> pathlib.Path:
    """Write the state of `gan`; a crash leaves the last checkpoint whole.

    Raises:
        FloatingPointError: A weight is not finite; nothing is written.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.asarray(v.value) for name, v in _named(gan).items()}
    for name, array in arrays.items():
        if not np.all(np.isfinite(array)):
            raise FloatingPointError(f"{name} is not finite")
    path = folder / f"step_{int(gan.step.value):08d}.npz"
    with files.replacing(path) as partial:
        np.savez(partial, **arrays)
        files.sync(partial)
    killed = folder.glob(f"{files.PARTIAL}*")  # runs left these
    for old in (*_checkpoints(folder)[:-KEEP], *killed):
        old.unlink()
    return path


def restore(folder: pathlib.Path, gan: "VideoGAN") -> int:
    """Load the newest checkpoint into `gan`; return its step, 0 where there is none.

    Raises:
        InputError: The checkpoint is of another network, or damaged.
    """
    found = _checkpoints(folder)
    if not found:
        return 0
    path = found[-1]
    variables = _named(gan)
    damaged = f"{path}: damaged; remove it, and the run goes on from the one before"
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {_current(name): file[name] for name in file.files}
    except (
        *(ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile),
        *(zlib.error, RuntimeError),  # encrypted, packed in a way unknown
    ) as error:
        raise InputError(damaged) from error
    wrong = variables.keys() ^ arrays.keys() or {
        name for name in variables if variables[name].shape != arrays[name].shape
    }
    if wrong:
        raise InputError(
            f"{path}: is of another network ({min(wrong)} does not fit); "
            "give the run another name, run=NAME"
        )
    for array in arrays.values():
        if array.dtype.kind not in "biuf" or not np.all(np.isfinite(array)):
            raise InputError(damaged)
    steps = [arrays[name] for name in variables if variables[name] is gan.step]
    if steps != [latest_step(folder)]:
        raise InputError(damaged)
    for name, variable in variables.items():
        variable.assign(arrays[name])
    gan.rates.update(gan.step)
    return int(gan.step.value)


def latest_step(folder: pathlib.Path) -> int:
    """Return the step of the newest checkpoint in the folder, 0 without one."""
    found = _checkpoints(folder)
    return int(found[-1].stem.removeprefix("step_")) if found else 0


def save_generator(
    path: str | pathlib.Path, gan: "VideoGAN", named_styles: dict[str, np.ndarray]
) -> None:
    """Write the averaged generator with the codes of named styles, atomically.

    Where `gan.base` is a model, that model with these codes beside its own.

    Args:
        path: Where, ending in .keras.
        gan: The VideoGAN.
        named_styles: {name: clip [T', h, w, 3] in [-1, 1]}.
    """
    codes = {
        name: np.asarray(gan.ema_generator.encode_style(clip[None]))[0].tolist()
        for name, clip in named_styles.items()
    }
    ships = gan.base or gan.ema_generator
    ships.named_styles = {**ships.named_styles, **codes} if gan.base else codes
    with files.replacing(path) as partial:
        ships.save(partial)


def _current(name):
    """The name that a variable of a file has now."""
    group, index, variable = name.split("/", 2)
    return "/".join((group, index, RENAMED.get(variable, variable)))


def _checkpoints(folder):
    found = pathlib.Path(folder).glob("step_*.npz")
    return sorted(path for path in found if re.fullmatch(r"step_\d{8}", path.stem))


def _named(gan):
    """{"group/index/name": variable}; the index keeps equal names apart."""
    return {
        f"{group}/{index:03d}/{variable.name}": variable
        for group, variables in gan.saved_variables().items()
        for index, variable in enumerate(variables)
    }
