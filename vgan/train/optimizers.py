"""The optimizers of the two networks, and both as the one that Keras knows of."""

import typing

import keras

from vgan import InputError
from vgan.checks import shown


def slot_variables(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """An optimizer's variables but the learning rate, which the experiment decides."""
    return [v for v in optimizer.variables if v.name != "learning_rate"]


def accumulation_steps(optimizer: keras.optimizers.Optimizer) -> int:
    """Steps whose gradients an optimizer averages for one update."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return inner.gradient_accumulation_steps or 1


def adam(
    learning_rate: float,
    beta_1: float,
    *,
    clip_norm: float = 0.0,
    accumulate: int = 1,
    precision: str = "float32",
) -> keras.optimizers.Optimizer:
    """Return the Adam of one network.

    Little momentum and a short memory, as is usual for GANs (StyleGAN2, 2020).

    Args:
        learning_rate: Above 0.
        beta_1: Momentum, 0 to below 1.
        clip_norm: Bound on the norm of the whole gradient; 0 for none.
        accumulate: Steps whose gradients are averaged for one update.
        precision: Of the network's layers; "float16" scales the loss.
    """
    optimizer = keras.optimizers.Adam(
        learning_rate,
        beta_1=beta_1,
        beta_2=0.99,
        global_clipnorm=clip_norm or None,
        gradient_accumulation_steps=None if accumulate == 1 else accumulate,
    )
    if precision == "float16":  # its gradients would vanish without a scale
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def pair_of(
    generator: typing.Any, discriminator: typing.Any
) -> list[keras.optimizers.Optimizer]:
    """Return both optimizers, of what `keras.optimizers.get` takes, such as "adam".

    Raises:
        InputError: One of them is none, or both are one.
    """
    found = []
    for name, given in (("g_optimizer", generator), ("d_optimizer", discriminator)):
        try:
            optimizer = keras.optimizers.get(given)
        except (ValueError, TypeError):
            optimizer = None
        if not isinstance(optimizer, keras.optimizers.Optimizer):
            raise InputError(
                f"{name}: takes an optimizer of Keras, such as "
                f"keras.optimizers.Adam(1e-3), got {shown(given)}"
            )
        found.append(optimizer)
    if found[0] is found[1]:
        raise InputError(
            "d_optimizer: is the generator's, and each keeps the state of one network; "
            "give another object"
        )
    return found


class PairOptimizer(keras.optimizers.Optimizer):
    """Both optimizers as the one that Keras knows of, so that it carries their state.

    It is never applied: each of the two is, to its own network.
    """

    def __init__(
        self,
        generator: keras.optimizers.Optimizer,
        discriminator: keras.optimizers.Optimizer,
    ) -> None:
        super().__init__(learning_rate=0.0, name="pair")
        self.pair = (generator, discriminator)
        self.built = True

    @property
    def variables(self) -> list[keras.Variable]:
        """State of both."""
        return [*self.pair[0].variables, *self.pair[1].variables]
