"""Scores stylized clips: every figure that content, result and style give.

Clips stream through: what is kept of them are running sums and at most `SAMPLES` pairs
of frames, evenly spaced, which the feature networks see.
"""

import dataclasses
import typing
from collections.abc import Iterable, Iterator

import numpy as np

from vgan.evaluate import pictures
from vgan.metrics.content import (
    ContentMeter,
    feature_distance,
    frame_change,
    temporal_feature_difference,
)
from vgan.metrics.flow import ContentMotion
from vgan.metrics.style import (
    Measured,
    StyleMeter,
    code_distance,
    without_color,
)
from vgan.metrics.temporal_consistency import TemporalConsistency
from vgan.video.cuts import CutDetector

if typing.TYPE_CHECKING:
    from vgan.evaluate.systems import Method
    from vgan.metrics.features import MeasuringFeatures
    from vgan.metrics.paint import PaintScorer
    from vgan.metrics.style import StyleScorer


SAMPLES = 16  # pairs of frames that are seen by the feature networks
SLICE = 600  # frames of the time slice
JUDGED = (  # what a judge is asked
    *("style_strength", "style_ceiling"),
    *("style_strength_gray", "style_ceiling_gray"),
)


@dataclasses.dataclass(frozen=True)
class Score:
    """What is known of one stylized clip.

    Attributes:
        system: Who made it, such as "model" or "per_frame".
        content: Name of the content clip.
        style: Name of the style.
        num_frames: T.
        figures: {metric: float, or None where it could not be measured}.
        series: {metric: [float or None] of each frame}.
        contents: A few content frames, small, uint8 [N, h, w, 3], to look at.
        results: The same frames of the result.
        time_slice: The middle row of the result over time, uint8 [T, W, 3].
    """

    system: str
    content: str
    style: str
    num_frames: int
    figures: dict
    series: dict
    contents: np.ndarray
    results: np.ndarray
    time_slice: np.ndarray


class Samples:
    """At most `count` items of a stream of unknown length, evenly spaced."""

    def __init__(self, count: int = SAMPLES) -> None:
        self.count = count
        self.items = []
        self._seen, self._step = 0, 1

    def offer(self, item: object) -> None:
        """Look at the next item of the stream."""
        if self._seen % self._step == 0:
            if len(self.items) == self.count:
                self.items = self.items[::2]
                self._step *= 2
            if self._seen % self._step == 0:
                self.items.append(item)
        self._seen += 1


class _ClipMeter:
    """What is kept of one result while its frames go by."""

    def __init__(self) -> None:
        self.consistency, self.likeness = TemporalConsistency(), ContentMeter()
        self.samples, self.rows, self.num_frames = Samples(), [], 0
        self._last = None

    def update(self, content, result, motion, cut):
        if cut:
            self.consistency.reset()
            self._last = None
        self.consistency.update(content, result, motion)
        self.likeness.update(content, result)
        pair = content, result
        self.samples.offer((self._last or pair, pair))
        if self.num_frames < SLICE:
            self.rows.append(result[result.shape[0] // 2])
        self._last = pair
        self.num_frames += 1


class Scorer:
    """Scores all results of a content in one pass over it.

    Where things move, and what the features say of the content, is found once for all.

    Args:
        features: vgan.metrics.features.MeasuringFeatures, or None for the figures
            that need no network.
        style_scorers: {style: vgan.metrics.style.StyleScorer}; without one, a clip
            gets no figures of style.
        judges: The same of a network that nothing was trained with.
        paints: {style: vgan.metrics.paint.PaintScorer}.
    """

    def __init__(
        self,
        features: "MeasuringFeatures | None" = None,
        style_scorers: "dict[str, StyleScorer] | None" = None,
        judges: "dict[str, StyleScorer] | None" = None,
        paints: "dict[str, PaintScorer] | None" = None,
    ) -> None:
        self._features = features
        self._style_scorers, self._judges = style_scorers or {}, judges or {}
        self._paints = paints or {}
        self._own = self._judged = None

    def score(
        self,
        frames: Iterable[np.ndarray],
        content: str,
        methods: "dict[tuple[str, str], Method]",
    ) -> Iterator[Score]:
        """Stylize a clip by every method at once, frame by frame; yield their Scores.

        Args:
            frames: Iterable of content frames, uint8 [H, W, 3].
            content: Name of the content.
            methods: {(system, style): `vgan.evaluate.systems.Method`}; a style of ""
                is for the content itself.

        Raises:
            ValueError: There are no frames, or their sizes differ.
        """
        motion, cuts = ContentMotion(), CutDetector()
        meters = {names: _ClipMeter() for names in methods}
        num_frames = 0
        for frame in frames:
            cut = cuts(frame)
            if cut:
                motion.reset()
            moved = motion.update(frame)
            for names, meter in meters.items():
                meter.update(frame, methods[names](frame), moved, cut)
            num_frames += 1
        if not num_frames:
            raise ValueError("there are no frames to score")
        self._own = self._judged = None
        for method in methods.values():
            method.finish()
        for names, meter in meters.items():
            yield self._finish(content, *names, meter, methods[names].style_code)

    def _finish(self, content, system, style, meter, style_code):
        contents, results = (
            np.stack([now[i] for _, now in meter.samples.items]) for i in (0, 1)
        )
        figures = {**meter.consistency.figures(), **meter.likeness.figures()}
        if self._features is not None and style:
            figures |= self._measure(meter.samples.items, style)
        if style in self._judges:
            figures |= self._judge(contents, results, self._judges[style])
        if style in self._paints:
            figures |= self._paints[style].figures(contents, results)
        if style_code is not None:
            wanted, encode = style_code
            figures["code_distance"] = code_distance(encode(results), wanted)
        return Score(
            *(system, content, style, meter.num_frames, figures),
            {**meter.consistency.series(), **meter.likeness.series()},
            pictures.small(contents),
            pictures.small(results),
            np.stack(meter.rows),
        )

    def _measure(self, items, style):
        """Figures of content and style in the features, from sampled pairs."""
        contents, results = (
            [(before[i], now[i]) for before, now in items] for i in (0, 1)
        )
        if self._own is None:  # the same for all results of this content
            self._own = self._look(contents)
        own, seen = self._own, self._look(results)
        figures = {}
        names = self._features.content_layers
        for name in names:
            pairs = zip(seen["layers"], own["layers"], strict=True)
            distances = [feature_distance(a[name], b[name]) for a, b in pairs]
            figures[f"content_distance/{name}"] = float(np.mean(distances))
        distances = [figures[f"content_distance/{name}"] for name in names]
        figures["content_distance"] = float(np.mean(distances))
        changes = zip(seen["changes"], own["changes"], strict=True)
        figures["temporal_feature_difference"] = float(
            np.mean([temporal_feature_difference(*pair) for pair in changes])
        )
        if style in self._style_scorers:
            figures |= self._style_scorers[style].compare(own["style"], seen["style"])
        return figures

    def _judge(self, contents, results, style_scorer):
        if self._judged is None:
            self._judged = style_scorer.content(contents)
        found = style_scorer.figures(self._judged, results)
        return {f"{name}_judge": found[name] for name in JUDGED}

    def _look(self, pairs):
        """What is kept of sampled frames (before, now): no more than content layers."""
        layers, changes = [], []
        color, gray = StyleMeter(), StyleMeter()
        wanted = self._features.style_layers
        for before, now in pairs:
            both = self._features(np.stack([before, now]))
            first, second = (
                {name: layer[i : i + 1] for name, layer in both.items()} for i in (0, 1)
            )
            changes.append(frame_change(first, second))
            layers.append({n: second[n] for n in self._features.content_layers})
            color.update({name: second[name] for name in wanted})
            gray_layers = self._features(without_color(now[None]))
            gray.update({name: gray_layers[name] for name in wanted})
        style = Measured(color.statistics(), gray.statistics())
        return {"layers": layers, "changes": changes, "style": style}
