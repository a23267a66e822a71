"""Gradients on TensorFlow: nested tapes."""

import keras
import tensorflow as tf


class Gradients:
    """What `VideoGAN` needs of TensorFlow."""

    def train_step(self, batch):
        """What `fit` calls; returns scalars to log."""
        return self.update(batch)

    def gradients(self, loss, variables):
        """Return the gradients of `loss() -> (scalar, logs)`, and its logs."""
        with tf.GradientTape() as tape:
            value, logs = loss()
        return tape.gradient(value, variables), logs

    def input_gradient(self, score, x):
        """Return the gradient of the scalar `score(x)` by the tensor x."""
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = score(x)
        return tape.gradient(value, x)

    def compile_function(self, function):
        """Return the function compiled for its shapes."""
        return tf.function(function)


def make_deterministic(seed):
    """Make every number of a run depend on the seed alone."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
