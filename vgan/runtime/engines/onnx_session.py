"""One function of an export in ONNX Runtime."""

import pathlib
from collections.abc import Sequence

import numpy as np
import onnxruntime


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
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._names = [output.name for output in self._session.get_outputs()]

    def __call__(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run it once; arrays of float32, also those that come back."""
        inputs = {k: np.ascontiguousarray(v, np.float32) for k, v in inputs.items()}
        outputs = self._session.run(None, inputs)
        return dict(zip(self._names, outputs, strict=True))
