"""What the user wants done: read early, so that a mistake costs no time."""

import contextlib
import dataclasses

import cv2

from vgan import InputError
from vgan.generate import schedule
from vgan.runtime import engines, styles
from vgan.runtime.compose import Comparison
from vgan.runtime.look import Look
from vgan.runtime.upsampling import even_size
from vgan.video.masks import LabelMask, MaskReader

LONGEST = 16384  # side of a result in pixels
LARGE, WORKING_SIDE = 320, 288  # short sides in pixels; see `Job.proxy`


@dataclasses.dataclass(frozen=True)
class Job:
    """How frames are to be stylised, whatever they come from.

    Attributes:
        model: A generator.keras, or a folder that vgan.export made.
        engine: One of `engines.NAMES`.
        style: List of texts, see `runtime.schedule`.
        schedule: JSON file of a schedule, or None.
        fade: Seconds of a cross-fade, or None.
        seed: Of random styles.
        strength: Share of the stylised picture, 0 to 1, on top of the schedule's.
        size: Short side of the result in pixels, or None: that of the input.
        proxy: Scale at which the network works, above 0 and up to 1; None for 1, and
            for less where the result's short side is over 320 pixels: strokes are as
            large as in training then, and a network of many pixels is slow.
        keep_color: Whether colours stay those of the input.
        mask: Picture or video: style where it is white; or None.
        mask_invert: Style where it is black.
        mask_soft: Softness of edges of masks, in pixels.
        label_mask: Picture or video of regions, one style for each; or None.
        compare: Whether input, style and output stand side by side.
    """

    model: str
    engine: str = "auto"
    style: tuple = ()
    schedule: str | None = None
    fade: float | None = None
    seed: int = 0
    strength: float = 1.0
    size: int | None = None
    proxy: float | None = None
    keep_color: bool = False
    mask: str | None = None
    mask_invert: bool = False
    mask_soft: float = 0.0
    label_mask: str | None = None
    compare: bool = False

    def read(self):
        """Return the schedules, not yet encoded: one, or one for each region.

        Raises:
            InputError: The model, a style or the schedule cannot be used.
        """
        info = engines.describe(self.model)
        texts = [text for text in self.style if text]
        options = self.fade, info, self.seed
        if self.label_mask is None:
            return [schedule.read(texts, self.schedule, *options)]
        if self.schedule or len(texts) < 1:
            raise InputError("label_mask: give one style for each region")
        return [schedule.read([text], None, *options) for text in texts]

    def choices(self):
        """Return a schedule for each style, to choose among by keys; or for the show.

        Raises:
            InputError: As `read`; or styles have times, or regions.
        """
        texts = [text for text in self.style if text]
        if self.schedule or self.label_mask or any("@" in text for text in texts):
            raise InputError(
                "preview: keys choose among styles, without times and regions; "
                "leave out the schedule and the label mask"
            )
        info = engines.describe(self.model)
        groups = [[text] for text in texts] or [[name] for name in info.named_styles]
        return [
            schedule.read(group, None, None, info, self.seed + index)
            for index, group in enumerate(groups or [[]])
        ]

    def out_size(self, height, width):
        """(H, W) of results for frames of this size, the comparison left out."""
        if self.size is None:
            return height, width
        sides = even_size(height, width, self.size / min(height, width))
        if max(sides) > LONGEST:
            raise InputError(
                f"size={self.size}: the result would be {sides[1]} x {sides[0]}; "
                "give a smaller one"
            )
        return sides

    def working_scale(self, height, width):
        """Scale at which the network works on results of [height, width]."""
        if self.proxy is not None:
            return self.proxy
        side = min(height, width)
        return 1.0 if side <= LARGE else WORKING_SIDE / side

    def resized(self, frame):
        """Return uint8 [H, W, 3] of the size of the result."""
        height, width = self.out_size(*frame.shape[:2])
        if (height, width) == frame.shape[:2]:
            return frame
        shrinks = height < frame.shape[0]
        method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        return cv2.resize(frame, (width, height), interpolation=method)

    @contextlib.contextmanager
    def look(self, schedules, like, wrap=None):
        """Load the engine, encode styles, open masks; the Look for frames of a size.

        Args:
            schedules: From `read`.
            like: What frames come from: has width, height and, of videos, fps.
            wrap: Function of the engine that returns the one to use, or None.

        Raises:
            InputError: The engine or a mask cannot be used.
        """
        height, width = self.out_size(like.height, like.width)
        size = Size(height, width, getattr(like, "fps", None))
        with contextlib.ExitStack() as stack:
            mask = labels = None
            if self.mask is not None:
                mask = MaskReader(
                    self.mask, self.mask_invert, self.mask_soft, like=size
                )
                stack.enter_context(mask)
            if self.label_mask is not None:
                labels = stack.enter_context(LabelMask(self.label_mask, like=size))
                if len(schedules) > labels.num_labels:
                    raise InputError(
                        f"label_mask={self.label_mask}: has {labels.num_labels} "
                        f"regions, and there are {len(schedules)} styles"
                    )
            inner, scale = (height, width), self.working_scale(height, width)
            if scale < 1:
                inner = even_size(height, width, scale)
            engine = engines.load(self.model, self.engine, inner)
            engine = wrap(engine) if wrap else engine
            for one in schedules:
                one.encode(engine)
            comparison = None
            if self.compare:
                wanted = [style for one in schedules for style in one.styles]
                comparison = Comparison(styles.pictures(wanted))
            yield Look(
                engine,
                schedules,
                strength=self.strength,
                proxy=scale,
                keep_color=self.keep_color,
                mask=mask,
                labels=labels,
                soft=self.mask_soft,
                comparison=comparison,
            )


@dataclasses.dataclass(frozen=True)
class Size:
    """Of what masks are laid over.

    Attributes:
        height: H in pixels.
        width: W in pixels.
        fps: Frames per second of a video, or None.
    """

    height: int
    width: int
    fps: object = None
