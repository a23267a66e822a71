"""Steadiness in time: what moves with the scene should look the same.

Flow is backward, in pixels, (x, y): `frames[:, t + 1]` at p shows what `frames[:, t]`
showed at p + flow[:, t](p), but where occlusion is 1. The losses are means over all
pixels that are not occluded, and 0 for clips that are too short to change.
"""

from keras import ops

from vgan import InputError

LUMINANCE = (0.2126, 0.7152, 0.0722)  # of R, G, B (ITU-R BT.709), as ReCoNet has it


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
        frames: [B, T, H, W, C].
        flow: [B, T - 1, H, W, 2] in pixels.
        occlusion: [B, T - 1, H, W, 1], 1 where the flow does not hold.
    """
    if frames.shape[1] < 2:
        return _nothing(frames)
    return _mean_square(_change(frames, flow), 1.0 - _fold(occlusion))


def luminance_warp_loss(frames, content, flow, occlusion):
    """As `warp_loss`, but each channel may follow the content's change of light.

    |(y_t - warp(y_(t-1))) - Y(x_t - warp(x_(t-1)))|^2 (ReCoNet, Gao et al., 2018),
    where Y = 0.2126 R + 0.7152 G + 0.0722 B, of the values as they are.

    Args:
        frames: y, the result, [B, T, H, W, 3] in [-1, 1].
        content: x, of the same shape and range.
        flow: [B, T - 1, H, W, 2] in pixels.
        occlusion: [B, T - 1, H, W, 1], 1 where the flow does not hold.
    """
    if frames.shape[1] < 2:
        return _nothing(frames)
    weights = ops.convert_to_tensor(LUMINANCE, dtype="float32")
    light = ops.sum(_change(content, flow) * weights, axis=-1, keepdims=True)
    return _mean_square(_change(frames, flow) - light, 1.0 - _fold(occlusion))


def feature_warp_loss(features, flow, occlusion):
    """`warp_loss` of features at a lower resolution (ReCoNet, Gao et al., 2018).

    Each feature moves by the mean flow of the pixels under it; it counts where none of
    them is occluded.

    Args:
        features: [B, T, h, w, C].
        flow: [B, T - 1, H, W, 2] in pixels; H and W are multiples of h and w.
        occlusion: [B, T - 1, H, W, 1], 1 where the flow does not hold.

    Raises:
        InputError: H or W is not a multiple.
    """
    if features.shape[1] < 2:
        return _nothing(features)
    size, pixels = tuple(features.shape[2:4]), tuple(flow.shape[2:4])
    strides = pixels[0] // size[0], pixels[1] // size[1]
    if (size[0] * strides[0], size[1] * strides[1]) != pixels:
        raise InputError(
            f"losses.temporal: features of {size[0]} x {size[1]} do not divide "
            f"{pixels[0]} x {pixels[1]} pixels; choose sizes that are multiples"
        )

    def cells(x):
        """[B, T - 1, H, W, C] -> [B, T - 1, h, H / h, w, W / w, C]."""
        return ops.reshape(
            x, (*x.shape[:2], size[0], strides[0], size[1], strides[1], x.shape[4])
        )

    step = ops.convert_to_tensor(strides[::-1], dtype="float32")
    flow = ops.mean(cells(flow), axis=(3, 5)) / step
    occlusion = ops.max(cells(occlusion), axis=(3, 5))
    return warp_loss(ops.cast(features, "float32"), flow, occlusion)


def long_range_loss(frames, flow, occlusion):
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
        # A flow that is mixed with a hidden neighbour's holds for neither.
        mixed = ops.cast(before[..., 2:] > 1e-3, "float32")
        hidden = ops.maximum(occlusion[:, t - 1], mixed)
        errors.append(frames[:, t] - warp(frames[:, 0], total))
        valid.append(1.0 - hidden)
    return _mean_square(ops.concatenate(errors), ops.concatenate(valid))


def frame_difference_loss(frames, content):
    """E|(y_t - y_(t-1)) - (x_t - x_(t-1))|: the result changes as the content does.

    Needs no flow (Xu, Xiong and Hu, 2021, their loss in the space of pixels).

    Args:
        frames: y, the result, [B, T, H, W, 3].
        content: x, of the same shape.
    """
    if frames.shape[1] < 2:
        return _nothing(frames)
    changes = frames[:, 1:] - frames[:, :-1], content[:, 1:] - content[:, :-1]
    return ops.mean(ops.abs(changes[0] - changes[1]))


def ping_pong_loss(forward, backward):
    """E|y_t - y'_t|^2 of a clip played to its end and back (TecoGAN, Chu et al., 2020).

    A recurrent network that drifts has drifted further on the way back.

    Args:
        forward: y, [B, T, H, W, 3].
        backward: y', made on the way back, without the turning point T, in the order
            of `forward`: [B, T - 1, H, W, 3].
    """
    if forward.shape[1] < 2:
        return _nothing(forward)
    return ops.mean(ops.square(forward[:, :-1] - backward))


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
