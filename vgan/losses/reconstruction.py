"""What is known of the result: its target, its style code."""

from keras import ops


def reconstruction_l1(result, target):
    """E|y - x|.

    For paired clips, for content in its own style, and for the way there and back
    (identity and cycle, Zhu et al., 2017).

    Args:
        result: [B, T, H, W, 3] in [-1, 1].
        target: The same.
    """
    return ops.mean(ops.abs(result - target))


def reconstruction_l2(result, target):
    """E[(y - x)^2], which minds few large errors more than many small ones.

    Args:
        result: [B, T, H, W, 3] in [-1, 1].
        target: The same.
    """
    return ops.mean(ops.square(result - target))


def code_loss(code, target):
    """E|s' - s|: the code read from the result against the one that was asked for.

    Style reconstruction of StarGAN v2 (Choi et al., 2020).

    Args:
        code: [B, D].
        target: [B, D].
    """
    return ops.mean(ops.abs(code - target))
