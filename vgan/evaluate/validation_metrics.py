"""The cheap figures, for every few hundred steps of training, and the best of them."""

import typing

import numpy as np

from vgan.metrics.content import edge_correlation
from vgan.metrics.style import StyleScorer
from vgan.metrics.temporal_consistency import (
    TemporalConsistency,
    known_flow_error,
    normalized_warping_error,
)

if typing.TYPE_CHECKING:
    from vgan.metrics.features import MeasuringFeatures


class ValidationMetrics:
    """Measures results for one fixed batch of clips.

    Results come in the size [H, W] of the clips. Style is measured at the fixed size of
    `features`, so that runs of different sizes compare; edges and flicker are measured
    at H x W.

    Args:
        batch: Clips in [-1, 1]: content [N, T, H, W, 3], style [N, T', h, w, 3], flow
            [N, T-1, H, W, 2] and occlusion [N, T-1, H, W, 1] as in training. Where
            the flow is known nowhere, it is estimated.
        features: vgan.metrics.features.MeasuringFeatures.
    """

    def __init__(
        self, batch: dict[str, np.ndarray], features: "MeasuringFeatures"
    ) -> None:
        self._contents = to_uint8(batch["content"])
        self._motion = list(zip(batch["flow"], batch["occlusion"], strict=True))
        self._scorers = [
            StyleScorer(features, clip) for clip in to_uint8(batch["style"])
        ]
        self._measured = [
            scorer.content(clip[-1:])
            for scorer, clip in zip(self._scorers, self._contents, strict=True)
        ]

    def __call__(self, results: np.ndarray) -> dict[str, float]:
        """Return the means over clips of the figures, and their score.

        These are style_strength, edge_correlation and temporal_consistency, which is
        1 - sqrt(E / (2 variance)) of the warping error E, 0 to 1; score is `combined`
        of the three.

        Args:
            results: [N, T, H, W, 3] in [-1, 1].
        """
        rows = []
        for i, result in enumerate(to_uint8(results)):
            style = self._scorers[i].figures(self._measured[i], result[-1:])
            content = self._contents[i]
            edges = [
                edge_correlation(r, c) for r, c in zip(result, content, strict=True)
            ]
            rows.append(
                {
                    # None where the content has the style already: nothing was earned
                    "style_strength": style["style_strength"] or 0.0,
                    "edge_correlation": float(np.mean(edges)),
                    "temporal_consistency": _temporal_consistency(
                        content, result, *self._motion[i]
                    ),
                }
            )
        figures = {
            name: float(np.mean([row[name] for row in rows])) for name in rows[0]
        }
        return {**figures, "score": combined(**figures)}


def combined(
    style_strength: float, edge_correlation: float, temporal_consistency: float
) -> float:
    """Geometric mean of the three, each cut to [0, 1]: none can make up for another."""
    parts = np.clip([style_strength, edge_correlation, temporal_consistency], 0, 1)
    return float(np.prod(parts) ** (1 / 3))


def to_uint8(clips: np.ndarray) -> np.ndarray:
    """[-1, 1] -> 0..255."""
    clips = np.asarray(clips) * 127.5 + 127.5
    return np.clip(clips, 0, 255).round().astype(np.uint8)


def _temporal_consistency(content, result, flow, occlusion):
    if np.all(occlusion):
        meter = TemporalConsistency(lags=(1,))
        for pair in zip(content, result, strict=True):
            meter.update(*pair)
        error = meter.figures()["normalized_warping_error_1"]
    else:
        variance = np.mean(np.var(result / 255, axis=(0, 1, 2)))
        error = normalized_warping_error(
            known_flow_error(result, flow, occlusion), variance
        )
    # A result of one color, or one that is hidden everywhere, has earned nothing.
    if error is None or not np.isfinite(error):
        return 0.0
    return float(1 - np.sqrt(min(1.0, error)))
