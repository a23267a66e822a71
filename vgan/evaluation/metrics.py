"""Figures of a finished clip: steadiness, and strength of the style.

One without the other means nothing: a weak style is steady by itself.
"""

import numpy as np

from vgan.losses import perceptual, temporal


def warping_error(frames, flow, occlusion):
    """Mean squared change of what the flow says is the same point; lower is steadier.

    sum(valid * |f_t - warp(f_(t-1), flow_t)|^2) / (3 sum(valid)), in [0, 1] (Lai et
    al., 2018, with the flow known instead of estimated). Compare it with that of the
    input, which is not 0 either: resampling and shading change colours.

    Args:
        frames: uint8 [T, H, W, 3].
        flow: Backward flow [T - 1, H, W, 2] in pixels, (x, y).
        occlusion: [T - 1, H, W, 1], 1 where the flow does not hold.

    Raises:
        ValueError: The flow holds nowhere.
    """
    if np.all(occlusion):
        raise ValueError("the flow is known nowhere in this clip")
    frames = np.asarray(frames, np.float32) / 255
    return float(temporal.warp_loss(frames[None], flow[None], occlusion[None]))


def style_strength(result, style, content, features):
    """How far the result has gone from the content to the style; higher is stronger.

    1 - d(result, style) / d(content, style), where d = ||A - B|| / (||A|| + ||B||) of
    Gram matrices (Gatys et al., 2016), mean over the layers of `features`. 0 is the
    content itself, 1 the statistics of the style itself; crops of one painting reach
    well below 1.

    Args:
        result: Stylised clip uint8 [T, H, W, 3].
        style: Style clip uint8 [T', h, w, 3].
        content: Content clip uint8 [T, H, W, 3].
        features: vgan.losses.features.FeatureNetwork.
    """
    result, style, content = (
        [_mean_gram(layer) for layer in features(_to_unit(clip))["style"]]
        for clip in (result, style, content)
    )
    to_style = np.mean([_distance(r, s) for r, s in zip(result, style, strict=True)])
    whole = np.mean([_distance(c, s) for c, s in zip(content, style, strict=True)])
    return float(1 - to_style / whole)


def _to_unit(clip):
    return np.asarray(clip, np.float32)[None] / 127.5 - 1


def _mean_gram(layer):
    return np.mean(np.asarray(perceptual.gram_matrix(layer)), axis=(0, 1))


def _distance(a, b):
    return np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b))
