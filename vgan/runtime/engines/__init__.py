"""Engines: what runs one frame of a trained generator.

An engine is loaded from a file by `load` and keeps nothing from call to call:

    engine.name                               "keras", "openvino", ...
    engine.stride                             H and W of a frame divide by this
    engine.code_size                          D of a style code
    engine.noise_size                         Z of the noise that stands for a style
    engine.named_styles                       {name: D floats} kept with the model
    engine.initial_state(height, width)       -> state, opaque to the caller
    engine.step(content, code, state)         -> frames, new state
    engine.encode_style(style)                -> code
    engine.encode_noise(noise)                -> code
    engine.num_parameters                     what was learnt

Arrays at this boundary are NumPy, float32: content and frames [1, T, H, W, 3] and style
[1, T', h, w, 3] in [-1, 1], code [1, D], noise [1, Z]. Only the state stays in whatever
form the engine likes best. T is 1 but for Keras, which also has count_macs(height,
width).
"""

import importlib.util
import logging
import pathlib
import re
import shutil

from vgan import InputError
from vgan.runtime.engines import keras_file

# Fastest first, with what must be there to run and to make its exports. "auto" passes
# LiteRT over: on x86-64 it takes twice the time of Keras with this network.
NEEDS = {
    "openvino": ("openvino",),
    "onnx": ("onnxruntime", "onnx", "tf2onnx"),
    "litert": ("ai_edge_litert",),
}
NAMES = ("auto", "keras", *NEEDS)
_log = logging.getLogger("vgan")


def describe(path):
    """Return the ModelInfo of a model: quick, without importing a backend.

    Args:
        path: A generator.keras, or a folder that `vgan.export` made.

    Raises:
        InputError: There is no such file, or it does not hold a vgan generator.
    """
    if pathlib.Path(path).is_dir():
        from vgan.runtime.engines import exported

        return exported.read_manifest(path).model
    _check_suffix(path)
    return keras_file.describe(path)


def load(path, name=None, size=None):
    """Return the engine that runs a model.

    Args:
        path: A generator.keras, or a folder that `vgan.export` made.
        name: One of NAMES; None is Keras, or what an export is for. Others than "keras"
            run an export of the model, which is made at their first use and kept
            beside it (`engines.cache`); "auto" is the fastest that is installed, and
            Keras where there is an NVIDIA GPU.
        size: (H, W) of the frames to come; "litert" needs it.

    Raises:
        InputError: As `describe`; its weights do not fit this version of vgan; or the
            engine is not installed.
    """
    if name not in (None, *NAMES):
        raise InputError(f"engine={name}: give {', '.join(NAMES)}")
    info = describe(path)
    if pathlib.Path(path).is_dir():
        return _load_export(path, name)
    if name == "auto":
        name = _fastest()
    if name in (None, "keras"):
        from vgan.runtime.engines import keras_engine  # imports the backend: seconds

        return keras_engine.KerasEngine(keras_engine.load_generator(path))
    from vgan.runtime.engines import cache, exported

    if not _is_installed(name):
        extra = "onnx" if name == "onnx" else "fast"
        raise InputError(
            f"engine={name}: is not installed; pip install -e '.[{extra}]'"
        )
    if name == "litert":
        if size is None:
            raise InputError("engine=litert: is for frames of one size")
        size = padded(*size, info.stride)
    folder = cache.find(path, name, size)
    if folder is None:
        _log.warning("%s: making it ready for %s, once for this model", path, name)
        folder = cache.make(path, name, size)
    return exported.ExportedEngine(folder)


def padded(height, width, stride):
    """Return the (H, W) that a network of this stride takes for a frame.

    At its lowest level there must be two pixels, or its own reflection padding has
    nothing to reflect.
    """
    return tuple(max(-(-size // stride), 2) * stride for size in (height, width))


def resolve(path, name):
    """Return what "auto" stands for, of a model on this machine; other names as is."""
    if name != "auto" or pathlib.Path(path).is_dir():
        return name
    return _fastest()


def present(path):
    """Names of the engines that can run a model here, the fastest first."""
    if pathlib.Path(path).is_dir():
        return ["auto"]
    return [*(name for name in NEEDS if _is_installed(name)), "keras"]


def parse_size(text):
    """Return (H, W) of a text such as "360x640".

    Raises:
        InputError: It is none.
    """
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if not match:
        raise InputError(f"size={text}: give height x width in pixels, as in 360x640")
    return int(match[1]), int(match[2])


def _fastest():
    if shutil.which("nvidia-smi"):
        return "keras"
    return next((n for n in NEEDS if n != "litert" and _is_installed(n)), "keras")


def _is_installed(name):
    return all(importlib.util.find_spec(package) for package in NEEDS[name])


def _load_export(path, name):
    from vgan.runtime.engines import exported

    engine = exported.ExportedEngine(path)
    if name not in (None, "auto", engine.name):
        raise InputError(
            f"engine={name}: {path} is an export for {engine.name}; leave it out, "
            "or give the generator.keras"
        )
    return engine


def _check_suffix(path):
    if pathlib.Path(path).suffix != ".keras":
        raise InputError(
            f"model {path}: expected painterly or painterly_small, which ship, a file "
            "that ends in .keras, such as the generator.keras of a run, or a folder "
            "made by vgan.export"
        )
