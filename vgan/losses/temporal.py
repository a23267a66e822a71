"""Steadiness in time: what moves with the scene should look the same."""

from keras import ops


def warp(frames, flow):
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


def warp_loss(frames, flow, occlusion):
    """Mean squared difference of each frame and the one before, moved by the flow.

    sum(valid * |frame_t - warp(frame_(t-1), flow_t)|^2) / sum(valid)
    (Ruder et al., 2016; Lai et al., 2018), over all pixels that are not occluded.

    Args:
        frames: [B, T, H, W, 3].
        flow: Backward flow [B, T - 1, H, W, 2] in pixels, (x, y).
        occlusion: [B, T - 1, H, W, 1], 1 where the flow does not hold.
    """
    shape = ops.shape(frames)
    before = ops.reshape(frames[:, :-1], (-1, *shape[2:]))
    after = ops.reshape(frames[:, 1:], (-1, *shape[2:]))
    valid = 1.0 - ops.reshape(occlusion, (-1, shape[2], shape[3], 1))
    error = after - warp(before, ops.reshape(flow, (-1, shape[2], shape[3], 2)))
    error = ops.mean(ops.square(error), axis=-1, keepdims=True)
    return ops.sum(error * valid) / (ops.sum(valid) + 1.0)
