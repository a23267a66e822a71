"""What the user wants done: read early, so that a mistake costs no time."""

import contextlib
import dataclasses
import functools
import numbers
import typing
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np

from vgan import InputError
from vgan.generate import schedule
from vgan.generate.schedule import Schedule
from vgan.runtime import engines, styles
from vgan.runtime.compose import Comparison
from vgan.runtime.frame_processor import FrameProcessor
from vgan.runtime.looks import Grain, KeptTones
from vgan.runtime.subject import NAMES, Subject
from vgan.runtime.upsampling import DETAIL, even_size, working_scale
from vgan.video.masks import LabelMask, MaskReader
from vgan.video.planes import PlanarFrame
from vgan.video.resizing import resize

if typing.TYPE_CHECKING:
    from vgan.video import VideoReader

LONGEST = 16384  # side of a result in pixels
SHARES = (
    *("strength", "detail", "temporal"),
    *("keep_highlights", "keep_skin", "grain"),
)


@dataclasses.dataclass(frozen=True)
class StylizeOptions:
    """How frames are to be stylized, whatever they come from.

    Attributes:
        model: A generator.keras, a folder that vgan.export made, or the name of a model
            that ships.
        engine: One of `engines.NAMES`.
        style: A picture's path, or whatever `vgan.Stylizer` takes but a code; or a list
            of texts: with times, see `generate.schedule`, or one for each region.
        schedule: JSON file of a schedule, or None.
        fade: Seconds of a cross-fade, or None.
        seed: Of random styles.
        strength: Share of the stylized picture, 0 to 1, on top of the schedule's.
        size: Short side of the result in pixels, or None: that of the input.
        proxy: Scale at which the network works, above 0 and up to 1; None for 1, and
            for less where the result's short side is over 320 pixels: strokes are as
            large as in training then, and a network of many pixels is slow.
        keep_color: Whether colors stay those of the input.
        subject: "person": style on people alone; "background": on all but people; or
            None: on everything.
        subject_model: MediaPipe's wheel, or another network that finds people, see
            `runtime.subject.Subject`; None: that of the installed package.
        mask: Picture or video: style where it is white; or None. It is brought to the
            size of the result, whose shape it must have. A video that ends early holds
            its last frame, with a line; of a longer one, the rest is left out.
        mask_invert: Style where it is black.
        mask_soft: Softness of edges of masks, and of the subject's, in pixels.
        label_mask: Picture or video of regions, one style for each; or None.
        compare: Whether input, style and output stand side by side.
        device: What the engine runs on, see `vgan.load`; or None.
        detail: Share of the input's fine luma that comes back where the network works
            at a smaller size, 0 to 1.
        keep_highlights: Share of the input that comes back in bright tones, 0 to 1.
        keep_skin: Likewise in tones of skin, which are found by color alone.
        grain: Of film, over the result, 0 to 1; `seed` says which.
        temporal: How much of the past the model's filter takes, 0 to 1: as it does by
            itself.

    Raises:
        InputError: A value is out of its range.
    """

    model: str
    engine: str = "auto"
    style: object = ()
    schedule: str | None = None
    fade: float | None = None
    seed: int = 0
    strength: float = 1.0
    size: int | None = None
    proxy: float | None = None
    keep_color: bool = False
    subject: str | None = None
    subject_model: str | None = None
    mask: str | None = None
    mask_invert: bool = False
    mask_soft: float = 0.0
    label_mask: str | None = None
    compare: bool = False
    device: str | None = None
    detail: float = DETAIL
    keep_highlights: float = 0.0
    keep_skin: float = 0.0
    grain: float = 0.0
    temporal: float = 1.0

    def __post_init__(self) -> None:
        for name, low, high, what in (
            *((name, 0, 1, "a number from 0 to 1") for name in SHARES),
            ("seed", 0, float("inf"), "0 or more"),
            ("size", 16, 8192, "16 to 8192 pixels"),
            ("proxy", 0.1, 1, "0.1 to 1"),
            ("fade", 0, 1e6, "0 or more seconds"),
            ("mask_soft", 0, 1000, "0 to 1000 pixels"),
        ):
            check_range(name, getattr(self, name), low, high, what)
        for name in ("model", "mask", "label_mask", "schedule", "subject_model"):
            if getattr(self, name) == "":
                raise InputError(f"{name}: is empty; give a file, or leave it out")
        if self.mask_invert and not self.mask:
            also = ", or subject=background" if self.subject else ""
            raise InputError(f"mask_invert: give mask=FILE too{also}")
        if self.subject not in (None, *NAMES):
            raise InputError(f"subject={self.subject!r:.50}: give {' or '.join(NAMES)}")
        if self.subject_model and not self.subject:
            raise InputError("subject_model: give subject=person too, or background")

    @functools.cached_property
    def opened(self) -> engines.Model:
        """The `engines.Model`, opened once.

        Raises:
            InputError: It cannot be used.
        """
        return engines.Model(self.model, self.engine, self.device)

    @functools.cached_property
    def schedules(self) -> list[Schedule]:
        """The schedules, read once: one, or one for each region.

        Raises:
            InputError: The model, a style or the schedule cannot be used.
        """
        info, style = self.opened.info, self._style
        options = self.fade, info, self.seed
        if self.label_mask is None:
            return [schedule.read(style, self.schedule, *options)]
        if self.schedule or not len(style):
            raise InputError("label_mask: give one style for each region")
        regions = style if isinstance(style, list) else [style]
        return [
            schedule.read([one] if isinstance(style, list) else one, None, *options)
            for one in regions
        ]

    def read(self) -> list[Schedule]:
        """Read model and styles now: what is wrong with them is said before all else.

        Returns:
            `schedules`.
        """
        return self.schedules

    @property
    def _style(self):
        """A list of texts, or what is a style as it is."""
        whole = isinstance(self.style, (dict, np.ndarray))
        return self.style if whole else styles.listed(self.style)

    def choices(self) -> list[Schedule]:
        """Return a schedule for each style, to choose among by keys; or for the show.

        Raises:
            InputError: As `schedules`; or styles have times, or regions.
        """
        texts = styles.listed(self.style)
        if self.schedule or self.label_mask or any("@" in text for text in texts):
            raise InputError(
                "preview: keys choose among styles, without times and regions; "
                "leave out the schedule and the label mask"
            )
        info = self.opened.info
        groups = [[text] for text in texts] or [[name] for name in info.named_styles]
        return [
            schedule.read(group, None, None, info, self.seed + index)
            for index, group in enumerate(groups or [[]])
        ]

    def out_size(self, height: int, width: int) -> tuple[int, int]:
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

    def working_scale(self, height: int, width: int) -> float:
        """Scale at which the network works on results of [height, width]."""
        return self.proxy or working_scale(height, width)

    def resized(self, frame: np.ndarray | PlanarFrame) -> np.ndarray | PlanarFrame:
        """Return uint8 [H, W, 3] of the size of the result."""
        size = self.out_size(*frame.shape[:2])
        return frame if size == frame.shape[:2] else resize(np.asarray(frame), *size)

    @contextlib.contextmanager
    def processor(
        self,
        like: "VideoReader | Size",
        schedules: Sequence[typing.Any] | None = None,
        wrap: Callable[[engines.Engine], engines.Engine] | None = None,
    ) -> Iterator[FrameProcessor]:
        """Load the engine, encode styles, open masks; yields the FrameProcessor.

        Args:
            like: What frames come from: has width, height and, of videos, fps.
            schedules: To take instead of `schedules`, or None.
            wrap: Function of the engine that returns the one to use, or None.

        Raises:
            InputError: The engine or a mask cannot be used.
        """
        schedules = self.schedules if schedules is None else schedules
        height, width = self.out_size(like.height, like.width)
        size = Size(
            height, width, getattr(like, "fps", None), getattr(like, "offset", 0)
        )
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
            subject = tones = grain = None
            if self.subject is not None:
                subject = Subject(
                    *(self.subject, self.subject_model, self.mask_soft),
                    size=(height, width),
                )
            if self.keep_highlights or self.keep_skin:
                tones = KeptTones(self.keep_highlights, self.keep_skin)
            if self.grain:
                grain = Grain(self.grain, int(self.seed))
            engine = self.opened.load(inner)
            engine = wrap(engine) if wrap else engine
            for one in schedules:
                one.encode(engine)
            comparison = None
            if self.compare:
                wanted = [style for one in schedules for style in one.styles]
                comparison = Comparison(styles.pictures(wanted))
            yield FrameProcessor(
                engine,
                schedules,
                strength=self.strength,
                proxy=scale,
                keep_color=self.keep_color,
                mask=mask,
                labels=labels,
                soft=self.mask_soft,
                comparison=comparison,
                subject=subject,
                tones=tones,
                grain=grain,
                detail=self.detail,
                temporal=self.temporal,
            )


def check_range(name: str, value: object, low: float, high: float, what: str) -> None:
    """Raise InputError where a value is not from `low` to `high`; None is fine."""
    if value is None:
        return
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not (number and low <= value <= high):
        raise InputError(f"{name}={value!r:.50}: give {what}")


@dataclasses.dataclass(frozen=True)
class Size:
    """Of what masks are laid over.

    Attributes:
        height: H in pixels.
        width: W in pixels.
        fps: Frames per second of a video, or None.
        offset: Second of the video that timestamps count from.
    """

    height: int
    width: int
    fps: object = None
    offset: Fraction | float = 0
