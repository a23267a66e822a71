"""Adversarial games: what the discriminator and the generator minimise.

Each game is a pair of functions of patch logits [B, t, h, w, 1]. An experiment names
one; `game` finds it.
"""

from keras import ops

from vgan import InputError


def non_saturating_discriminator(real, fake):
    """-E[log D(x)] - E[log(1 - D(G(z)))] on logits (Goodfellow et al., 2014)."""
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def non_saturating_generator(fake):
    """-E[log D(G(z))] on logits (Goodfellow et al., 2014, section 3)."""
    return ops.mean(ops.softplus(-fake))


GAMES = {"non_saturating": (non_saturating_discriminator, non_saturating_generator)}


def game(name):
    """Return the losses (discriminator(real, fake), generator(fake)) of a game.

    Raises:
        InputError: There is no game of that name.
    """
    if name not in GAMES:
        known = ", ".join(sorted(GAMES))
        raise InputError(f"losses.adversarial: no game {name!r}; known: {known}")
    return GAMES[name]


def gradient_penalty(gradients):
    """R1: E[||grad_x D(x)||^2] / 2 on real clips (Mescheder et al., 2018).

    Args:
        gradients: Gradient of the sum over the batch of the mean patch logit with
            respect to the clips, [B, T, H, W, 3].
    """
    return 0.5 * ops.mean(ops.sum(ops.square(gradients), axis=(1, 2, 3, 4)))
