"""What any good result has, whatever its content and style."""

from keras import ops


def total_variation(frames):
    """E|difference of neighbouring pixels|, down plus across (Rudin et al., 1992).

    As a term of style transfer after Johnson et al., 2016.

    Args:
        frames: [B, T, H, W, 3], H and W above 1.
    """
    down = frames[:, :, 1:] - frames[:, :, :-1]
    across = frames[:, :, :, 1:] - frames[:, :, :, :-1]
    return ops.mean(ops.abs(down)) + ops.mean(ops.abs(across))


def diversity_loss(a, b):
    """-E|a - b|: two codes should give two results (StarGAN v2, Choi et al., 2020).

    It has no rest; in [-1, 1] it is bound by -2. Choi et al. fade it out.

    Args:
        a: Result for one style code, [B, T, H, W, 3].
        b: Result of the same content for another code.
    """
    return -ops.mean(ops.abs(a - b))
