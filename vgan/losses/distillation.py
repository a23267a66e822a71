"""What a teacher makes of the same content and style is the target."""

import typing

import keras
from keras import KerasTensor, ops

from vgan import InputError
from vgan.losses import perceptual
from vgan.losses.base import Loss


class Distillation(Loss):
    """`pyramid_loss` of the result against the teacher's (Hinton et al., 2015).

    The paired objective min ||G(x) - y||, at several sizes and of edges.
    """

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term."""
        return pyramid_loss(forward.frames, forward.taught)

    def check(self, gan: keras.Model) -> None:
        """Raise InputError where there is no teacher."""
        _check_teacher(gan)


class DistillationTexture(Loss):
    """`style_loss` of each frame against the teacher's; strokes may lie elsewhere."""

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term."""
        made = forward.features_of_frames["style"]
        wanted = forward.features(forward.taught)["style"]
        made, wanted = ([_frames(x) for x in layers] for layers in (made, wanted))
        return perceptual.style_loss(made, wanted)

    def check(self, gan: keras.Model) -> None:
        """Raise InputError where there is no teacher."""
        _check_teacher(gan)


def _check_teacher(gan):
    if gan.teacher is None:
        raise InputError("needs a model to learn from; give a teacher")


def _frames(x):
    """[B, T, h, w, C] -> clips of one frame, [B T, 1, h, w, C]."""
    return ops.reshape(x, (-1, *x.shape[2:]))[:, None]


def pyramid_loss(
    result: KerasTensor, target: KerasTensor, levels: int = 4
) -> KerasTensor:
    """E|y - x| at several sizes, and twice that of the differences of neighbors.

    Each size is the mean of 2 x 2 pixels of the one before: large areas have the right
    color before small ones have the right strokes (low-pass, after Burt and Adelson,
    1983). Differences of neighboring pixels, at full size, ask for their edges.

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
