"""What training remembers from step to step beside the networks and optimizers.

Each is a small object with `variables`, which a checkpoint holds, and `update`.
"""

import math
import typing
from collections.abc import Callable, Iterable

import keras
import numpy as np
from keras import KerasTensor, ops

from vgan.losses.distribution import energy_distance

AVERAGE_RATE = 0.01  # of the moving averages of the advantage, as in TecoGAN
MULTIPLIER_RATE = 0.005  # of the logarithm of a multiplier, per step
MULTIPLIER_MOST = 10.0  # times more or less than the weight that was given
CODES = 64  # that are compared: of the last styles, and from noise
PENALTIES = ("r1", "r2", "gradient_penalty")


def variable(value: typing.Any, name: str, dtype: str = "float32") -> keras.Variable:
    """A variable that no gradient changes."""
    return keras.Variable(value, dtype=dtype, trainable=False, name=name)


class Advantage:
    """Moving average of the discriminator's advantage, -1 to 1, and of its variance."""

    def __init__(self) -> None:
        self.mean = variable(0.0, "advantage")
        self.variance = variable(0.0, "advantage_variance")
        self.variables = [self.mean, self.variance]

    def update(self, advantage: KerasTensor, step: KerasTensor) -> None:
        """Take in the advantage of one step."""
        step = ops.cast(step, "float32")
        rate = ops.maximum(AVERAGE_RATE, 1.0 / (1.0 + step))
        deviation = advantage - self.mean
        self.mean.assign(self.mean + rate * deviation)
        change = (1.0 - rate) * ops.square(deviation) - self.variance
        self.variance.assign(self.variance + rate * change)


class LearningRates:
    """Both optimizers' learning rates: as given, reduced, and falling at the end.

    Args:
        g_optimizer: Of the generator; its rate is the one given.
        d_optimizer: Of the discriminator, likewise.
        cooldown: Part of all steps, the last ones, over which both rates fall to 0.
        steps: All steps; needed with `cooldown`.

    Attributes:
        scale: What both rates are multiplied by.
        time_left: Part of the time that is left, where a deadline ends the run first;
            of this start alone, and not kept.
    """

    def __init__(
        self,
        g_optimizer: keras.optimizers.Optimizer,
        d_optimizer: keras.optimizers.Optimizer,
        cooldown: float,
        steps: int | None,
    ) -> None:
        self.cooldown = cooldown
        self.steps = steps
        self.scale = variable(1.0, "rate_scale")
        self.time_left = variable(1.0, "time_left")
        self.variables = [self.scale]
        self._given = [
            (optimizer, float(ops.convert_to_numpy(optimizer.learning_rate)))
            for optimizer in (g_optimizer, d_optimizer)
        ]

    def update(self, step: KerasTensor) -> None:
        """Set both rates for this step."""
        scale = self.scale + 0.0
        if self.cooldown:
            left = 1.0 - ops.cast(step, "float32") / self.steps
            left = ops.minimum(left, self.time_left)
            scale *= ops.clip(left / self.cooldown, 0.0, 1.0)
        for optimizer, rate in self._given:
            optimizer.learning_rate = scale * rate


class Multipliers:
    """Lagrange multipliers of the losses that have a target.

    Ascent on the multipliers of constraints (Platt and Barr, 1987), of their
    logarithms, by errors relative to the targets, which may be of any scale.

    Args:
        losses: Some with a `target`.
    """

    def __init__(self, losses: Iterable[typing.Any]) -> None:
        self.targets = {
            loss.name: loss.target
            for loss in sorted(losses, key=lambda loss: loss.name)
            if loss.target is not None
        }
        self.logarithms = variable([0.0] * len(self.targets), "multipliers")
        self.variables = [self.logarithms] if self.targets else []

    def __call__(self, name: str) -> KerasTensor:
        """The multiplier of a loss that has a target."""
        return ops.exp(self.logarithms[list(self.targets).index(name)])

    def update(self, logs: dict[str, KerasTensor]) -> None:
        """Follow how far the losses of a step, {"g/<name>": value}, are off."""
        if not self.targets:
            return
        errors = [
            ops.clip(logs[f"g/{name}"] / target - 1.0, -1.0, 1.0)
            for name, target in self.targets.items()
        ]
        most = math.log(MULTIPLIER_MOST)
        moved = self.logarithms + MULTIPLIER_RATE * ops.stack(errors)
        self.logarithms.assign(ops.clip(moved, -most, most))


class LazyPenalties:
    """The discriminator's penalties, taken anew at every so many steps only.

    Args:
        adversarial: The adversarial loss.
    """

    def __init__(self, adversarial: typing.Any) -> None:
        self.adversarial = adversarial
        self.last = variable([0.0] * len(PENALTIES), "penalties")
        self.variables = [self.last]

    def update(
        self, step: KerasTensor, fresh: Callable[[], dict[str, KerasTensor]]
    ) -> tuple[KerasTensor | float, dict[str, KerasTensor]]:
        """Return the weighted sum, and each of them to log.

        Args:
            step: The number of this step.
            fresh: Function that gives {name: penalty}.
        """
        given = self.adversarial.penalties
        weights = {name: weight for name, weight in given.items() if weight}
        if not weights:
            return 0.0, {}

        def values():
            found = fresh()
            return ops.stack([found.get(name, ops.zeros(())) for name in PENALTIES])

        # What is taken rarely weighs more; what is old has no gradient.
        interval = self.adversarial.penalty_interval
        new = ops.cond(step % interval == 0, values, lambda: self.last + 0.0)
        self.last.assign(ops.stop_gradient(new))
        found = {name: new[PENALTIES.index(name)] for name in weights}
        total = sum(weight * found[name] for name, weight in weights.items())
        return interval * total, {f"d/{name}": value for name, value in found.items()}


class RecentCodes:
    """Codes of the last styles: codes from noise should be distributed as these are.

    Args:
        generator: With `encode_noise` and `noise_size`.
        seed: Of the codes that stand there at first.
    """

    def __init__(self, generator: keras.Model, seed: int) -> None:
        self.generator = generator
        random = np.random.default_rng(seed)
        noise = random.normal(size=(CODES, generator.noise_size))
        self.codes = variable(generator.encode_noise(noise), "codes")
        self.variables = [self.codes]

    def update(self, code: KerasTensor, noise: KerasTensor) -> KerasTensor:
        """Take in the codes of a batch; return how far codes from noise are off.

        Args:
            code: [B, D].
            noise: Standard normal numbers, [B, N].

        Returns:
            The energy distance, a scalar that the generator minimizes.
        """
        recent = ops.concatenate([ops.stop_gradient(code), self.codes], axis=0)
        self.codes.assign(recent[:CODES])
        size = self.generator.noise_size
        noise = ops.reshape(noise, (-1,))
        rows = min(CODES, noise.shape[0] // size)
        mapped = self.generator.encode_noise(
            ops.reshape(noise[: rows * size], (rows, -1))
        )
        return energy_distance(mapped, self.codes + 0.0)
