"""Measures what is asked: every clip in every style, and each system as a whole."""

import contextlib
import hashlib
import itertools
import pathlib
import shutil
import sys
from collections.abc import Sequence

import numpy as np
import tqdm

from vgan import InputError, config
from vgan.datasets import synthetic
from vgan.evaluate import (
    CLIPS,
    EXTERNAL,
    GROUPS,
    OF_MODELS,
    model_metrics,
    sources,
    speed,
)
from vgan.evaluate.scoring import Score, Scorer
from vgan.evaluate.systems import Beside, Method
from vgan.metrics import external
from vgan.metrics.distributions import adversarial_balance
from vgan.metrics.external import NotMeasured
from vgan.metrics.features import MeasuringFeatures
from vgan.metrics.paint import PaintScorer
from vgan.metrics.style import StyleScorer

SCENES, SCENE_FRAMES, SCENE_SEED = 2, 24, 1_000_000_007  # rendered, of exact flow
BATCHES = 4  # on which the discriminator is judged
BRUSH_FRAMES = 4  # of each clip; the last is looked at


class Evaluation:
    """Systems, what they are shown, and what is asked of them.

    Args:
        system: All systems, side by side.
        contents: {name: path of a clip}.
        styles: {name: picture or clip, uint8 [T', h, w, 3]}.
        groups: What to measure, of `GROUPS`.
        size: Short side in pixels at which all is measured.
        limit: Frames of each clip at most; None takes all.
        features: Networks that measure style and content, for `MeasuringFeatures`.
        judge: Another one, whose style strengths stand beside theirs, or None.

    Raises:
        InputError: There is no such network.
    """

    def __init__(
        self,
        system: Beside,
        contents: dict[str, pathlib.Path],
        styles: dict[str, np.ndarray],
        *,
        groups: Sequence[str] = GROUPS,
        size: int = 256,
        limit: int | None = None,
        features: Sequence[str] = ("random",),
        judge: str | None = None,
    ):
        self.system, self.contents, self.styles = system, contents, styles
        self.groups, self.size, self.limit = groups, size, limit
        self.features = self.judge = None
        if {"style", "content", "diversity"} & set(groups):
            self.features = MeasuringFeatures(features)
            self.judge = MeasuringFeatures([judge], "judge") if judge else None

    def scores(self, lengths: dict[str, int | None]) -> list[Score]:
        """Score every clip in every style by every system, and the content itself.

        Args:
            lengths: {name of a clip: its frames, or None}, for the progress bar.

        Raises:
            InputError: None of the clips can be read to its end.
        """
        asked = set(self.groups)
        if not set(CLIPS) & asked:
            return []

        def of_styles(make, wanted):
            return {n: make(clip) for n, clip in self.styles.items()} if wanted else {}

        scorer = Scorer(
            self.features if {"style", "content"} & asked else None,
            of_styles(lambda clip: StyleScorer(self.features, clip), "style" in asked),
            of_styles(lambda clip: StyleScorer(self.judge, clip), self.judge),
            of_styles(PaintScorer, "paint" in asked),
        )
        names = list(itertools.product(self.system.names, self.styles))
        total = None
        if None not in lengths.values():
            total = sum(lengths.values()) * (1 + len(names))
        scores = []
        columns = shutil.get_terminal_size().columns
        with tqdm.tqdm(total=total, unit="frame", ncols=columns) as bar:
            for content, path in self.contents.items():
                bar.set_postfix_str(content[:20], refresh=False)
                methods = {n: self.system.method(*n, self.limit) for n in names}
                methods[("content", "")] = Method()
                frames = _counted(sources.frames(path, self.size, self.limit), bar)
                try:
                    for score in scorer.score(frames, content, methods):
                        scores.append(score)
                        bar.update(score.num_frames if score.style else 0)
                except InputError as error:  # a clip that breaks after its first frame
                    if len(self.contents) == 1:
                        raise
                    bar.write(f"--content: left out, {error}", file=sys.stderr)
        if not scores:
            raise InputError("content: none of them can be read to the end")
        return scores

    def parts(self, model: str | None = None) -> tuple[list, dict, dict]:
        """Measure what is not of one clip.

        Args:
            model: Path of the system's generator.keras, if it has one.

        Returns:
            List of {system: figures}, {group: figures}, {group: why it was not
            measured}.
        """
        of_systems = {
            "exact": self._exact,
            "flat": lambda: model_metrics.flat(self.system, self.styles, self.size),
            "diversity": self._diversity,
        }
        of_engine = {"adversarial": lambda: _adversarial(model), "speed": self._speed}
        rows, parts, missing = [], {}, {}
        for group in [group for group in self.groups if group not in CLIPS]:
            try:
                if group in EXTERNAL:
                    parts[group] = self._external(group)
                elif not (
                    self.system.any_frame if group in OF_MODELS else self.system.engine
                ):
                    missing[group] = "needs a model"
                elif group in OF_MODELS:
                    rows.append(of_systems[group]())
                else:
                    parts[group] = of_engine[group]()
            except NotMeasured as error:
                missing[group] = str(error)
        return rows, parts, missing

    def setup(self, styles: Sequence[str]) -> dict:
        """Return {what: how it was} for the report; `styles` as they were given."""
        subjects = [pathlib.Path(file) for file in self.system.files]
        return {
            "measured": ", ".join(map(str, subjects)),
            "sha256": ", ".join(map(_sha256, subjects)),
            "content": ", ".join(str(path) for path in self.contents.values()),
            "styles": ", ".join(styles),
            "short side in pixels": self.size,
            "features": str(self.features.sources) if self.features else "none",
            "judge": str(self.judge.sources) if self.judge else "none",
        }

    def _exact(self):
        scenes = [
            synthetic.scene([SCENE_SEED, i], SCENE_FRAMES, self.size, self.size)
            for i in range(SCENES)
        ]
        return model_metrics.exact(self.system, self.styles, scenes)

    def _diversity(self):
        if len(self.styles) < 2:
            raise NotMeasured("needs at least two styles")
        clips = [
            list(sources.frames(path, self.size, BRUSH_FRAMES))
            for path in self.contents.values()
        ]
        return model_metrics.diversity(self.system, self.features, self.styles, clips)

    def _speed(self):
        first = next(iter(self.contents.values()))
        height, width = next(sources.frames(first, self.size)).shape[:2]
        figures = speed.measure(self.system.engine, (height, width))
        with contextlib.suppress(ValueError):  # a single frame tells no speed
            figures |= speed.measure_codec(first)
        return {"frame": f"{width}x{height}", **figures}

    def _external(self, name):
        """Over all results: against the styles, or lpips against the content."""

        def results():
            for path, style in itertools.product(self.contents.values(), self.styles):
                method = self.system.method(self.system.names[0], style, self.limit)
                for frame in sources.frames(path, self.size, self.limit):
                    yield frame, method(frame)

        if name == "lpips":
            first, second = itertools.tee(results())
            pair = (r for _, r in first), (content for content, _ in second)
        else:
            pictures = (frame for clip in self.styles.values() for frame in clip)
            pair = (r for _, r in results()), pictures
        return {name: external.measure(name, *pair)}


def _counted(frames, bar):
    for frame in frames:
        yield frame
        bar.update()


def _adversarial(model):
    """The run's discriminator on validation clips; it is not in generator.keras."""
    folder = pathlib.Path(model).parent
    if not ((folder / "config.json").exists() and (folder / "checkpoints").is_dir()):
        raise NotMeasured("needs config.json and checkpoints/ beside the model")
    from vgan.datasets.batches import open_clips, plain_errors
    from vgan.train import checkpoint
    from vgan.train.build import build_gan

    try:
        settings = config.from_json((folder / "config.json").read_text())
        gan = build_gan(settings)
        if not checkpoint.restore(folder / "checkpoints", gan):
            raise NotMeasured("needs a checkpoint beside the model")
        real, fake = [], []
        with plain_errors():
            arguments = config.data_arguments(settings)
            batches = open_clips(split="validation", **arguments)(num_steps=BATCHES)
            for batch in batches.as_numpy_iterator():
                frames, code = gan.stylize(
                    batch["content"], batch["style"], gan.ema_generator
                )
                real.append(np.ravel(gan.discriminator(batch["style"], code)))
                fake.append(np.ravel(gan.discriminator(frames, code)))
        return adversarial_balance(np.concatenate(real), np.concatenate(fake))
    except (InputError, OSError, ValueError) as error:
        # damaged, moved data, weights that are not finite
        raise NotMeasured(f"needs the run that made it: {folder}: {error}") from error


def _sha256(path):
    if not path.is_file():
        return "of a folder or device: none"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
