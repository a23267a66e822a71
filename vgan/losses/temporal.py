"""Temporal consistency: what moves with the scene should look the same.

Flow is backward, in pixels, (x, y): `frames[:, t + 1]` at p shows what `frames[:, t]`
showed at p + flow[:, t](p), but where occlusion is 1. The losses are means over all
pixels that are not occluded, and 0 for clips that are too short to change.
"""

import typing

import keras
from keras import KerasTensor, ops

from vgan import InputError
from vgan.losses.base import Loss


class Temporal(Loss):
    """`warp_loss`: what moves with the scene looks the same in the next frame."""

    needs = ("flow", "occlusion")

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term."""
        return warp_loss(forward.frames, *forward.motion())


class TemporalLong(Loss):
    """`long_range_loss`: what moves with the scene looks as it did in frame one."""

    needs = ("flow", "occlusion")

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term."""
        return long_range_loss(forward.frames, *forward.motion())


class StateConsistency(Loss):
    """What an old state paints is what a fresh one has painted: E[(y_old - y_new)^2].

    Of the clips that began with the state of burn-in passes.
    """

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term."""
        change = ops.mean(ops.square(forward.frames - forward.fresh), axis=(1, 2, 3, 4))
        aged = ops.cast(forward.aged, "float32")
        return ops.sum(aged * change) / (ops.sum(aged) + 1.0)

    def check(self, gan: keras.Model) -> None:
        """Raise InputError where every clip begins with a fresh state."""
        if not gan.burn_in:
            raise InputError("needs old states; set burn_in to 1 or more")


def warp(frames: KerasTensor, flow: KerasTensor) -> KerasTensor:
    """Sample frames where the flow points, bilinearly.

    Args:
        frames: [N, H, W, C].
        flow: [N, H, W, 2] in pixels, (x, y): the result at p is `frames` at
            p + flow(p). Points outside take the border's value.

    Returns:
        [N, H, W, C].
    """
    shape = ops.shape(frames)
    count, height, width, channels = shape
    rows = ops.reshape(ops.arange(height, dtype="float32"), (1, -1, 1))
    columns = ops.reshape(ops.arange(width, dtype="float32"), (1, 1, -1))
    bottom = ops.cast(height - 1, "float32")
    right = ops.cast(width - 1, "float32")
    x = ops.clip(columns + flow[..., 0], 0.0, right)
    y = ops.clip(rows + flow[..., 1], 0.0, bottom)
    left, top = ops.floor(x), ops.floor(y)
    x_weight, y_weight = (x - left)[..., None], (y - top)[..., None]

    flat = ops.reshape(frames, (-1, channels))
    first = ops.reshape(ops.arange(count, dtype="int32"), (-1, 1, 1)) * height * width

    def sample(y, x):
        index = ops.cast(ops.minimum(y, bottom), "int32") * width
        index = first + index + ops.cast(ops.minimum(x, right), "int32")
        return ops.take(flat, index, axis=0)

    upper = sample(top, left) * (1 - x_weight) + sample(top, left + 1) * x_weight
    lower = sample(top + 1, left) * (1 - x_weight)
    lower = lower + sample(top + 1, left + 1) * x_weight
    return upper * (1 - y_weight) + lower * y_weight


def warp_loss(
    frames: KerasTensor, flow: KerasTensor, occlusion: KerasTensor
) -> KerasTensor:
    """Mean squared difference of each frame and the one before, moved by the flow.

    sum(valid * |frame_t - warp(frame_(t-1), flow_t)|^2) / sum(valid)
    (Ruder et al., 2016; Lai et al., 2018), over all pixels that are not occluded.

    Args:
        frames: [B, T, H, W, C].
        flow: [B, T - 1, H, W, 2] in pixels.
        occlusion: [B, T - 1, H, W, 1], 1 where the flow does not hold.
    """
    if frames.shape[1] < 2:
        return _nothing(frames)
    return _mean_square(_change(frames, flow), 1.0 - _fold(occlusion))


def long_range_loss(
    frames: KerasTensor, flow: KerasTensor, occlusion: KerasTensor
) -> KerasTensor:
    """As `warp_loss`, but of each frame and the first (Ruder et al., 2016).

    From the third frame on, since `warp_loss` has the second (also Lai et al., 2018).
    The flow to the first frame is composed of the steps between,
    flow_(0<-t)(p) = flow_t(p) + flow_(0<-(t-1))(p + flow_t(p)); a point that was
    hidden once stays out.

    Args:
        frames: [B, T, H, W, 3].
        flow: [B, T - 1, H, W, 2] in pixels.
        occlusion: [B, T - 1, H, W, 1], 1 where the flow does not hold.
    """
    length = frames.shape[1]
    if length < 3:
        return _nothing(frames)
    total, hidden = flow[:, 0], occlusion[:, 0]
    errors, valid = [], []
    for t in range(2, length):
        step = flow[:, t - 1]
        before = warp(ops.concatenate([total, hidden], axis=-1), step)
        total = step + before[..., :2]
        # A flow that is mixed with a hidden neighbor's holds for neither.
        mixed = ops.cast(before[..., 2:] > 1e-3, "float32")
        hidden = ops.maximum(occlusion[:, t - 1], mixed)
        errors.append(frames[:, t] - warp(frames[:, 0], total))
        valid.append(1.0 - hidden)
    return _mean_square(ops.concatenate(errors), ops.concatenate(valid))


def _nothing(frames):
    """0, whose gradient is 0 and not missing."""
    return ops.sum(frames[:, :0])


def _fold(x):
    """[B, T, H, W, C] -> [B T, H, W, C]."""
    return ops.reshape(x, (-1, *ops.shape(x)[2:]))


def _change(frames, flow):
    """Frames but the first, minus those before as the flow moves them; [N, H, W, C]."""
    return _fold(frames[:, 1:]) - warp(_fold(frames[:, :-1]), _fold(flow))


def _mean_square(error, valid):
    """Mean of squares [N, H, W, C] where valid [N, H, W, 1] is 1; 0 if it never is."""
    square = ops.mean(ops.square(error), axis=-1, keepdims=True)
    return ops.sum(square * valid) / (ops.sum(valid) + 1.0)
