"""What is exported: a generator as functions of named tensors, frame by frame."""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)


class Graphs:
    """The functions of a Generator that an export holds.

    step: frame [1, H, W, 3] in [-1, 1], code [1, D] and the state, each entry under its
        own name -> stylised [1, H, W, 3], and the new state, each as "new_" + name.
    style: pictures [T', h, w, 3] in [-1, 1] of one style, h and w multiples of 16 ->
        code [1, D].
    noise: noise [1, Z], standard normal -> code [1, D].

    Args:
        generator: One of `vgan.models.NETWORKS`, under the TensorFlow backend.
        size: (H, W) of frames, multiples of its stride, or None: any.

    Attributes:
        state: {name: shape} of the state, None where it depends on H and W.
    """

    names = ("step", "style", "noise")

    def __init__(
        self, generator: keras.Model, size: tuple[int, int] | None = None
    ) -> None:
        self.generator = generator
        self.size = size
        height, width = size or (None, None)
        stride = generator.stride
        self.state = {}
        for name, value in generator.initial_state(1, stride, stride).items():
            shape = list(value.shape)
            if len(shape) == 4:
                shape[1:3] = (
                    (height // stride, width // stride) if size else (None,) * 2
                )
            self.state[name] = shape
        tensors = {"frame": [1, height, width, 3], "code": [1, generator.code_size]}
        self._specs = {
            "step": {**tensors, **self.state},
            "style": {"pictures": [None, None, None, 3]},
            "noise": {"noise": [1, generator.noise_size]},
        }

    def signature(self, name: str) -> dict[str, tf.TensorSpec]:
        """{tensor: tf.TensorSpec} that a function takes, in order."""
        return {
            key: tf.TensorSpec(shape, tf.float32, name=key)
            for key, shape in self._specs[name].items()
        }

    def tensors(self, name: str) -> list[str]:
        """Names of all inputs and outputs of a function."""
        outputs = ["code"]
        if name == "step":
            # A name of the file format: exports of all versions spell it so.
            outputs = ["stylised", *(f"new_{entry}" for entry in self.state)]
        return [*self.signature(name), *outputs]

    def function(self, name: str) -> Callable[..., dict[str, tf.Tensor]]:
        """The tf.function of tensors in the order of `signature`; it returns a dict."""
        signature = self.signature(name)
        run = functools.partial(getattr(self, f"_{name}"), list(signature))
        return tf.function(
            run, input_signature=list(signature.values()), autograph=False
        )

    def concrete(self, name: str) -> Callable[..., dict[str, tf.Tensor]]:
        """The same, traced."""
        return self.function(name).get_concrete_function()

    def frozen(self, name: str) -> Callable[..., dict[str, tf.Tensor]]:
        """The same with weights as constants; LiteRT would read variables as NaN."""
        concrete = self.concrete(name)
        constant = convert_variables_to_constants_v2(concrete)
        # Outputs come as a list, in the order of their names.
        names = sorted(concrete.structured_outputs)
        return tf.function(
            lambda *tensors: dict(zip(names, constant(*tensors), strict=True)),
            input_signature=list(self.signature(name).values()),
            autograph=False,
        ).get_concrete_function()

    def initial_state(self) -> Callable[..., dict[str, tf.Tensor]]:
        """The traced function of height and width, int32 scalars, -> {name: zeros}."""
        stride = self.generator.stride

        def zeros(height, width):
            sizes = 1, height // stride, width // stride
            return {
                name: tf.zeros([*sizes, shape[3]] if len(shape) == 4 else shape)
                for name, shape in self.state.items()
            }

        scalars = [tf.TensorSpec([], tf.int32, name=n) for n in ("height", "width")]
        zeros = tf.function(zeros, input_signature=scalars, autograph=False)
        return zeros.get_concrete_function()

    def _step(self, names, *tensors):
        inputs = dict(zip(names, tensors, strict=True))
        frame, code = inputs.pop("frame"), inputs.pop("code")
        # Slices would copy the frames; these do not.
        content = tf.expand_dims(frame, 1)
        stylized, state = self.generator(content, code, inputs)
        new_state = {f"new_{name}": value for name, value in state.items()}
        return {"stylised": tf.squeeze(stylized, 1), **new_state}

    def _style(self, names, pictures):
        return {"code": self.generator.encode_style(pictures[None])}

    def _noise(self, names, noise):
        return {"code": self.generator.encode_noise(noise)}
