"""The optimizers of the two networks, and both as the one that Keras knows of."""

import keras


def memory(optimizer):
    """An optimizer's variables but the learning rate, which the experiment decides."""
    return [v for v in optimizer.variables if v.name != "learning_rate"]


def adam(train, rate, beta_1):
    """Return the Adam of one network.

    Args:
        train: A config.Train.
        rate: Name of the field that is its learning rate.
        beta_1: Momentum.
    """
    optimizer = keras.optimizers.Adam(
        getattr(train, rate),
        beta_1=beta_1,
        beta_2=0.99,
        global_clipnorm=train.clip_norm or None,
        gradient_accumulation_steps=None if train.accumulate == 1 else train.accumulate,
    )
    if train.precision == "float16":  # its gradients would vanish without a scale
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


class PairOptimizer(keras.optimizers.Optimizer):
    """Both optimizers as the one that Keras knows of, so that it carries their state.

    It is never applied: each of the two is, to its own network.
    """

    def __init__(self, generator, discriminator):
        super().__init__(learning_rate=0.0, name="pair")
        self.pair = (generator, discriminator)
        self.built = True

    @property
    def variables(self):
        """State of both."""
        return [*self.pair[0].variables, *self.pair[1].variables]
