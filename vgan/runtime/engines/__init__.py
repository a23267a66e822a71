"""Engines: what runs one frame of a trained generator.

An engine is loaded from a file by `load`; all of them are an `Engine`.
"""

import difflib
import importlib.util
import logging
import pathlib
import re
import shutil
import typing

import numpy as np

from vgan import InputError, backend, pretrained
from vgan.runtime.engines import devices, keras_file

# Fastest first, with what must be there to run and to make its exports. "auto" passes
# LiteRT over: on x86-64 it takes twice the time of Keras with this network.
NEEDS = {
    "openvino": ("openvino",),
    "onnx": ("onnxruntime", "onnx", "tf2onnx"),
    "litert": ("ai_edge_litert",),
}
NAMES = ("auto", "keras", *NEEDS)
_log = logging.getLogger("vgan")


class Engine(typing.Protocol):
    """What runs one frame of a trained generator; it keeps nothing from call to call.

    Arrays are NumPy, float32. T is 1 but for Keras, which also has count_macs(height,
    width).

    Attributes:
        name: "keras", "openvino", ...
        stride: H and W of a frame divide by this.
        code_size: D of a style code.
        noise_size: Z of the noise that stands for a style.
        style_size: Short side in pixels that style pictures get.
        named_styles: Codes that are kept with the model, {name: D floats}.
        num_parameters: What was learned.
    """

    name: str
    stride: int
    code_size: int
    noise_size: int
    style_size: int
    named_styles: dict[str, list[float]]
    num_parameters: int

    def initial_state(self, height: int, width: int) -> typing.Any:
        """State before the first frame of [height, width]; in whatever form."""

    def step(
        self, content: np.ndarray, code: np.ndarray, state: typing.Any
    ) -> tuple[np.ndarray, typing.Any]:
        """Frames [1, T, H, W, 3] in [-1, 1], code [1, D] -> frames, the new state."""

    def encode_style(self, style: np.ndarray) -> np.ndarray:
        """Style image or clip [1, T', h, w, 3] in [-1, 1] -> code [1, D]."""

    def encode_noise(self, noise: np.ndarray) -> np.ndarray:
        """Noise [1, Z], standard normal -> code [1, D]."""


class Model:
    """A model, opened once.

    Args:
        path: A generator.keras, a folder that `vgan.export` made, or the name of a
            model that ships; or an Engine, which is taken as it is.
        name: What is to run it, see `load`.
        device: What that is to run on, see `load`.

    Attributes:
        path: Of the file or folder; None of an Engine.
        info: Its ModelInfo.
        name: Of the engine; None for what an export is for. With "auto" it is the
            usual one, and from `load` on the fastest.
        device: As the engine calls it; None where it is left to the engine.

    Raises:
        InputError: There is no such file, it does not hold a vgan generator, or there
            is no such device.
    """

    def __init__(
        self,
        path: str | pathlib.Path | Engine,
        name: str | None = None,
        device: str | None = None,
    ) -> None:
        if name not in (None, *NAMES):
            raise InputError(f"engine={name}: give {', '.join(NAMES)}")
        if hasattr(path, "step"):
            if name not in (None, "auto", path.name):
                raise InputError(
                    f"engine={name}: the model is loaded for {path.name}; leave it out"
                )
            if device is not None:
                raise InputError(
                    f"device={device}: the model is loaded; give it to vgan.load"
                )
            self.path, self.info, self.name, self._engine = None, path, path.name, path
            self.device = None
            return
        self.path = path = pathlib.Path(pretrained.find(str(path)))
        self._manifest, self.name = None, name
        if path.is_dir():
            from vgan.runtime.engines import exported

            self._manifest = exported.read_manifest(path)
            self.name = None if name == "auto" else name
            self.info = self._manifest.model
        else:
            _check_suffix(path)
            self.info = keras_file.describe(path)
            self.name = _fastest() if name == "auto" else name or "keras"
        self.device, self._measures = None, name == "auto" and device is None
        if device is not None:
            if self._manifest is None:
                _check_installed(self.name)
            names = self._names() if name == "auto" else self._names()[:1]
            own, self.device = devices.find(device, names)
            self.name = self.name and own
        self._size, self._engine = None, None

    def _names(self):
        """Of the engines that can run it here, the usual one first."""
        if self._manifest is not None:
            return [self._manifest.format]
        others = [n for n in ("openvino", "onnx") if n != self.name]
        return [self.name, *filter(_is_installed, others)]

    def load(self, size: tuple[int, int] | None = None) -> Engine:
        """Return the engine for frames of (H, W): the last one again, where it can be.

        Raises:
            InputError: See `load`.
        """
        if self.path is None:
            return self._engine
        if self._measures:
            self._measures = False
            fixed = self._manifest and self._manifest.size
            among = devices.candidates(self._names())
            choice = devices.fastest(self.path, among, fixed or size, _log.warning)
            self.device = choice[1]
            self.name = self.name and choice[0]
        if self.name == "litert" and self._manifest is None:
            if size is None:
                raise InputError("engine=litert: is for frames of one size")
            size = padded(*size, self.info.stride)
        else:
            size = None
        if self._engine is None or size != self._size:
            self._size, self._engine = size, self._load(size)
        return self._engine

    def _load(self, size):
        if self._manifest is not None:
            return _load_export(self.path, self.name, self._manifest, self.device)
        if self.name == "keras":
            backend.import_keras()
            from vgan.runtime.engines import keras_engine

            return keras_engine.KerasEngine(
                keras_engine.load_generator(self.path, self.info)
            )
        from vgan.runtime.engines import cache, exported

        _check_installed(self.name)
        digest = cache.digest(self.path)
        folder = cache.find(self.path, self.name, size, digest)
        if folder is None:
            _log.warning(
                "%s: making it ready for %s, once for this model", self.path, self.name
            )
            folder = cache.make(self.path, self.name, size, digest)
        return exported.ExportedEngine(
            folder, compiled=folder / "compiled", **_on(self.device)
        )


def describe(path: str | pathlib.Path) -> keras_file.ModelInfo:
    """Return the ModelInfo of a model: quick, without importing a backend.

    Args:
        path: As of `Model`.

    Raises:
        InputError: There is no such file, or it does not hold a vgan generator.
    """
    return Model(path).info


def load(
    path: str | pathlib.Path,
    name: str | None = None,
    size: tuple[int, int] | None = None,
    device: str | None = None,
) -> Engine:
    """Return the engine that runs a model.

    Args:
        path: As of `Model`.
        name: One of NAMES; None is Keras, or what an export is for. Others than "keras"
            run an export of the model, which is made at their first use and kept
            beside it (`engines.cache`); "auto" is the fastest that is installed, and
            Keras where there is an NVIDIA GPU; where there are more devices than one,
            the fastest is measured once (`engines.devices`).
        size: (H, W) of the frames to come; "litert" needs it.
        device: Of OpenVINO or ONNX Runtime, see `engines.devices`; None: the usual.

    Raises:
        InputError: As `describe`; its weights do not fit this version of vgan; the
            engine is not installed; or the device is not there.
    """
    return Model(path, name, device).load(size)


def padded(height: int, width: int, stride: int) -> tuple[int, int]:
    """Return the (H, W) that a network of this stride takes for a frame.

    At its lowest level there must be two pixels, or its own reflection padding has
    nothing to reflect.
    """
    return tuple(max(-(-size // stride), 2) * stride for size in (height, width))


def resolve(path: str | pathlib.Path, name: str) -> str:
    """Return what "auto" stands for, of a model on this machine; other names as is."""
    if name != "auto" or pathlib.Path(path).is_dir():
        return name
    return _fastest()


def present(path: str | pathlib.Path) -> list[str]:
    """Names of the engines that can run a model here, the fastest first."""
    if pathlib.Path(path).is_dir():
        return ["auto"]
    return [*(name for name in NEEDS if _is_installed(name)), "keras"]


def parse_size(text: str) -> tuple[int, int]:
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


def _check_installed(name):
    if name in NEEDS and not _is_installed(name):
        extra = "onnx" if name == "onnx" else "fast"
        raise InputError(
            f"engine={name}: is not installed; pip install -e '.[{extra}]'"
        )


def _is_installed(name):
    return all(importlib.util.find_spec(package) for package in NEEDS[name])


def _on(device):
    return {} if device is None else {"device": device}


def _load_export(path, name, manifest, device):
    from vgan.runtime.engines import exported

    engine = exported.ExportedEngine(path, manifest, **_on(device))
    if name not in (None, engine.name):
        raise InputError(
            f"engine={name}: {path} is an export for {engine.name}; leave it out, "
            "or give the generator.keras"
        )
    return engine


def _check_suffix(path):
    if pathlib.Path(path).suffix != ".keras":
        near = difflib.get_close_matches(str(path), pretrained.MODELS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(
            f"model {path}: {hint}expected painterly or painterly_small, which ship, a "
            "file that ends in .keras, such as the generator.keras of a run, or a "
            "folder made by vgan.export"
        )
