"""Exports made once and kept beside the model, for the engines that run them.

`.generator.keras.engines/openvino-2026.4.1-<hash>/` holds one export; the hash is that
of the model's file. What belongs to a model or a version that is gone is removed. Where
that folder cannot be written, as in a package that another user has installed, it is
`vgan/<hash>/` in the user's cache.
"""

import contextlib
import hashlib
import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from vgan import InputError
from vgan.runtime.engines.exported import MANIFEST, read_manifest

LONGEST = 3600  # seconds that an export may take
_MAKING = "making-"
_LAYOUT = 3  # one more where old exports cannot be read or compute otherwise
# Distributions that hold an engine: ONNX Runtime has one for each kind of GPU.
_PACKAGES = {
    "openvino": ("openvino",),
    "onnx": tuple(f"onnxruntime{of}" for of in ("", "-gpu", "-directml", "-openvino")),
    "litert": ("ai-edge-litert",),
}


def digest(model: str | pathlib.Path) -> str:
    """Return what an export is known by: the hash of the model's file.

    Of a folder that vgan.export made, it is that of its manifest, which has all others.
    """
    path = pathlib.Path(model)
    path = path / MANIFEST if path.is_dir() else path
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def versions() -> dict[str, str]:
    """Return the versions of the engines' packages that are installed, by engine."""
    found = {}
    for engine, names in _PACKAGES.items():
        for name in names:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                found.setdefault(engine, importlib.metadata.version(name))
    return found


def folders(model: str | pathlib.Path, known: str) -> list[pathlib.Path]:
    """Return where things of a model are kept: beside it, else in the user's cache.

    Args:
        model: Its path.
        known: Its `digest`.
    """
    model = pathlib.Path(os.path.abspath(model))
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return [
        model.parent / f".{model.name}.engines",
        pathlib.Path(caches, "vgan", known),
    ]


def find(
    model: str | pathlib.Path,
    engine: str,
    size: tuple[int, int] | None = None,
    known: str | None = None,
) -> pathlib.Path | None:
    """Return the folder of an export that is there already, or None.

    Args:
        model: Path of a generator.keras.
        engine: "openvino", "onnx" or "litert".
        size: (H, W) of the network's frames, which only LiteRT is made for.
        known: The model's `digest`, where it was computed already.
    """
    for folder in _places(model, engine, size, known):
        with contextlib.suppress(InputError):  # none, or damaged: `make` replaces it
            read_manifest(folder)
            return folder
    return None


def make(
    model: str | pathlib.Path,
    engine: str,
    size: tuple[int, int] | None = None,
    known: str | None = None,
) -> pathlib.Path:
    """Export a model for an engine; return the folder.

    A process of its own does it, so that TensorFlow, which only an export needs, takes
    no time and no memory of the one that runs the engine.

    Args:
        model: Path of a generator.keras.
        engine: "openvino", "onnx" or "litert".
        size: (H, W) of the network's frames, which only LiteRT is made for.
        known: The model's `digest`, where it was computed already.

    Raises:
        InputError: The export fails: the library that makes it is missing, no folder
            can be written, ...
    """
    folders = _places(model, engine, size, known)
    for folder in folders:
        try:
            return _make(model, folder, engine, size)
        except OSError as error:
            reason = error.strerror or error
    raise InputError(
        f"{folders[0].parent}: cannot be written, nor can {folders[1].parent} "
        f"({reason}); make one a folder that can be, or give engine=keras"
    )


def _make(model, folder, engine, size):
    try:
        folder.parent.mkdir(exist_ok=True, parents=True)
        _clean(folder)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=_MAKING) as made:
            made = pathlib.Path(made, "export")
            _run_export(model, made, engine, size)
            # Another process may have been faster; its export is as good.
            with contextlib.suppress(OSError):
                os.rename(made, folder)
    finally:
        with contextlib.suppress(OSError):
            folder.parent.rmdir()  # unless it holds something
    read_manifest(folder)
    return folder


def _places(model, engine, size, known=None):
    known = known or digest(model)
    name = f"{engine}-{versions().get(engine, 'unknown')}-{_LAYOUT}-{known}"
    if engine == "litert":
        name += f"-{size[0]}x{size[1]}"
    return [folder / name for folder in folders(model, known)]


def _run_export(model, folder, engine, size):
    command = [sys.executable, "-m", "vgan.export"]
    command += [f"--model={model}", f"--output={folder}", f"--format={engine}"]
    if engine == "litert":
        command += [f"--size={size[0]}x{size[1]}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        reason = lines[-1].removeprefix("vgan.export: ")
        raise InputError(
            reason
            if done.returncode == 2
            else f"model {model}: cannot be made ready for {engine} ({reason}); "
            "give engine=keras"
        )


def _clean(folder):
    """Remove what is damaged, of an older model or version, or left by a crash."""
    engine = folder.name.split("-")[0]
    kept = folder.name.split("-")[:4]
    for other in folder.parent.iterdir():
        stale = (
            other.name.startswith(f"{engine}-") and other.name.split("-")[:4] != kept
        )
        if other.name.startswith(_MAKING):
            stale = time.time() - other.stat().st_mtime > LONGEST
        if stale or other == folder:
            shutil.rmtree(other, ignore_errors=True)
            with contextlib.suppress(OSError):
                other.unlink()
