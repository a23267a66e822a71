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


def pyramid_loss(result, target, levels=4):
    """E|y - x| at several sizes, and twice that of the differences of neighbours.

    Each size is the mean of 2 x 2 pixels of the one before: large areas have the right
    colour before small ones have the right strokes (low-pass, after Burt and Adelson,
    1983). Differences of neighbouring pixels, at full size, ask for their edges.

    Args:
        result: [B, T, H, W, 3] in [-1, 1], H and W multiples of 2 ** (levels - 1).
        target: The same.
        levels: Number of sizes.
    """
    error = ops.reshape(result - target, (-1, *ops.shape(result)[2:]))
    edges = (error[:, 1:] - error[:, :-1], error[:, :, 1:] - error[:, :, :-1])
    loss = 2 * sum(ops.mean(ops.abs(edge)) for edge in edges)
    for level in range(levels):
        if level:
            error = ops.average_pool(error, 2, 2, "valid", "channels_last")
        loss = loss + ops.mean(ops.abs(error))
    return loss


def code_loss(code, target):
    """E|s' - s|: the code read from the result against the one that was asked for.

    Style reconstruction of StarGAN v2 (Choi et al., 2020).

    Args:
        code: [B, D].
        target: [B, D].
    """
    return ops.mean(ops.abs(code - target))
