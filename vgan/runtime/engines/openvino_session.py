"""One function of an export in OpenVINO."""

import pathlib
from collections.abc import Sequence

import numpy as np

from vgan.runtime.engines.openvino_library import openvino


class Session:
    """Callable: {name: array} -> {name: array}.

    Args:
        path: An `.xml` beside its `.bin`.
        shapes: {name: shape} that all calls will have; fixed shapes run faster.
        precision: "float32", or None: what the processor does best, bfloat16 where it
            has instructions for it.
    """

    def __init__(
        self,
        path: str | pathlib.Path,
        shapes: dict[str, Sequence[int]] | None = None,
        precision: str | None = None,
    ) -> None:
        core = openvino.Core()
        model = core.read_model(path)
        if shapes:
            model.reshape(shapes)
        # Compiled models name some outputs after what computes them.
        self._names = [port.get_any_name() for port in model.outputs]
        config = {"PERFORMANCE_HINT": "LATENCY"}
        if precision == "float32" or not shapes:
            config["INFERENCE_PRECISION_HINT"] = "f32"
        self._request = core.compile_model(model, "CPU", config).create_infer_request()

    def __call__(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run it once; arrays of float32, also those that come back."""
        inputs = {k: np.ascontiguousarray(v, np.float32) for k, v in inputs.items()}
        outputs = self._request.infer(inputs, share_inputs=True)
        return dict(zip(self._names, outputs.values(), strict=True))
