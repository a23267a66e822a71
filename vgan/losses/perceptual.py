"""Content and style, measured in the features of a fixed network.

Features are lists of [B, T, h, w, C], one per layer, as `FeatureNetwork` gives them.
Every layer is divided by its own scale, so that none drowns the others.
"""

from keras import ops


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

    ||G(y) - G(s)||^2 / ||G(s)||^2 (Gatys et al., 2016), and the same of the channels'
    means and standard deviations (Huang and Belongie, 2017). The style's statistics
    are averaged over its frames; each stylised frame must meet them.

    Args:
        result: Features of the stylised clip, [B, T, h, w, C].
        style: Features of the style clip, [B, T', h', w', C].
    """
    terms = []
    for y, s in zip(result, style, strict=True):
        for statistic in (gram_matrix, mean_and_spread):
            wanted = ops.mean(statistic(s), axis=1, keepdims=True)
            error = ops.sum(ops.square(statistic(y) - wanted), axis=-1)
            scale = ops.sum(ops.square(wanted), axis=-1)
            terms.append(ops.mean(error / (scale + 1e-6)))
    return sum(terms) / len(terms)


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
