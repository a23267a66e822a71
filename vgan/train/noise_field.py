"""The noise field of a painter, which moves as the clips of a batch do."""

import keras
from keras import KerasTensor, ops

from vgan.losses.temporal import warp


def moving(
    generator: keras.Model,
    state: dict[str, KerasTensor],
    flow: KerasTensor,
) -> KerasTensor:
    """The noise field at each frame of clips that begin with a state.

    Args:
        generator: A `Painter` with `noise_channels`.
        state: That the clips begin with.
        flow: Backward, [B, T - 1, H, W, 2] in pixels.

    Returns:
        [B, T, H / 8, W / 8, 4 noise_channels].
    """
    first = generator.noise_field(state)
    field = ops.depth_to_space(first, 2)
    cell = generator.stride // 2  # pixels of a frame to one of the field
    drift, fields = None, [first]
    for t in range(flow.shape[1]):
        step = (
            ops.average_pool(
                flow[:, t],
                cell,
                cell,
                data_format="channels_last",  # strides: for JAX
            )
            / cell
        )
        drift = step if drift is None else warp(drift, step) + step
        # From the first frame at once: noise fades with each interpolation.
        moved = warp(field, drift)
        spread = ops.std(moved, axis=(1, 2), keepdims=True)
        fields.append(ops.space_to_depth(moved / (spread + 1e-3), 2))
    return ops.stack(fields, axis=1)
