"""One function of an export in ONNX Runtime."""

import pathlib
from collections.abc import Sequence

import numpy as np
import onnxruntime

# onnxruntime-gpu has the first, which falls back to the other without a GPU.
PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")


class Session:
    """Callable: {name: array} -> {name: array}.

    Args:
        path: An `.onnx`.
        shapes: Not needed: shapes are those of the call.
    """

    def __init__(
        self, path: str | pathlib.Path, shapes: dict[str, Sequence[int]] | None = None
    ) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        present = onnxruntime.get_available_providers()
        self._session = onnxruntime.InferenceSession(
            str(path),
            options,
            providers=[name for name in PROVIDERS if name in present],
        )
        self._names = [output.name for output in self._session.get_outputs()]

    def __call__(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run it once; arrays of float32, also those that come back."""
        inputs = {k: np.ascontiguousarray(v, np.float32) for k, v in inputs.items()}
        outputs = self._session.run(None, inputs)
        return dict(zip(self._names, outputs, strict=True))
