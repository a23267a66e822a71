"""Conditional instance normalization by running statistics, which the state carries.

Dumoulin et al., 2017; for any style: Ghiasi et al., 2017. Statistics of single frames
flicker: averages over the frames so far do not.
"""

from collections.abc import Sequence

from keras import KerasTensor, ops

from vgan.models.layers import running_average

MOMENTUM = 0.9  # weight of the past in the running statistics
EPSILON = 1e-2  # added to variances, which are of 1 to 1000: black frames stay calm


class Normalization:
    """All normalizations of one call, in order: code and running statistics in, out.

    Args:
        channels: Of each normalization, in order.
        code: Scales and shifts of the first, of the second, ...; [B, at least
            2 sum(channels)].
        state: With "mean" and "variance" [B, sum(channels)] and "age" [B, 1].
        num_frames: T.
    """

    def __init__(
        self,
        channels: Sequence[int],
        code: KerasTensor,
        state: dict[str, KerasTensor],
        num_frames: int,
    ) -> None:
        self._parts = iter(_parts(channels))
        self._code = code
        self._state = state
        self._num_frames = num_frames
        self._ages = [state["age"] + 1.0 + t for t in range(num_frames)]
        self._new = {"mean": [], "variance": []}

    def __call__(self, x: KerasTensor) -> KerasTensor:
        """Normalize, scale and shift the next features.

        Args:
            x: [B T, h, w, C], or [B T, h, w, 4 C], patches of 2 x 2 pixels.
        """
        scale, shift, own = next(self._parts)
        pixels = x.shape[-1] // (own.stop - own.start)
        seen = ops.cast(x, "float32")
        mean = _of_pixels(ops.mean(seen, axis=(1, 2)), pixels)
        # Of deviations: as a difference of squares it would be noise in flat frames.
        deviation = seen - ops.tile(mean, (1, pixels))[:, None, None]
        variance = _of_pixels(ops.mean(ops.square(deviation), axis=(1, 2)), pixels)
        mean = self._running("mean", mean, own)
        variance = self._running("variance", variance, own)
        scale = self._of_frames(self._code[:, scale]) * ops.rsqrt(variance + EPSILON)
        shift = self._of_frames(self._code[:, shift]) - mean * scale
        scale, shift = (
            ops.cast(ops.tile(v, (1, pixels))[:, None, None], x.dtype)
            for v in (scale, shift)
        )
        return x * scale + shift

    def new_state(self) -> dict[str, KerasTensor]:
        """The state after the last frame."""
        new = {name: ops.concatenate(parts, -1) for name, parts in self._new.items()}
        return {**new, "age": self._ages[-1]}

    def _running(self, name, values, own):
        """Average over the frames so far, [B T, C]; keep the last."""
        before = self._state[name][:, own]
        averages, last = running_average(values, before, self._ages, MOMENTUM)
        self._new[name].append(last)
        return averages

    def _of_frames(self, x):
        """[B, C] -> [B T, C]."""
        return x if self._num_frames == 1 else ops.repeat(x, self._num_frames, axis=0)


def _of_pixels(means, pixels):
    """Means [N, pixels C] of the channels of a patch -> of all its pixels, [N, C]."""
    if pixels == 1:
        return means
    return ops.mean(ops.reshape(means, (-1, pixels, means.shape[-1] // pixels)), axis=1)


def _parts(channels):
    """Slices of each normalization: scale and shift in the code, and statistics."""
    start = 0
    for size in channels:
        yield (
            slice(2 * start, 2 * start + size),
            slice(2 * start + size, 2 * (start + size)),
            slice(start, start + size),
        )
        start += size
