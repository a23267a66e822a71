"""Adversarial games: what the discriminator and the generator minimise.

Every game is a function of patch logits [B, t, h, w, 1], without a sigmoid: `real` of
real clips, `fake` of generated ones. D stands for sigmoid(logit), x for a real clip and
G(z) for a generated one. An experiment names a game; `game` finds it.
"""

import typing
from collections.abc import Callable

from keras import ops

from vgan import InputError


class Game(typing.NamedTuple):
    """The two sides of a game, and what it asks of those who play it.

    Attributes:
        discriminator: (real, fake, smoothing=0.0) -> scalar. The smoothing is taken
            off the label 1 of real clips; games without labels ignore it.
        generator: (real, fake) -> scalar; `real` is None unless `relative`.
        relative: The generator's loss needs the logits of real clips too.
        labels: Label smoothing applies.
        pair: The discriminator judges a clip beside a reference clip.
        penalty: What keeps the discriminator smooth: "zero", `zero_centred_penalty`
            (R1, R2), or "one", `one_centred_penalty`.
    """

    discriminator: Callable
    generator: Callable
    relative: bool = False
    labels: bool = False
    pair: bool = False
    penalty: str = "zero"


def cross_entropy_discriminator(real, fake, smoothing=0.0):
    """-E[log D(x)] - E[log(1 - D(G(z)))] (Goodfellow et al., 2014).

    With one-sided label smoothing (Salimans et al., 2016), real clips have the label
    1 - smoothing, and D gains nothing by being surer; generated ones keep the label 0.
    """
    on_real = (1.0 - smoothing) * ops.softplus(-real) + smoothing * ops.softplus(real)
    return ops.mean(on_real) + ops.mean(ops.softplus(fake))


def minimax_generator(real, fake):
    """E[log(1 - D(G(z)))] (Goodfellow et al., 2014): no gradient where D is sure."""
    return -ops.mean(ops.softplus(fake))


def non_saturating_generator(real, fake):
    """-E[log D(G(z))] (Goodfellow et al., 2014, section 3)."""
    return ops.mean(ops.softplus(-fake))


def pair_discriminator(real, fake, smoothing=0.0):
    """-E[log D(x, x')] - E[log(1 - D(G(z), x))], a clip judged beside a real one.

    Where the two cannot be told apart D is 0.5 on both, and the loss 2 log 2. The note
    that this game comes from prints a minus between the two terms: that would pay D
    for calling the generated clip real, so that both networks would want the same and
    there would be no game. The plus makes it adversarial.

    Args:
        real: Logits of D(x, x'), a real clip beside another real clip.
        fake: Logits of D(G(z), x), a generated clip beside a real clip.
        smoothing: Taken off the label 1 of D(x, x').
    """
    return cross_entropy_discriminator(real, fake, smoothing)


def pair_generator(real, fake):
    """-E[log D(G(z), x)], on the logits of D(G(z), x)."""
    return non_saturating_generator(real, fake)


def relativistic_discriminator(real, fake, smoothing=0.0):
    """E[log(1 + exp(fake - real))]: real clips look more real than generated ones.

    The relativistic pairing loss (Jolicoeur-Martineau, 2018), patch by patch, that is
    steady under R1 and R2 (R3GAN, Huang et al., 2024).
    """
    real, fake = _comparable(real, fake)
    return ops.mean(ops.softplus(fake - real))


def relativistic_generator(real, fake):
    """E[log(1 + exp(real - fake))], the same with the roles exchanged."""
    return relativistic_discriminator(fake, real)


def least_squares_discriminator(real, fake, smoothing=0.0):
    """(E[(real - 1)^2] + E[fake^2]) / 2 (Mao et al., 2017)."""
    on_real = ops.mean(ops.square(real - (1.0 - smoothing)))
    return 0.5 * (on_real + ops.mean(ops.square(fake)))


def least_squares_generator(real, fake):
    """E[(fake - 1)^2] / 2 (Mao et al., 2017)."""
    return 0.5 * ops.mean(ops.square(fake - 1.0))


def hinge_discriminator(real, fake, smoothing=0.0):
    """E[max(0, 1 - real)] + E[max(0, 1 + fake)] (Lim and Ye, 2017).

    Made known by SNGAN (Miyato et al., 2018).
    """
    return ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))


def wasserstein_discriminator(real, fake, smoothing=0.0):
    """E[fake] - E[real] (Arjovsky et al., 2017), of a critic whose slope is 1.

    The slope is what `one_centred_penalty` asks for (Gulrajani et al., 2017).
    """
    return ops.mean(fake) - ops.mean(real)


def critic_generator(real, fake):
    """-E[fake], in the hinge and the Wasserstein game."""
    return -ops.mean(fake)


GAMES = {
    "minimax": Game(cross_entropy_discriminator, minimax_generator, labels=True),
    "non_saturating": Game(
        cross_entropy_discriminator, non_saturating_generator, labels=True
    ),
    "pair": Game(pair_discriminator, pair_generator, labels=True, pair=True),
    "relativistic": Game(
        relativistic_discriminator, relativistic_generator, relative=True
    ),
    "least_squares": Game(
        least_squares_discriminator, least_squares_generator, labels=True
    ),
    "hinge": Game(hinge_discriminator, critic_generator),
    "wasserstein": Game(wasserstein_discriminator, critic_generator, penalty="one"),
}


def game(name):
    """Return the `Game` of that name.

    Raises:
        InputError: There is no game of that name.
    """
    if name not in GAMES:
        known = ", ".join(sorted(GAMES))
        raise InputError(f"losses.adversarial: no game {name!r}; known: {known}")
    return GAMES[name]


def zero_centred_penalty(gradients):
    """E[||g||^2] / 2: R1 on real clips, R2 on generated ones (Mescheder et al., 2018).

    Args:
        gradients: g, the gradient of the sum over the batch of the mean patch logit
            with respect to the clips, [B, T, H, W, 3].
    """
    return 0.5 * ops.mean(ops.sum(ops.square(gradients), axis=(1, 2, 3, 4)))


def one_centred_penalty(gradients):
    """E[(||g||_2 - 1)^2], one norm for each clip (WGAN-GP, Gulrajani et al., 2017).

    Args:
        gradients: As in `zero_centred_penalty`, at clips drawn between real and
            generated ones.
    """
    square = ops.sum(ops.square(gradients), axis=(1, 2, 3, 4))
    # A root has no slope at 0, which is where a critic may begin.
    return ops.mean(ops.square(ops.sqrt(square + 1e-12) - 1.0))


def feature_matching_loss(fake, real):
    """What the discriminator sees on average, in generated against real clips.

    |m(fake) - m(real)|^2 / E[real^2], where m is a clip's mean over time and space;
    mean over layers. After Salimans et al., 2016, with each layer divided by its own
    scale. Averages only, as the two clips do not show the same scene.

    Args:
        fake: List of the discriminator's features [B, t, h, w, C] of generated clips.
        real: The same of the real clips that have the same styles; t, h and w may
            differ.
    """
    terms = []
    for y, x in zip(fake, real, strict=True):
        y, x = ops.cast(y, "float32"), ops.cast(x, "float32")
        error = ops.mean(y, axis=(1, 2, 3)) - ops.mean(x, axis=(1, 2, 3))
        scale = ops.mean(ops.square(x)) + 1e-6
        terms.append(ops.mean(ops.square(error)) / scale)
    return sum(terms) / len(terms)


def advantage(real, fake):
    """How far the discriminator is ahead, in [-1, 1]: 2 E[sigmoid(real - fake)] - 1.

    0 says that it cannot tell real from generated, 1 that it always can. Only
    differences of logits count, so that it does not depend on where the logits of a
    game are centred (those of `relativistic` and `wasserstein` may be anywhere); it is
    our measure, in the spirit of the balance of TecoGAN (Chu et al., 2020).

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
