"""Gradients on TensorFlow, such that a seed gives the same bits again.

On a CPU, `tf.AddN` starts its sum with whichever input's memory may be reused, which
depends on timing. A tape sums gradients by it; `tf.gradients` can be told to add them
two by two, where order does not matter.
"""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf


class Gradients:
    """What `VideoGAN` needs of TensorFlow."""

    pictures = None  # what `update` takes beside the batch

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What `fit` calls; returns scalars to log."""
        return self.update(batch, self.pictures)

    def gradients(
        self,
        loss: Callable[[], tuple[tf.Tensor, dict[str, tf.Tensor]]],
        variables: list[keras.Variable],
        optimizer: keras.optimizers.Optimizer | None = None,
    ) -> tuple[list[tf.Tensor], dict[str, tf.Tensor]]:
        """Return the gradients of `loss() -> (scalar, logs)`, and its logs.

        With an optimizer that scales its loss, they are the gradients of the scaled
        loss, as `apply` takes them.
        """
        value, logs = loss()
        if optimizer is not None:
            value = optimizer.scale_loss(value)
        return _gradients(value, [variable.value for variable in variables]), logs

    def apply(
        self,
        optimizer: keras.optimizers.Optimizer,
        gradients: list[tf.Tensor],
        variables: list[keras.Variable],
    ) -> None:
        """Let the optimizer change the variables that it was built with."""
        optimizer.apply(gradients, variables)

    def apply_if(
        self,
        due: tf.Tensor,
        optimizer: keras.optimizers.Optimizer,
        gradients: list[tf.Tensor],
        variables: list[keras.Variable],
    ) -> None:
        """The same where the boolean `due` holds; else nothing changes at all."""
        tf.cond(
            due,
            lambda: self.apply(optimizer, gradients, variables),
            lambda: None,
        )

    def input_gradient(
        self, score: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor
    ) -> tf.Tensor:
        """Return the gradient of the scalar `score(x)` by the tensor x."""
        x = tf.identity(x)  # so that it is of this graph, also within a condition
        return _gradients(score(x), [x])[0]

    def compile_function(self, function: Callable) -> Callable:
        """Return the function compiled for its shapes."""
        return tf.function(function, autograph=False)  # which takes as long again


def compiled(update: Callable) -> Callable:
    """Return a method of the step that may be called outside of compiled code, too.

    `tf.gradients` is for graphs: there, it is compiled at its first call.
    """

    @functools.wraps(update)
    def call(self, *args, **kwargs):
        if not (tf.executing_eagerly() and self.compiled):
            return update(self, *args, **kwargs)
        if self._compiled_update is None:
            own = functools.partial(update, self)
            self._compiled_update = self.compile_function(own)
        return self._compiled_update(*args, **kwargs)

    return call


def accelerator() -> tuple[bool, int | None]:
    """Whether there is one, and the bytes of its memory left; None if unknown."""
    return bool(tf.config.list_physical_devices("GPU")), None


def make_deterministic(seed: int) -> None:
    """Make every number of a run depend on the seed alone."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    # It would merge sums of two into AddN again.
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})


def conv3d_precision(precision: str) -> str:
    """Return the precision that 3-D convolutions can be trained in, of this or more.

    On a CPU, oneDNN in TensorFlow 2.21 returns what happens to lie in memory as the
    gradient of a bfloat16 kernel.
    """
    on_cpu = not tf.config.list_physical_devices("GPU")
    return "float32" if precision == "bfloat16" and on_cpu else precision


def _gradients(value, sources):
    tree = tf.AggregationMethod.EXPERIMENTAL_TREE
    zero = tf.UnconnectedGradients.ZERO  # as on JAX, not None
    return tf.gradients(
        value, sources, aggregation_method=tree, unconnected_gradients=zero
    )
