"""What is known of the result: its target, its style code."""

import typing

from keras import KerasTensor, ops

from vgan.losses.base import Loss


class ReconstructionL1(Loss):
    """E|y - x|, the result against the batch's "target"."""

    needs = ("target",)

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term."""
        return reconstruction_l1(forward.frames, forward.batch["target"])


class ReconstructionL2(Loss):
    """E[(y - x)^2], the result against the batch's "target": min ||G(x) - y||^2."""

    needs = ("target",)

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term."""
        return reconstruction_l2(forward.frames, forward.batch["target"])


class StyleCode(Loss):
    """E|s' - s|: the result's style code against the one that was asked for.

    Style reconstruction of StarGAN v2 (Choi et al., 2020).
    """

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term."""
        found = forward.generator.encode_style(forward.frames)
        return code_loss(found, ops.stop_gradient(forward.code))


def reconstruction_l1(result: KerasTensor, target: KerasTensor) -> KerasTensor:
    """E|y - x|.

    Args:
        result: [B, T, H, W, 3] in [-1, 1].
        target: The same.
    """
    return ops.mean(ops.abs(result - target))


def reconstruction_l2(result: KerasTensor, target: KerasTensor) -> KerasTensor:
    """E[(y - x)^2], which minds few large errors more than many small ones.

    Args:
        result: [B, T, H, W, 3] in [-1, 1].
        target: The same.
    """
    return ops.mean(ops.square(result - target))


def code_loss(code: KerasTensor, target: KerasTensor) -> KerasTensor:
    """E|s' - s|: the code read from the result against the one that was asked for.

    Style reconstruction of StarGAN v2 (Choi et al., 2020).

    Args:
        code: [B, D].
        target: [B, D].
    """
    return ops.mean(ops.abs(code - target))
