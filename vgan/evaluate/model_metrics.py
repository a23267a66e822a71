"""What is said of systems as a whole, beside the scores of single clips.

Each takes a system, see `vgan.evaluate.systems`, and gives {name: {metric: float}} of
those that take any frame.
"""

import math
import typing
from collections.abc import Iterable, Sequence

import numpy as np

from vgan.evaluate.systems import Method, Stylized
from vgan.metrics import brush, paint
from vgan.metrics.temporal_consistency import known_flow_error

if typing.TYPE_CHECKING:
    from vgan.metrics.features import MeasuringFeatures


FLAT_FRAMES = 4  # of a chart, until the state has settled
RANDOM_CODES, RANDOM_SEED = 8, 0


def exact(
    system: typing.Any,
    styles: Iterable[str],
    scenes: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> dict[str, dict[str, float]]:
    """Mean warping error on scenes whose flow is known, also of the content.

    Args:
        system: Who paints.
        styles: Names.
        scenes: List of (frames uint8 [T, H, W, 3], flow [T-1, H, W, 2], occlusion
            [T-1, H, W, 1]).
    """

    def error(methods):
        errors = []
        for method, (frames, flow, occlusion) in methods:
            results = np.stack([method(frame) for frame in frames])
            errors.append(known_flow_error(results, flow, occlusion))
        return {"known_flow_error": float(np.mean(errors))}

    rows = {"content": error((Method(), scene) for scene in scenes)}
    for name in system.any_frame:
        rows[name] = error(
            (system.method(name, style), scene) for style in styles for scene in scenes
        )
    return rows


def flat(
    system: typing.Any, styles: Iterable[str], size: int
) -> dict[str, dict[str, float]]:
    """How differently flat grays, and flat colors, are painted; mean over styles.

    A chart of eight grays and one of eight hues, four equal frames of each, of which
    the last counts; see `paint.chart` and `paint.patch_deviation`.

    Args:
        system: Who paints.
        styles: Names.
        size: Side of the frames in pixels.
    """
    rows = {}
    for name in system.any_frame:
        rows[name] = {}
        for kind, colors in (("gray", paint.GRAYS), ("color", paint.COLORS)):
            film = [paint.chart(colors, size)] * FLAT_FRAMES
            ends = [_last(system.method(name, s), film) for s in styles]
            deviations = [
                paint.patch_deviation(paint.patches(end, len(colors))) for end in ends
            ]
            for figure in deviations[0]:
                mean = np.mean([deviation[figure] for deviation in deviations])
                rows[name][f"flat_{kind}_{figure}"] = float(mean)
    return rows


def diversity(
    system: typing.Any,
    features: "MeasuringFeatures",
    styles: dict[str, np.ndarray],
    clips: Sequence[np.ndarray],
) -> dict[str, dict[str, float]]:
    """How different the brushwork is on the same film, over that of the styles.

    Mean over clips of `brush.mean_distance` of the last frames, in the given styles
    and in random ones, over the same of the style pictures.

    Args:
        system: Who paints.
        features: vgan.metrics.features.MeasuringFeatures.
        styles: {name: uint8 [T', h, w, 3]}, two or more, not all alike.
        clips: List of a few content frames, uint8 [T, H, W, 3] each.
    """

    def distance(make_methods):
        distances = []
        for clip in clips:
            ends = [_last(method, clip) for method in make_methods()]
            measured = [brush.measure(features, end[None]) for end in ends]
            distances.append(brush.mean_distance(measured))
        return float(np.mean(distances)) / apart if apart else math.nan

    apart = brush.mean_distance([brush.measure(features, s) for s in styles.values()])
    rows = {
        name: {
            "brush_diversity": distance(
                lambda name=name: [system.method(name, style) for style in styles]
            )
        }
        for name in system.any_frame
    }
    if system.engine:
        shape = RANDOM_CODES, 1, system.engine.noise_size
        noise = np.random.default_rng(RANDOM_SEED).standard_normal(shape, np.float32)
        codes = [system.engine.encode_noise(row) for row in noise]
        rows[system.names[0]]["brush_diversity_random"] = distance(
            lambda: [Stylized(system.engine, code) for code in codes]
        )
    return rows


def _last(method, frames):
    return [method(frame) for frame in frames][-1]
