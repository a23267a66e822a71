"""Runs `generator.keras` with Keras itself, under the TensorFlow or JAX backend."""

import io
import math
import pathlib
import typing
import zipfile

import h5py
import keras
import numpy as np

from vgan import InputError
from vgan.models import NETWORKS
from vgan.runtime.engines.keras_file import ModelInfo, describe, misfit


def load_generator(
    path: str | pathlib.Path, info: ModelInfo | None = None
) -> keras.Model:
    """Return the generator in a `.keras` file, one of `vgan.models.NETWORKS`.

    Nothing in the file is run as code: only registered classes of vgan are built.

    Args:
        path: The file.
        info: What `describe` gave for it, if it was called already.

    Raises:
        InputError: There is no such file, it is not a Keras file, it holds another
            model, or its weights or arguments do not fit this version of vgan.
    """
    if info is None:
        describe(path)
    try:
        _check_weights(path)
        generator = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # of any type: the file says what is built
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise InputError(misfit(path, reason)) from error
    if not isinstance(generator, tuple(NETWORKS.values())):
        raise InputError(f"model {path}: holds no vgan generator")
    for weight in generator.weights:
        if not np.all(np.isfinite(keras.ops.convert_to_numpy(weight))):
            raise InputError(
                f"model {path}: {weight.path} is not finite; its training went wrong, "
                "use an earlier one"
            )
    return generator


def _check_weights(path):
    """Refuse weights that are larger than what is stored of them: they fill memory."""
    with zipfile.ZipFile(path) as archive:
        file = io.BytesIO(archive.read("model.weights.h5"))

    def check(name, item):
        if isinstance(item, h5py.Dataset):
            stored = item.id.get_storage_size()
            if item.nbytes > max(stored, 1024):
                raise ValueError(
                    f"{name} is of {item.nbytes} bytes, and {stored} are there"
                )

    with h5py.File(file) as weights:
        weights.visititems(check)


class KerasEngine:
    """A generator, compiled; see `vgan.runtime.engines` for the interface.

    All is traced once per shape: the first frame of a new size takes longer.

    Args:
        generator: One of `vgan.models.NETWORKS`.

    Attributes:
        num_parameters: Numbers that were learnt, those of the style encoder and the
            mapping network included.
    """

    def __init__(self, generator: keras.Model) -> None:
        self.stride = generator.stride
        self.code_size = generator.code_size
        self.noise_size = generator.noise_size
        self.style_size = generator.style_size
        self.named_styles = generator.named_styles
        self.name = "keras"
        self.num_parameters = generator.count_params()
        self._initial_state = generator.initial_state
        compile_function, self._step = _compiled(generator)
        self._encode_style = compile_function(generator.encode_style)
        self._encode_noise = compile_function(generator.encode_noise)

    def initial_state(self, height: int, width: int) -> dict[str, typing.Any]:
        """State before the first frame of [height, width], multiples of `stride`."""
        return self._initial_state(1, height, width)

    def step(
        self, content: np.ndarray, code: np.ndarray, state: dict[str, typing.Any]
    ) -> tuple[np.ndarray, dict[str, typing.Any]]:
        """Stylize [1, T, H, W, 3] in [-1, 1] -> the same shape, and the new state."""
        frames, state = self._step(content, code, state)
        return np.asarray(frames), state

    def encode_style(self, style: np.ndarray) -> np.ndarray:
        """Style image or clip [1, T', h, w, 3] in [-1, 1] -> code [1, D]."""
        return np.asarray(self._encode_style(style))

    def encode_noise(self, noise: np.ndarray) -> np.ndarray:
        """Noise [1, Z], standard normal -> code [1, D]."""
        return np.asarray(self._encode_noise(noise))

    def count_macs(self, height: int, width: int) -> int:
        """Multiply-accumulates of one frame, read from what the backend would run.

        Those of convolutions and matrix products; pointwise operations and pooling
        are not counted, nor is the style code, which is made once. Takes a second.

        Args:
            height: H of the frame in pixels, a multiple of `stride`.
            width: W, likewise.
        """
        content = np.zeros((1, 1, height, width, 3), np.float32)
        code = np.zeros((1, self.code_size), np.float32)
        inputs = content, code, self.initial_state(height, width)
        if keras.backend.backend() == "tensorflow":
            return _macs_of_graph(self._step.get_concrete_function(*inputs).graph)
        import jax

        return _macs_of_jaxpr(jax.make_jaxpr(self._step)(*inputs))


def _macs_of_graph(graph):
    """Of a TensorFlow graph with static shapes."""
    macs = 0
    for node in graph.get_operations():
        if node.type in ("Conv2D", "MatMul"):
            output, kernel = node.outputs[0].shape, node.inputs[1].shape
            depth = kernel.num_elements() // output[-1]
            macs += output.num_elements() * depth
        elif node.type == "BatchMatMulV2":
            macs += node.outputs[0].shape.num_elements() * node.inputs[0].shape[-1]
        elif node.type == "DepthwiseConv2dNative":
            window = node.inputs[1].shape[:2].num_elements()
            macs += node.outputs[0].shape.num_elements() * window
        elif "Conv" in node.type or "MatMul" in node.type or "Call" in node.type:
            raise NotImplementedError(f"cannot count the operations of {node.type}")
    return macs


def _macs_of_jaxpr(jaxpr):
    """Of a jaxpr and those inside; what a loop runs is counted once."""
    macs = 0
    for equation in jaxpr.eqns:
        name, params = equation.primitive.name, equation.params
        if name in ("conv_general_dilated", "dot_general"):
            left, right = (variable.aval.shape for variable in equation.invars)
            if name == "dot_general":
                (contracted, _), _ = params["dimension_numbers"]
                depth = math.prod(left[axis] for axis in contracted)
            else:
                depth = (
                    math.prod(right) // right[params["dimension_numbers"].rhs_spec[0]]
                )
            macs += math.prod(equation.outvars[0].aval.shape) * depth
        inner = (value for value in params.values() if hasattr(value, "eqns"))
        macs += sum(_macs_of_jaxpr(value) for value in inner)
    return macs


def _compiled(generator):
    """The backend's compiler, and the generator's call compiled by it."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        compiled = tf.function(lambda *inputs: generator(*inputs), autograph=False)
        return tf.function, compiled
    if backend == "jax":
        import jax

        # Weights go in as arguments; a closure would bake them in as constants.
        weights = [v.value for v in generator.trainable_variables]
        fixed = [v.value for v in generator.non_trainable_variables]

        @jax.jit
        def step(weights, fixed, *inputs):
            outputs, _ = generator.stateless_call(weights, fixed, *inputs)
            return outputs

        return jax.jit, lambda *inputs: step(weights, fixed, *inputs)
    raise InputError(f"KERAS_BACKEND={backend}: vgan runs on tensorflow or jax")
