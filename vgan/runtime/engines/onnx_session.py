"""One function of an export in ONNX Runtime."""

import pathlib
import warnings
from collections.abc import Sequence

import numpy as np
import onnxruntime

from vgan import InputError

# onnxruntime-gpu has the first, which falls back to the other without a GPU.
PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
_END = "ExecutionProvider"


def devices() -> list[str]:
    """Names of the execution providers of this build: cpu, cuda, directml, ..."""
    return list(_providers())


def _providers():
    """{device: ONNX Runtime's name for it}; that of Azure is not on this machine."""
    found = {}
    for name in onnxruntime.get_available_providers():
        short = name.removesuffix(_END).lower()
        found[{"dml": "directml"}.get(short, short)] = name
    found.pop("azure", None)
    return found


class Session:
    """Callable: {name: array} -> {name: array}.

    Args:
        path: An `.onnx`.
        shapes: Not needed: shapes are those of the call.
        device: One of `devices()`; None: an NVIDIA GPU where there is one.

    Raises:
        InputError: The device does not start; ONNX Runtime alone would go on with the
            processor and say nothing.
    """

    def __init__(
        self,
        path: str | pathlib.Path,
        shapes: dict[str, Sequence[int]] | None = None,
        device: str | None = None,
    ) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        present = onnxruntime.get_available_providers()
        wanted = [name for name in PROVIDERS if name in present]
        if device:
            wanted = [_providers()[device]]
            options.enable_mem_pattern = device != "directml"  # which cannot have it
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is checked here
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=wanted
            )
        if device and wanted[0] not in self._session.get_providers():
            others = ", ".join(name for name in devices() if name != device)
            raise InputError(
                f"device={device}: ONNX Runtime has it, but cannot start it here; "
                f"install its driver, or give {others}"
            )
        self._names = [output.name for output in self._session.get_outputs()]

    def __call__(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run it once; arrays of float32, also those that come back."""
        inputs = {k: np.ascontiguousarray(v, np.float32) for k, v in inputs.items()}
        outputs = self._session.run(None, inputs)
        return dict(zip(self._names, outputs, strict=True))
