"""Content and style, in the features of a fixed network; layout and edges, in luma.

Features are lists of [B, T, h, w, C], one per layer, as `FeatureNetwork` gives them.
Every layer is divided by its own scale, so that none drowns the others.
"""

import typing

import numpy as np
from keras import KerasTensor, ops

from vgan.checks import number
from vgan.losses.base import Loss
from vgan.losses.features import FeatureNetwork

LUMA = (0.299, 0.587, 0.114)  # of R, G, B (ITU-R BT.601)


class Content(Loss):
    """`content_loss`: what is shown stays (Johnson et al., 2016)."""

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term."""
        wanted = forward.features(forward.content)
        return content_loss(forward.features_of_frames["content"], wanted["content"])


class Layout(Loss):
    """`layout_loss`: what is light stays lighter than what is dark."""

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term."""
        return layout_loss(forward.frames, forward.content)


class Edges(Loss):
    """`edge_loss`: edges stay where they are."""

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term."""
        return edge_loss(forward.frames, forward.content)


class Style(Loss):
    """`style_loss`: how it is painted is the style's (Gatys et al., 2016)."""

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term."""
        wanted = forward.features(forward.style)
        return style_loss(forward.features_of_frames["style"], wanted["style"])


class LastFrameStyle(Loss):
    """`style_loss` of each clip's last frame alone, in a network of its own.

    A large network, which sees more, can be paid for one frame of several.

    Args:
        weight: As of every `Loss`.
        features: What `FeatureNetwork` takes, or None: the network that the other
            terms read.
        texture: Weight of `texture_loss`, beside the 1 of `style_loss`.
        grayscale_probability: Part of the clips that are compared without color, so
            that nothing but brushwork can please.
        target: As of every `Loss`.
    """

    def __init__(
        self,
        weight: float = 1.0,
        *,
        features: str | None = "vgg19",
        texture: float = 0.0,
        grayscale_probability: float = 0.0,
        target: float | None = None,
    ) -> None:
        super().__init__(weight, target=target)
        self.texture = number("texture", texture)
        self.grayscale_probability = number(
            "grayscale_probability", grayscale_probability, most=1.0
        )
        self.features = features and FeatureNetwork(features, "features")

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term."""
        clips = [clip[:, -1:] for clip in (forward.frames, forward.style)]
        if self.grayscale_probability:
            gray = forward.chance(2) < self.grayscale_probability
            gray = ops.reshape(gray, (-1, 1, 1, 1, 1))
            clips = [ops.where(gray, grayscale(clip), clip) for clip in clips]
        features = self.features or forward.features
        made, wanted = (features(clip)["style"] for clip in clips)
        loss = style_loss(made, wanted)
        return (
            loss + self.texture * texture_loss(made, wanted) if self.texture else loss
        )


def content_loss(result: list[KerasTensor], content: list[KerasTensor]) -> KerasTensor:
    """Relative error ||f(y) - f(x)||^2 / ||f(x)||^2, mean over layers.

    After Johnson et al., 2016, made relative: near 0 the picture is unchanged, at 1 and
    above its content is gone; about 0.5 keeps it sharp while texture changes.

    Args:
        result: Features of the stylized clip.
        content: Features of the content clip, of the same shapes.
    """
    terms = [
        ops.sum(ops.square(y - x)) / (ops.sum(ops.square(x)) + 1e-6)
        for y, x in zip(result, content, strict=True)
    ]
    return sum(terms) / len(terms)


def style_loss(result: list[KerasTensor], style: list[KerasTensor]) -> KerasTensor:
    """Relative error of Gram matrices and of means and deviations, mean over layers.

    2 ||G(y) - G(s)||^2 / (||G(y)||^2 + ||G(s)||^2) of Gram matrices (Gatys et al.,
    2016), and the same of the channels' means and standard deviations (Huang and
    Belongie, 2017). At most 2, so that no dark or flat style outweighs all others. The
    style's statistics are averaged over its frames; each stylized frame must meet them.

    Args:
        result: Features of the stylized clip, [B, T, h, w, C].
        style: Features of the style clip, [B, T', h', w', C].
    """
    terms = []
    for y, s in zip(result, style, strict=True):
        for statistic in (gram_matrix, mean_and_std):
            wanted = ops.mean(statistic(s), axis=1, keepdims=True)
            made = statistic(y)
            error = ops.sum(ops.square(made - wanted), axis=-1)
            scale = ops.sum(ops.square(made) + ops.square(wanted), axis=-1)
            terms.append(ops.mean(2 * error / (scale + 1e-6)))
    return sum(terms) / len(terms)


def texture_loss(
    result: list[KerasTensor],
    style: list[KerasTensor],
    tile: int = 44,
    layers: int = 3,
) -> KerasTensor:
    """Relative error of how much features vary within tiles, mean over layers.

    A Gram matrix of a whole frame is content with brushwork at the edges of things:
    here each tile, a flat wall's too, is to vary as tiles of the style do on average.
    2 |d(y) - d(s)|^2 / (|d(y)|^2 + |d(s)|^2) of the channels' standard deviations d.

    Args:
        result: Features of the stylized clip, [B, T, h, w, C], the finest first.
        style: Features of the style clip, [B, T', h', w', C].
        tile: Side of a tile in pixels of the finest features.
        layers: How many of the finest to compare; deep ones say what is where.
    """
    terms = []
    for y, s in zip(result[:layers], style[:layers], strict=True):
        side = max(2, tile * y.shape[2] // result[0].shape[2])
        wanted = ops.mean(_spread_of_tiles(s, side), axis=(1, 2, 3), keepdims=True)
        made = _spread_of_tiles(y, side)
        error = ops.sum(ops.square(made - wanted), axis=-1)
        scale = ops.sum(ops.square(made) + ops.square(wanted), axis=-1)
        terms.append(ops.mean(2 * error / (scale + 1e-6)))
    return sum(terms) / len(terms)


def _spread_of_tiles(x, side):
    """[B, T, h, w, C] -> standard deviations in tiles [B, T, h / side, w / side, C]."""
    rows, columns = (max(1, n // side) for n in x.shape[2:4])
    height, width = (min(side, n) for n in x.shape[2:4])
    x = x[:, :, : rows * height, : columns * width]
    shape = (*x.shape[:2], rows, height, columns, width, x.shape[-1])
    return ops.sqrt(ops.var(ops.reshape(x, shape), axis=(3, 5)) + 1e-4)


def layout_loss(
    result: KerasTensor, content: KerasTensor, patch: int = 8
) -> KerasTensor:
    """1 - correlation of light and dark, averaged over patches, in [0, 2].

    Pearson's, over each frame: brightness, contrast and colors are free, but what is
    light stays lighter than what is dark.

    Args:
        result: The stylized clip, [B, T, H, W, 3].
        content: The content clip, of the same shape.
        patch: Side of a patch in pixels.
    """

    def tones(clip):
        return ops.average_pool(_luma(clip), patch, patch, "valid", "channels_last")

    return 1.0 - _correlation(tones(result), tones(content))


def edge_loss(result: KerasTensor, content: KerasTensor) -> KerasTensor:
    """1 - correlation of how strong edges are, pixel by pixel, in [0, 2].

    Pearson's, over each frame, of the gradient's magnitude after a Gaussian of sigma 1:
    strokes may lie where they like but for what hides the content's own edges.

    Args:
        result: The stylized clip, [B, T, H, W, 3].
        content: The content clip, of the same shape.
    """

    def edges(clip):
        luma = ops.pad(_luma(clip), [[0, 0], [3, 3], [3, 3], [0, 0]], mode="reflect")
        gradients = ops.conv(luma, _GRADIENTS, 1, "valid", "channels_last")
        return ops.sqrt(ops.sum(ops.square(gradients), axis=-1) + 1e-6)

    return 1.0 - _correlation(edges(result), edges(content))


def _gaussian_derivatives(radius=3):
    """Derivatives of a Gaussian of sigma 1, [7, 7, 1, 2]."""
    x = np.arange(-radius, radius + 1.0)
    bell = np.exp(-np.square(x) / 2)
    derivative = np.outer(bell, -x * bell)
    derivative = derivative / np.abs(derivative).sum()
    return np.stack([derivative, derivative.T], axis=-1)[:, :, None].astype("float32")


_GRADIENTS = _gaussian_derivatives()


def grayscale(clip: KerasTensor) -> KerasTensor:
    """Luma of [..., 3], in all three channels."""
    luma = ops.sum(clip * ops.array(LUMA, clip.dtype), axis=-1, keepdims=True)
    return ops.repeat(luma, 3, axis=-1)


def _luma(clip):
    """[B, T, H, W, 3] -> luma [B T, H, W, 1]."""
    return ops.reshape(grayscale(clip)[..., :1], (-1, *clip.shape[2:4], 1))


def _correlation(a, b):
    """Pearson's, over each frame of [N, ...], mean over frames."""

    def centered(x):
        x = ops.reshape(x, (x.shape[0], -1))
        x = x - ops.mean(x, axis=1, keepdims=True)
        return x * ops.rsqrt(ops.sum(ops.square(x), 1, keepdims=True) + 1e-4)

    return ops.mean(ops.sum(centered(a) * centered(b), axis=1))


def gram_matrix(features: KerasTensor) -> KerasTensor:
    """[B, T, h, w, C] -> [B, T, C * C], the mean over space of f f^T."""
    shape = ops.shape(features)
    area = shape[2] * shape[3]
    flat = ops.reshape(features, (shape[0] * shape[1], area, shape[4]))
    gram = ops.matmul(ops.transpose(flat, (0, 2, 1)), flat)
    gram = gram / ops.cast(area, "float32")
    return ops.reshape(gram, (shape[0], shape[1], shape[4] * shape[4]))


def mean_and_std(features: KerasTensor) -> KerasTensor:
    """[B, T, h, w, C] -> [B, T, 2 C], means and standard deviations over space."""
    mean = ops.mean(features, axis=(2, 3))
    std = ops.sqrt(ops.var(features, axis=(2, 3)) + 1e-6)
    return ops.concatenate([mean, std], axis=-1)
