"""Content and style, measured in the features of a fixed network.

Features are lists of [B, T, h, w, C], one per layer, as `FeatureNetwork` gives them.
Every layer is divided by its own scale, so that none drowns the others.
"""

import numpy as np
from keras import ops

LUMA = (0.299, 0.587, 0.114)  # of R, G, B (ITU-R BT.601)


def content_loss(result, content):
    """Relative error ||f(y) - f(x)||^2 / ||f(x)||^2, mean over layers.

    After Johnson et al., 2016, made relative: near 0 the picture is unchanged, at 1 and
    above its content is gone; about 0.5 keeps it sharp while texture changes.

    Args:
        result: Features of the stylised clip.
        content: Features of the content clip, of the same shapes.
    """
    terms = [
        ops.sum(ops.square(y - x)) / (ops.sum(ops.square(x)) + 1e-6)
        for y, x in zip(result, content, strict=True)
    ]
    return sum(terms) / len(terms)


def style_loss(result, style):
    """Relative error of Gram matrices and of means and spreads, mean over layers.

    2 ||G(y) - G(s)||^2 / (||G(y)||^2 + ||G(s)||^2) of Gram matrices (Gatys et al.,
    2016), and the same of the channels' means and standard deviations (Huang and
    Belongie, 2017). At most 2, so that no dark or flat style outweighs all others. The
    style's statistics are averaged over its frames; each stylised frame must meet them.

    Args:
        result: Features of the stylised clip, [B, T, h, w, C].
        style: Features of the style clip, [B, T', h', w', C].
    """
    terms = []
    for y, s in zip(result, style, strict=True):
        for statistic in (gram_matrix, mean_and_spread):
            wanted = ops.mean(statistic(s), axis=1, keepdims=True)
            made = statistic(y)
            error = ops.sum(ops.square(made - wanted), axis=-1)
            scale = ops.sum(ops.square(made) + ops.square(wanted), axis=-1)
            terms.append(ops.mean(2 * error / (scale + 1e-6)))
    return sum(terms) / len(terms)


def layout_loss(result, content, patch=8):
    """1 - correlation of light and dark, averaged over patches, in [0, 2].

    Pearson's, over each frame: brightness, contrast and colours are free, but what is
    light stays lighter than what is dark.

    Args:
        result: The stylised clip, [B, T, H, W, 3].
        content: The content clip, of the same shape.
        patch: Side of a patch in pixels.
    """

    def tones(clip):
        return ops.average_pool(_light(clip), patch, patch, "valid", "channels_last")

    return 1.0 - _correlation(tones(result), tones(content))


def edge_loss(result, content):
    """1 - correlation of how strong edges are, pixel by pixel, in [0, 2].

    Pearson's, over each frame, of the gradient's magnitude after a Gaussian of sigma 1:
    strokes may lie where they like but for what hides the content's own edges.

    Args:
        result: The stylised clip, [B, T, H, W, 3].
        content: The content clip, of the same shape.
    """

    def edges(clip):
        light = ops.pad(_light(clip), [[0, 0], [3, 3], [3, 3], [0, 0]], mode="reflect")
        slopes = ops.conv(light, _SLOPES, 1, "valid", "channels_last")
        return ops.sqrt(ops.sum(ops.square(slopes), axis=-1) + 1e-6)

    return 1.0 - _correlation(edges(result), edges(content))


def _gaussian_slopes(radius=3):
    """Derivatives of a Gaussian of sigma 1, [7, 7, 1, 2]."""
    x = np.arange(-radius, radius + 1.0)
    bell = np.exp(-np.square(x) / 2)
    slope = np.outer(bell, -x * bell)
    slope = slope / np.abs(slope).sum()
    return np.stack([slope, slope.T], axis=-1)[:, :, None].astype("float32")


_SLOPES = _gaussian_slopes()


def grey(clip):
    """Luma of [..., 3], in all three channels."""
    light = ops.sum(clip * ops.array(LUMA, clip.dtype), axis=-1, keepdims=True)
    return ops.repeat(light, 3, axis=-1)


def _light(clip):
    """[B, T, H, W, 3] -> luma [B T, H, W, 1]."""
    return ops.reshape(grey(clip)[..., :1], (-1, *clip.shape[2:4], 1))


def _correlation(a, b):
    """Pearson's, over each frame of [N, ...], mean over frames."""

    def centred(x):
        x = ops.reshape(x, (x.shape[0], -1))
        x = x - ops.mean(x, axis=1, keepdims=True)
        return x * ops.rsqrt(ops.sum(ops.square(x), 1, keepdims=True) + 1e-4)

    return ops.mean(ops.sum(centred(a) * centred(b), axis=1))


def gram_matrix(features):
    """[B, T, h, w, C] -> [B, T, C * C], the mean over space of f f^T."""
    shape = ops.shape(features)
    area = shape[2] * shape[3]
    flat = ops.reshape(features, (shape[0] * shape[1], area, shape[4]))
    gram = ops.matmul(ops.transpose(flat, (0, 2, 1)), flat)
    gram = gram / ops.cast(area, "float32")
    return ops.reshape(gram, (shape[0], shape[1], shape[4] * shape[4]))


def mean_and_spread(features):
    """[B, T, h, w, C] -> [B, T, 2 C], means and standard deviations over space."""
    mean = ops.mean(features, axis=(2, 3))
    spread = ops.sqrt(ops.var(features, axis=(2, 3)) + 1e-6)
    return ops.concatenate([mean, spread], axis=-1)
