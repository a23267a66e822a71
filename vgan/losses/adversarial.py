"""Adversarial losses: what the discriminator and the generator minimize.

Every one is of patch logits [B, t, h, w, 1], without a sigmoid: `real` of real clips,
`fake` of generated ones. D stands for sigmoid(logit), x for a real clip and G(z) for a
generated one.
"""

import typing
from collections.abc import Callable

from keras import KerasTensor, ops

from vgan import InputError
from vgan.checks import number
from vgan.losses.base import Loss


class Adversarial(Loss):
    """Base of the adversarial losses: two sides, and penalties of the discriminator.

    Args:
        weight: Of the generator's side.
        r1: Gamma of the R1 penalty on real clips, see `zero_centered_penalty`.
        r2: The same of R2, on generated clips.
        penalty_interval: Steps from one penalty to the next, which weighs as many
            times more (lazy regularization, StyleGAN2, Karras et al., 2020).
        warmup: Steps over which the weight grows from 0.
        target: As of every `Loss`.
    """

    kinds: typing.ClassVar[dict[str, type]] = {}  # subclasses, {name: class}
    relative = False  # the generator's side needs the logits of real clips too
    pair = False  # the discriminator judges a clip beside a reference clip
    unbounded = False  # logits have no scale: they are a critic's

    def __init_subclass__(cls, **kwargs: typing.Any) -> None:
        super().__init_subclass__(**kwargs)
        Adversarial.kinds[cls.name] = Loss.known.pop(cls.name)
        cls.name = "adversarial"  # there is one at a time

    def __init__(
        self,
        weight: float = 1.0,
        *,
        r1: float = 1.0,
        r2: float = 1.0,
        penalty_interval: int = 4,
        warmup: int = 0,
        target: float | None = None,
    ) -> None:
        super().__init__(weight, target=target)
        self.penalties = {"r1": number("r1", r1), "r2": number("r2", r2)}
        interval = number("penalty_interval", penalty_interval, 1, whole=True)
        self.penalty_interval = interval
        self.warmup = number("warmup", warmup, whole=True)

    def discriminator(self, real: KerasTensor, fake: KerasTensor) -> KerasTensor:
        """What the discriminator minimizes, a scalar."""
        raise NotImplementedError

    def generator(self, real: KerasTensor | None, fake: KerasTensor) -> KerasTensor:
        """What the generator minimizes; `real` is None unless `relative`."""
        raise NotImplementedError

    def penalty(
        self,
        gradient_at: Callable[[KerasTensor], KerasTensor],
        real: KerasTensor,
        fake: KerasTensor,
        share: KerasTensor,
    ) -> dict[str, KerasTensor]:
        """Return {name: penalty} of D's gradient by its input, without weights.

        Args:
            gradient_at: Function of clips [B, T, H, W, 3] that gives the gradient of
                each clip's mean patch logit by the clip, of the same shape.
            real: Real clips, [B, T, H, W, 3].
            fake: Generated clips, of the same shape where they are mixed.
            share: Uniform noise, 0 to 1, [B].
        """
        clips = {"r1": real, "r2": fake}
        return {
            name: zero_centered_penalty(gradient_at(clips[name]))
            for name, weight in self.penalties.items()
            if weight
        }

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """The generator's side."""
        real = forward.judge(forward.style) if self.relative else None
        return self.generator(real, forward.judge(forward.frames))

    def check_sizes(self, batch_size: int, clip_length: int, style_length: int) -> None:
        """Raise InputError where clips cannot be set beside each other, or mixed."""
        joined = self.pair or "gradient_penalty" in self.penalties
        if joined and clip_length != style_length:
            raise InputError(
                f"style_length: {type(self).__name__} joins clips of one length, got "
                f"clip_length {clip_length} and style_length {style_length}"
            )
        if self.pair and batch_size < 2:
            raise InputError(
                f"batch_size: {type(self).__name__} sets clips of a batch beside each "
                "other; give at least 2"
            )


class Minimax(Adversarial):
    """Binary cross-entropy (Goodfellow et al., 2014).

    D: -E[log D(x)] - E[log(1 - D(G(z)))]. G: E[log(1 - D(G(z)))], whose gradient
    vanishes where D is sure.
    """

    def discriminator(self, real: KerasTensor, fake: KerasTensor) -> KerasTensor:
        """-E[log D(x)] - E[log(1 - D(G(z)))]."""
        return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))

    def generator(self, real: KerasTensor | None, fake: KerasTensor) -> KerasTensor:
        """E[log(1 - D(G(z)))]."""
        return -ops.mean(ops.softplus(fake))


class NonSaturating(Minimax):
    """`Minimax`, but G minimizes -E[log D(G(z))] (Goodfellow et al., 2014, part 3)."""

    def generator(self, real: KerasTensor | None, fake: KerasTensor) -> KerasTensor:
        """-E[log D(G(z))]."""
        return ops.mean(ops.softplus(-fake))


class Pair(NonSaturating):
    """`NonSaturating`, each clip judged beside a real one: D(x, x'), D(G(z), x).

    D: -E[log D(x, x')] - E[log(1 - D(G(z), x))]. Where the two cannot be told apart D
    is 0.5 on both, and the loss 2 log 2. The note that this loss comes from prints a
    minus between the two terms: that would pay D for calling the generated clip real,
    and both networks would want the same. The plus makes it adversarial.
    """

    pair = True


class Relativistic(Adversarial):
    """D: E[log(1 + exp(fake - real))]; G: the same with the roles exchanged.

    The relativistic pairing loss (Jolicoeur-Martineau, 2018), patch by patch, that is
    stable under R1 and R2 (R3GAN, Huang et al., 2024).
    """

    relative = True

    def discriminator(self, real: KerasTensor, fake: KerasTensor) -> KerasTensor:
        """E[log(1 + exp(fake - real))]."""
        real, fake = _comparable(real, fake)
        return ops.mean(ops.softplus(fake - real))

    def generator(self, real: KerasTensor, fake: KerasTensor) -> KerasTensor:
        """E[log(1 + exp(real - fake))]."""
        return self.discriminator(fake, real)


class LeastSquares(Adversarial):
    """D: (E[(real - 1)^2] + E[fake^2]) / 2; G: E[(fake - 1)^2] / 2 (Mao, 2017)."""

    def discriminator(self, real: KerasTensor, fake: KerasTensor) -> KerasTensor:
        """(E[(real - 1)^2] + E[fake^2]) / 2."""
        on_real = ops.mean(ops.square(real - 1.0))
        return 0.5 * (on_real + ops.mean(ops.square(fake)))

    def generator(self, real: KerasTensor | None, fake: KerasTensor) -> KerasTensor:
        """E[(fake - 1)^2] / 2."""
        return 0.5 * ops.mean(ops.square(fake - 1.0))


class Hinge(Adversarial):
    """D: E[max(0, 1 - real)] + E[max(0, 1 + fake)]; G: -E[fake] (Lim and Ye, 2017).

    Made known by SNGAN (Miyato et al., 2018).
    """

    def discriminator(self, real: KerasTensor, fake: KerasTensor) -> KerasTensor:
        """E[max(0, 1 - real)] + E[max(0, 1 + fake)]."""
        return ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))

    def generator(self, real: KerasTensor | None, fake: KerasTensor) -> KerasTensor:
        """-E[fake]."""
        return -ops.mean(fake)


class Wasserstein(Adversarial):
    """D: E[fake] - E[real]; G: -E[fake] (Arjovsky et al., 2017).

    D is a critic; `one_centered_penalty` holds the norm of its input gradient at 1
    (Gulrajani et al., 2017).

    Args:
        weight: Of the generator's side.
        gradient_penalty: Weight of the penalty.
        penalty_interval: As of `Adversarial`.
        warmup: Likewise.
        target: Likewise.
    """

    unbounded = True
    needs = ("noise",)

    def __init__(
        self,
        weight: float = 1.0,
        *,
        gradient_penalty: float = 10.0,
        penalty_interval: int = 4,
        warmup: int = 0,
        target: float | None = None,
    ) -> None:
        super().__init__(
            weight, penalty_interval=penalty_interval, warmup=warmup, target=target
        )
        penalty = number("gradient_penalty", gradient_penalty)
        self.penalties = {"gradient_penalty": penalty}

    def discriminator(self, real: KerasTensor, fake: KerasTensor) -> KerasTensor:
        """E[fake] - E[real]."""
        return ops.mean(fake) - ops.mean(real)

    def generator(self, real: KerasTensor | None, fake: KerasTensor) -> KerasTensor:
        """-E[fake]."""
        return -ops.mean(fake)

    def penalty(
        self,
        gradient_at: Callable[[KerasTensor], KerasTensor],
        real: KerasTensor,
        fake: KerasTensor,
        share: KerasTensor,
    ) -> dict[str, KerasTensor]:
        """{"gradient_penalty": of the gradient at clips between real and fake}."""
        if not self.penalties["gradient_penalty"]:
            return {}
        mixed = real + share[:, None, None, None, None] * (fake - real)
        return {"gradient_penalty": one_centered_penalty(gradient_at(mixed))}


def zero_centered_penalty(gradients: KerasTensor) -> KerasTensor:
    """E[||g||^2] / 2: R1 on real clips, R2 on generated ones (Mescheder et al., 2018).

    Args:
        gradients: g, the gradient of the sum over the batch of the mean patch logit
            with respect to the clips, [B, T, H, W, 3].
    """
    return 0.5 * ops.mean(ops.sum(ops.square(gradients), axis=(1, 2, 3, 4)))


def one_centered_penalty(gradients: KerasTensor) -> KerasTensor:
    """E[(||g||_2 - 1)^2], one norm for each clip (WGAN-GP, Gulrajani et al., 2017).

    Args:
        gradients: As in `zero_centered_penalty`, at clips drawn between real and
            generated ones.
    """
    square = ops.sum(ops.square(gradients), axis=(1, 2, 3, 4))
    # A root has no gradient at 0, which is where a critic may begin.
    return ops.mean(ops.square(ops.sqrt(square + 1e-12) - 1.0))


def advantage(real: KerasTensor, fake: KerasTensor) -> KerasTensor:
    """How far the discriminator is ahead, in [-1, 1]: 2 E[sigmoid(real - fake)] - 1.

    0 says that it cannot tell real from generated, 1 that it always can. Only
    differences of logits count, so that it does not depend on where the logits are
    centered (those of `Relativistic` and `Wasserstein` may be anywhere); it is our
    measure, in the spirit of the balance of TecoGAN (Chu et al., 2020).

    Args:
        real: [B, t, h, w, 1], compared patch by patch, or clip by clip where the
            shapes differ.
        fake: [B, t, h, w, 1].
    """
    real, fake = _comparable(real, fake)
    return ops.mean(ops.tanh(0.5 * (real - fake)))  # the same, and exactly 0 at 0


def _comparable(real, fake):
    """Both as they are, or their means over each clip where their shapes differ."""
    if tuple(real.shape) == tuple(fake.shape):
        return real, fake
    return ops.mean(real, axis=(1, 2, 3, 4)), ops.mean(fake, axis=(1, 2, 3, 4))
