"""Engines: what runs one frame of a trained generator.

An engine is loaded from a file by `load` and keeps nothing from call to call:

    engine.stride                             H and W of a frame divide by this
    engine.code_size                          D of a style code
    engine.noise_size                         Z of the noise that stands for a style
    engine.named_styles                       {name: D floats} kept with the model
    engine.initial_state(height, width)       -> state, opaque to the caller
    engine.step(content, code, state)         -> frames, new state
    engine.encode_style(style)                -> code
    engine.encode_noise(noise)                -> code
    engine.num_parameters, engine.count_macs(height, width)    what it takes

Arrays at this boundary are NumPy, float32: content and frames [1, T, H, W, 3] and style
[1, T', h, w, 3] in [-1, 1], code [1, D], noise [1, Z]. Only the state stays in whatever
form the engine likes best.
"""

import pathlib

from vgan import InputError
from vgan.runtime.engines import keras_file


def describe(path):
    """Return the ModelInfo of a model file: quick, without importing a backend.

    Raises:
        InputError: There is no such file, or it does not hold a vgan generator.
    """
    _check_suffix(path)
    return keras_file.describe(path)


def load(path):
    """Return the engine that runs the model in a file.

    Args:
        path: `generator.keras`; the suffix decides which engine it is.

    Raises:
        InputError: As `describe`, or its weights do not fit this version of vgan.
    """
    _check_suffix(path)
    from vgan.runtime.engines import keras_engine  # imports the backend: seconds

    return keras_engine.KerasEngine(keras_engine.load_generator(path))


def _check_suffix(path):
    if pathlib.Path(path).suffix != ".keras":
        raise InputError(
            f"model {path}: expected a file that ends in .keras, "
            "such as the generator.keras of a run"
        )
