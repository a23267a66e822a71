"""Frame in, frame out: a trained generator at work on live or stored video.

`engines` run one frame of the network, `styles` turns what the user names into a style
code, `Stylizer` carries the state from frame to frame, and `FrameProcessor` adds what
changes over time and place. Nothing here imports Keras before an engine is loaded.
"""

import os
import pathlib

from vgan import InputError
from vgan.checks import number, shown
from vgan.runtime import engines
from vgan.runtime.stylizer import Stylizer

__all__ = ["Stylizer", "load"]


def load(
    model: str | pathlib.Path,
    engine: str = "auto",
    size: tuple[int, int] | None = None,
    device: str | None = None,
) -> engines.Engine:
    """Return a trained model, ready for `vgan.Stylizer`.

    Args:
        model: "painterly" or "painterly_small", which ship; a `.keras` file, such as
            the generator.keras of a run; or a folder that vgan.export made.
        engine: What runs it: "keras", "openvino", "onnx" or "litert". "auto", the
            default, is the fastest that is installed; where a GPU or an NPU is there
            too, two frames are timed on each, once. At the first use of an engine the
            model is exported for it, which takes a minute; the export is kept.
        size: (H, W) of the frames that the network gets; only "litert" needs it.
        device: What that runs on: "CPU", "GPU", "GPU.1" or "NPU" of OpenVINO; "cpu",
            "cuda", "directml", "coreml" or "openvino" of ONNX Runtime. None: the
            processor, of ONNX Runtime an NVIDIA GPU, or what "auto" finds fastest.

    Returns:
        An engine, see `vgan.runtime.engines`. `engine.named_styles` are the styles that
        the model knows by name. Several Stylizers may share it.

    Raises:
        vgan.InputError: There is no such model, it is damaged or of another version, or
            the engine is not installed, or the device is not there.

    Example:
        model = vgan.load("painterly")
    """
    if not isinstance(model, str | os.PathLike) or not os.fspath(model):
        raise InputError(
            f"model={shown(model)}: give a name, such as 'painterly', or a path"
        )
    if engine not in engines.NAMES:
        names = ", ".join(engines.NAMES)
        raise InputError(f"engine={shown(engine)}: give {names}")
    if size is not None:
        if not (isinstance(size, tuple | list) and len(size) == 2):
            raise InputError(f"size={shown(size)}: give (H, W)")
        size = tuple(number("size", side, 1, whole=True) for side in size)
    return engines.load(model, engine, size, device)
