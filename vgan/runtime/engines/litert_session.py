"""One function of an export in LiteRT."""

import os
import pathlib
from collections.abc import Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter


class Session:
    """Callable: {name: array} -> {name: array}.

    Tensors are fed by name: LiteRT puts them in an order of its own.

    Args:
        path: A `.tflite` with the signature "serve".
        shapes: Not needed: a file has the shapes that it was exported with.
    """

    def __init__(
        self, path: str | pathlib.Path, shapes: dict[str, Sequence[int]] | None = None
    ) -> None:
        interpreter = Interpreter(str(path), num_threads=os.cpu_count())
        self._run = interpreter.get_signature_runner("serve")

    def __call__(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run it once; arrays of float32, also those that come back."""
        inputs = {k: np.ascontiguousarray(v, np.float32) for k, v in inputs.items()}
        return {name: np.array(value) for name, value in self._run(**inputs).items()}
