"""How far a result has gone from the content to the style, wherever things lie.

Statistics that forget places are compared: Gram matrices, means and deviations. d is
the relative distance ||a - b|| / (||a|| + ||b||), in [0, 1]; strength is
1 - d(result, style) / d(content, style): 0 is the content itself, 1 the style itself,
and it falls below 0 where a result went the other way. No picture of another place
has the very statistics of the style picture: what crops of that picture reach is the
ceiling, 0.4 to 0.8 for paintings.
"""

import math
import typing
from typing import NamedTuple

import cv2
import numpy as np

from vgan.losses import perceptual
from vgan.metrics.features import scale_to
from vgan.metrics.relative import relative_distance

if typing.TYPE_CHECKING:
    from vgan.metrics.features import MeasuringFeatures


NEAREST = 0.05  # distance of a content that has the style already
SMALLEST_SIDE = 32  # pixels; below, the deeper features have no area


def gram_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Distance of Gram matrices f^T f / (h w) (Gatys et al., 2016), mean over frames.

    In [0, 1], lower is nearer: 0 for the same textures and colors in any place.

    Args:
        a: Features of one layer, [N, h, w, C].
        b: Features of the same layer, [N', h', w', C].
    """
    return relative_distance(_gram(a).mean(0), _gram(b).mean(0))


def mean_and_std_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Distance of vectors [means, standard deviations], mean over frames.

    In [0, 1], lower is nearer (the statistics of Huang and Belongie, 2017): like
    `gram_distance`, but blind to which features occur together.

    Args:
        a: Features of one layer, [N, h, w, C].
        b: Features of the same layer, [N', h', w', C].
    """
    return relative_distance(_mean_and_std(a).mean(0), _mean_and_std(b).mean(0))


def code_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Distance of style codes in the generator's own space; in [0, 1], lower is nearer.

    Args:
        a: [1, D].
        b: [1, D].
    """
    return relative_distance(a, b)


def strength(d_result: float, d_content: float) -> float:
    """1 - d(result, style) / d(content, style); at most 1, higher is stronger.

    NaN where d(content, style) is under 0.05: such a content has the style already, and
    a ratio would say nothing.
    """
    return 1 - d_result / d_content if d_content >= NEAREST else math.nan


class LayerStatistics(NamedTuple):
    """What is kept of a layer, mean over frames."""

    gram: np.ndarray  # [C * C]
    mean_and_std: np.ndarray  # [2 C], means and standard deviations


class StyleMeter:
    """Running mean of the statistics of features, whatever the number of frames."""

    def __init__(self) -> None:
        self._sums = {}
        self._frames = 0

    def update(self, layers: dict[str, np.ndarray]) -> None:
        """Take the next frames, {layer: [N, h, w, C]}."""
        for name, seen in layers.items():
            sums = _gram(seen).sum(0), _mean_and_std(seen).sum(0)
            if name in self._sums:
                sums = [a + b for a, b in zip(self._sums[name], sums, strict=True)]
            self._sums[name] = sums
        self._frames += len(seen)

    def statistics(self) -> dict[str, LayerStatistics]:
        """Return {layer: LayerStatistics}."""
        return {
            name: LayerStatistics(*(total / self._frames for total in sums))
            for name, sums in self._sums.items()
        }


def style_distance(
    a: dict[str, LayerStatistics],
    b: dict[str, LayerStatistics],
    statistic: str = "gram",
) -> dict[str, float]:
    """Distance of each layer, of what `StyleMeter.statistics` gave.

    Args:
        a: {layer: LayerStatistics}.
        b: The same.
        statistic: "gram" as `gram_distance`, "mean_and_std" as `mean_and_std_distance`.

    Returns:
        {layer: distance in [0, 1]}.
    """
    return {
        name: relative_distance(*(getattr(x[name], statistic) for x in (a, b)))
        for name in a
    }


class Measured(NamedTuple):
    """Statistics of pictures; small, to be kept for the next comparison."""

    color: dict  # {layer: LayerStatistics}
    gray: dict  # the same of the pictures without color


class StyleScorer:
    """Measures results against one style; the style itself is measured once.

    Args:
        features: vgan.metrics.features.MeasuringFeatures.
        style_frames: The style's picture or clip, uint8 RGB [T', h, w, 3].

    Example:
        scorer = StyleScorer(features, style_frames)
        content = scorer.content(content_frames)         # once, for all scorers
        scorer.figures(content, result_frames)["style_strength"]
    """

    def __init__(self, features: "MeasuringFeatures", style_frames: np.ndarray) -> None:
        self._features = features
        style_frames = scale_to(style_frames, features.short_side)
        self._style = self._measure(style_frames)
        quarters = [self._measure(crop) for crop in _corners(style_frames)]
        self._ceiling = Measured(
            *(
                float(np.mean([self._distance(crop, kind) for crop in quarters]))
                for kind in Measured._fields
            )
        )

    def content(self, content_frames: np.ndarray) -> Measured:
        """Measure pictures, uint8 RGB [N, H, W, 3], for the figures of any style."""
        return self._measure(scale_to(content_frames, self._features.short_side))

    def figures(
        self, content: Measured, result_frames: np.ndarray
    ) -> dict[str, float | None]:
        """`compare` with a result of frames uint8 RGB [N, H, W, 3]."""
        return self.compare(content, self.content(result_frames))

    def compare(self, content: Measured, result: Measured) -> dict[str, float | None]:
        """How strong the style is in a result; see the top of this file.

        Distances are first averaged over the style layers, then compared.

        Args:
            content: What `content` gave, of any scorer with the same features.
            result: The same of the content's frames stylized.

        Returns:
            {name: strength, at most 1, or None where the content has the style's
            statistics already}:

            * style_strength: of Gram matrices;
            * style_strength_gray: the same of all pictures without color, that is
              brushwork alone;
            * style_strength_spread: of means and standard deviations;
            * style_ceiling, style_ceiling_gray: what the style's own quarters, of
              half its sides, reach on average;
            * style_strength/<layer>: of Gram matrices of one layer.
        """
        figures = {}
        for kind, suffix in (("color", ""), ("gray", "_gray")):
            whole = self._distance(content, kind)
            reached = self._distance(result, kind)
            ceiling = getattr(self._ceiling, kind)
            figures[f"style_strength{suffix}"] = strength(reached, whole)
            figures[f"style_ceiling{suffix}"] = strength(ceiling, whole)
        figures["style_strength_spread"] = strength(
            self._distance(result, statistic="mean_and_std"),
            self._distance(content, statistic="mean_and_std"),
        )
        to_style = style_distance(result.color, self._style.color)
        whole = style_distance(content.color, self._style.color)
        for name in self._features.style_layers:
            figures[f"style_strength/{name}"] = strength(to_style[name], whole[name])
        return {name: None if math.isnan(x) else x for name, x in figures.items()}

    def _distance(self, measured, kind="color", statistic="gram"):
        """Mean over layers of the distance to the style."""
        distances = style_distance(
            getattr(measured, kind), getattr(self._style, kind), statistic
        )
        return float(np.mean(list(distances.values())))

    def _measure(self, frames):
        kinds = []
        for pictures in (frames, without_color(frames)):
            meter = StyleMeter()
            for layers in self._features.batches(pictures, scaled=False):
                meter.update({n: layers[n] for n in self._features.style_layers})
            kinds.append(meter.statistics())
        return Measured(*kinds)


def without_color(frames: np.ndarray) -> np.ndarray:
    """Frames uint8 [N, H, W, 3] -> their luma, three times."""
    gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    return np.repeat(np.stack(gray)[..., None], 3, axis=-1)


def _corners(frames):
    """The four quarters of pictures [N, H, W, 3], larger where networks need it."""
    height, width = (
        max(size // 2, min(size, SMALLEST_SIDE)) for size in frames.shape[1:3]
    )
    return [
        frames[:, rows, columns]
        for rows in (slice(None, height), slice(-height, None))
        for columns in (slice(None, width), slice(-width, None))
    ]


def _gram(features):
    """[N, h, w, C] -> [N, C * C]."""
    return np.asarray(perceptual.gram_matrix(features[None]))[0]


def _mean_and_std(features):
    """[N, h, w, C] -> [N, 2 C], means and standard deviations over space."""
    return np.asarray(perceptual.mean_and_std(features[None]))[0]
