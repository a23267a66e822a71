"""What becomes of each frame of one video: styles over time, masks, looks, comparison.

process = FrameProcessor(engine, [schedule.encode(engine)], mask=mask)
for frame, timestamp in reader:
    writer.write(process(frame, timestamp), timestamp)
"""

import dataclasses
import typing
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from vgan.runtime import compose
from vgan.runtime.engines import Engine
from vgan.runtime.looks import Grain, KeptTones
from vgan.runtime.stylizer import Step, Stylizer
from vgan.runtime.subject import Subject
from vgan.runtime.upsampling import DETAIL
from vgan.video.planes import EnlargedPicture, PlanarFrame

if typing.TYPE_CHECKING:
    from vgan.video.masks import LabelMask, MaskReader


@dataclasses.dataclass
class Job:
    """A frame on its way through a FrameProcessor.

    Attributes:
        frame: RGB [H, W, 3] or a PlanarFrame, without alpha.
        timestamp: Second at which it is shown.
        alpha: [H, W], or None.
        steps: One of each region.
    """

    frame: np.ndarray | PlanarFrame
    timestamp: float | Fraction
    alpha: np.ndarray | None
    steps: list[Step]


class FrameProcessor:
    """Stylizes the frames of one video in order.

    Args:
        engine: From `vgan.runtime.engines.load`.
        schedules: List of encoded `schedule.Schedule`: one, or one for each region.
        strength: Share of the stylized picture, 0 to 1, on top of the schedule's.
        proxy: Scale at which the network works, as of Stylizer.
        keep_color: Whether colors stay those of the input.
        mask: `video.masks.MaskReader`: style inside, the input outside; or None.
        labels: `video.masks.LabelMask`: which region every pixel belongs to, or None.
            Regions beyond the schedules stay as the input.
        soft: Softness of the borders of regions, in pixels.
        comparison: `compose.Comparison`, or None: the result alone.
        subject: `subject.Subject`: style on it, the input elsewhere; or None.
        tones: `looks.KeptTones` of the input that come back, or None.
        grain: `looks.Grain` over the result, or None.
        detail: As of Stylizer.
        temporal: As of Stylizer.

    Attributes:
        engine: As given.
    """

    def __init__(
        self,
        engine: Engine,
        schedules: Sequence[typing.Any],
        strength: float = 1.0,
        proxy: float | None = None,
        keep_color: bool = False,
        mask: "MaskReader | None" = None,
        labels: "LabelMask | None" = None,
        soft: float = 0,
        comparison: compose.Comparison | None = None,
        subject: Subject | None = None,
        tones: KeptTones | None = None,
        grain: Grain | None = None,
        detail: float = DETAIL,
        temporal: float = 1.0,
    ) -> None:
        self.engine = engine
        self._schedules = schedules
        self._strength = strength
        self._stylizers = [
            Stylizer(
                *(engine, one.at(0)[0]), proxy=proxy, detail=detail, temporal=temporal
            )
            for one in schedules
        ]
        self._keep_color = keep_color
        self._mask, self._labels, self._soft = mask, labels, soft
        self._comparison, self._subject = comparison, subject
        self._tones, self._grain = tones, grain
        also = keep_color, mask, labels, comparison, subject, tones
        self._is_plain = not any(part not in (None, False) for part in also)

    def __call__(
        self, frame: np.ndarray | PlanarFrame, timestamp: float | Fraction
    ) -> np.ndarray | EnlargedPicture:
        """Stylize the frame RGB [H, W, 3] that is shown at a second.

        It is uint8 or uint16, as the result. Alpha, as of [H, W, 4], stays as it is.
        Of a PlanarFrame an EnlargedPicture, if nothing but grain is laid over it.
        """
        return self.finish(self.paint(self.prepare(frame, timestamp)))

    # The three steps of a call, which may be in three threads, as those of a Stylizer.

    def prepare(
        self, frame: np.ndarray | PlanarFrame, timestamp: float | Fraction
    ) -> Job:
        """Do what is to do before the network; arguments as of a call."""
        alpha = None
        if frame.shape[2] == 4:
            frame, alpha = np.ascontiguousarray(frame[..., :3]), frame[..., 3]
        if isinstance(frame, PlanarFrame) and not self._is_plain:
            frame = np.asarray(frame)
        steps = []
        for schedule, stylizer in zip(self._schedules, self._stylizers, strict=True):
            stylizer.style_code, strength = schedule.at(timestamp)
            stylizer.strength = strength * self._strength
            steps.append(stylizer.prepare(frame))
        return Job(frame, timestamp, alpha, steps)

    def paint(self, job: Job) -> Job:
        """Run the network."""
        for stylizer, step in zip(self._stylizers, job.steps, strict=True):
            stylizer.paint(step)
        return job

    def finish(self, job: Job) -> np.ndarray | EnlargedPicture:
        """Put the result together."""
        frame, timestamp = job.frame, job.timestamp
        results = [
            stylizer.finish(step)
            for stylizer, step in zip(self._stylizers, job.steps, strict=True)
        ]
        if self._labels is not None:
            rest = [frame] * (self._labels.num_labels - len(results))
            labels = self._labels.at(timestamp)
            result = compose.by_label([*results, *rest], labels, self._soft)
        else:
            (result,) = results
        if self._keep_color:
            result = compose.keep_color(result, frame)
        if self._tones is not None:
            result = compose.blend(frame, result, self._tones(frame))
        if self._mask is not None:
            result = compose.blend(frame, result, self._mask.at(timestamp))
        if self._subject is not None:
            share = self._subject(compose.in_8_bits(frame))
            result = compose.blend(frame, result, share)
        if self._grain is not None:
            result = self._grain(result, timestamp)
        if self._comparison is not None:
            result = self._comparison(frame, result)
        return result if job.alpha is None else np.dstack([result, job.alpha])

    def warm_up(self, height: int, width: int) -> None:
        """Let the engine compile for frames of a size, before time counts."""
        frame = np.zeros((height, width, 3), np.uint8)
        for stylizer in self._stylizers:
            stylizer.strength = 1.0
            stylizer(frame)
            stylizer.reset()

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return what is remembered, {name: array}, for `restore`."""
        kept = {} if self._subject is None else self._subject.snapshot()
        return {f"subject_{name}": value for name, value in kept.items()} | {
            f"region{index}_{name}": value
            for index, stylizer in enumerate(self._stylizers)
            for name, value in stylizer.snapshot().items()
        }

    def restore(self, kept: dict[str, np.ndarray]) -> None:
        """Go on from where `snapshot` was taken, as if there had been no stop."""
        holders = {f"region{n}_": one for n, one in enumerate(self._stylizers)}
        if self._subject is not None:
            holders["subject_"] = self._subject
        for prefix, holder in holders.items():
            mine = {n: value for n, value in kept.items() if n.startswith(prefix)}
            holder.restore({n.removeprefix(prefix): v for n, v in mine.items()})
