"""What a trained generator does, to look at and in numbers."""

import fractions
import pathlib
import typing

import cv2
import numpy as np

from vgan.metrics.style import StyleScorer
from vgan.metrics.temporal_consistency import known_flow_error
from vgan.runtime import Stylizer
from vgan.runtime.engines import Engine
from vgan.video import VideoWriter

if typing.TYPE_CHECKING:
    from vgan.metrics.features import MeasuringFeatures


def write_comparison(
    path: str | pathlib.Path,
    engine: Engine,
    content: np.ndarray,
    styles: dict[str, np.ndarray],
    fps: float,
) -> None:
    """Write a video, content | style | result, one style after the other.

    Args:
        path: Where; an older one is replaced.
        engine: From `vgan.runtime.engines.load`.
        content: Clip uint8 [T, H, W, 3].
        styles: {name that the model knows: clip uint8 [T', h, w, 3]}.
        fps: Frames per second.
    """
    height, width = content.shape[1:3]
    tick = 1 / fractions.Fraction(fps)
    with VideoWriter(path, fps=fps, overwrite=True) as writer:
        for name, style in styles.items():
            picture = _cover(style[0], height, width)
            stylized = stylize(engine, content, name)
            for before, after in zip(content, stylized, strict=True):
                row = np.concatenate([before, picture, after], axis=1)
                writer.write(row, writer.num_frames * tick)


def describe(
    engine: Engine,
    content: np.ndarray,
    styles: dict[str, np.ndarray],
    flow: np.ndarray,
    occlusion: np.ndarray,
    features: "MeasuringFeatures",
) -> list[str]:
    """Return a line of figures for each style.

    Args:
        engine: From `vgan.runtime.engines.load`.
        content: Clip uint8 [T, H, W, 3].
        styles: {name that the model knows: clip uint8 [T', h, w, 3]}.
        flow: Backward flow of the content [T - 1, H, W, 2].
        occlusion: [T - 1, H, W, 1]; 1 everywhere where no flow is known.
        features: vgan.metrics.features.MeasuringFeatures.
    """
    lines = []
    for name, style in styles.items():
        result = stylize(engine, content, name)
        style_scorer = StyleScorer(features, style)
        figures = style_scorer.figures(style_scorer.content(content), result)
        line = (
            f"{name}: style strength {figures['style_strength']:.2f} "
            f"(pieces of the style: {figures['style_ceiling']:.2f})"
        )
        if not np.all(occlusion):
            error, least = (
                known_flow_error(clip, flow, occlusion) for clip in (result, content)
            )
            line += f", warping error {error:.5f} (the content's: {least:.5f})"
        lines.append(line)
    return lines


def stylize(engine: Engine, content: np.ndarray, name: str) -> np.ndarray:
    """Clip uint8 [T, H, W, 3] -> the same, in a style that the model knows."""
    stylizer = Stylizer(engine, name, proxy=1)
    return np.stack([stylizer(frame) for frame in content])


def _cover(picture, height, width):
    """Scale and crop a picture to [height, width, 3]."""
    scale = max(height / picture.shape[0], width / picture.shape[1])
    picture = cv2.resize(picture, None, fx=scale, fy=scale)
    return cv2.resize(picture[:height, :width], (width, height))
