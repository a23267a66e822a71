"""Notices failure modes of adversarial training, and names each in one line.

A look is a function of the trained state, moving averages included, and of a fixed
batch: a resumed run sees what it would have seen.
"""

import math
import pathlib
import re
import sys
import typing
from collections.abc import Callable, Iterable

import keras
import numpy as np
import tqdm
from keras import KerasTensor, ops

from vgan.train import Stopped
from vgan.train.forward import Forward
from vgan.train.gan import FAILURE_MODES
from vgan.train.summaries import SummaryWriter

if typing.TYPE_CHECKING:
    from vgan.train.gan import VideoGAN


ALIKE = 0.02  # mean difference, of 2, under which two inputs count as the same
STYLE_CHANGE = 0.05  # of the results, for a change of 1 of the style
CONTENT_CHANGE = 0.1  # likewise
SWING = 0.4  # standard deviation of the advantage
WON = 0.9  # advantage from which the discriminator has won,
GONE = 0.01  # and the adversarial part of what moves the generator, from nothing
FLOOD = 100  # to all


def look(gan: "VideoGAN", batch: dict[str, KerasTensor]) -> dict[str, KerasTensor]:
    """Return figures of how generator and discriminator do, as scalar tensors.

    Args:
        gan: The VideoGAN.
        batch: Fixed clips, as `VideoGAN.update` takes them.

    Returns:
        style_change: E|difference| of results in two styles, over that of the styles'
            means and standard deviations of color; NaN where the styles are alike.
        content_change: E|difference| of results of two contents, over that of the
            contents; NaN where these are alike.
        advantage: The discriminator's, -1 to 1, a moving average; 0 without one.
        swing: Standard deviation of the advantage; NaN where a critic's logits, and
            with them the advantage, have no scale.
        adversarial_share: Norm of the adversarial loss's gradient by the result, over
            that of the other losses; 1 without one of the two.
    """
    forward = Forward(gan, batch)

    def change(result, x):
        difference = ops.mean(ops.abs(x - ops.roll(x, 1, axis=0)))
        changed = ops.mean(ops.abs(forward.frames - result))
        return ops.where(difference < ALIKE, math.nan, changed / (difference + 1e-6))

    critic = gan.adversarial is not None and gan.adversarial.unbounded
    other_style = ops.roll(forward.code, 1, axis=0)
    in_other_style, _ = forward.generate(forward.content, other_style)
    other_content = ops.roll(forward.content, 1, axis=0)
    of_other_content, _ = forward.generate(other_content, forward.code)
    colors = ops.concatenate(
        [f(forward.style, axis=(1, 2, 3)) for f in (ops.mean, ops.std)]
    )
    return {
        "style_change": change(in_other_style, colors),
        "content_change": change(of_other_content, forward.content),
        "advantage": gan.advantage.mean + 0.0,
        "swing": math.nan if critic else ops.sqrt(gan.advantage.variance + 0.0),
        "adversarial_share": _adversarial_share(gan, forward),
    }


def _adversarial_share(gan, forward):
    others = [term for term in gan.terms if term is not gan.adversarial]
    if gan.adversarial is None or not others:
        return ops.ones(())

    def size_of_gradient(terms):
        def loss(frames):
            seen = Forward(gan, forward.batch, frames)
            return sum(gan.weight_of(term) * term(seen) for term in terms)

        gradient = gan.input_gradient(loss, forward.frames)
        return ops.sqrt(ops.sum(ops.square(gradient)))

    share = size_of_gradient([gan.adversarial])
    return share / (size_of_gradient(others) + 1e-12)


def diagnose(figures: dict[str, float]) -> dict[str, str]:
    """Return {failure mode: one line, what it is and what helps}, causes first.

    Args:
        figures: As `look` gives them, as floats.
    """
    found = {}
    if figures["adversarial_share"] > FLOOD:
        found["flood"] = (
            "the adversarial loss drowns the rest: its gradient is "
            f"{figures['adversarial_share']:.0f} "
            "times that of the other losses; lower train.d_learning_rate or "
            "losses.adversarial.weight, raise losses.adversarial.r1"
        )
    if figures["swing"] > SWING:
        found["oscillation"] = (
            "training oscillates: the discriminator's advantage varies by "
            f"{figures['swing']:.2f} about {figures['advantage']:.2f}; lower "
            "train.d_learning_rate or losses.adversarial.weight, raise "
            "losses.adversarial.r1"
        )
    if figures["advantage"] > WON and figures["adversarial_share"] < GONE:
        found["discriminator"] = (
            "the discriminator wins: its advantage is "
            f"{figures['advantage']:.2f} of 1, and its gradient "
            f"{figures['adversarial_share']:.4f} of the other losses'; lower "
            "train.d_learning_rate, set train.d_skip_above, or take another "
            "losses.adversarial"
        )
    if figures["style_change"] < STYLE_CHANGE:
        found["style"] = (
            "the generator ignores the style: another style changes the result by "
            f"{figures['style_change']:.3f} of what the styles differ by; raise "
            "losses.style or losses.style_code, lower losses.content"
        )
    if figures["content_change"] < CONTENT_CHANGE:
        found["content"] = (
            "the generator ignores the content: another content changes the result by "
            f"{figures['content_change']:.3f} of what the contents differ by; raise "
            "losses.content, lower losses.style or train.g_learning_rate"
        )
    return found


class Alarm(keras.callbacks.Callback):
    """Looks for failure modes every so many steps; warns once, as one begins.

    A line goes to the terminal, to TensorBoard's texts and to alarms.txt in the run
    folder. A loss that is not finite always stops the run.

    Args:
        writer: A SummaryWriter; None where another process writes and tells.
        folder: Run folder.
        gan: The VideoGAN.
        batch: Fixed validation clips.
        action: What follows: "warn", "reduce_lr", which halves both learning rates,
            too, or "stop".
        every: Steps between looks.
        share: Function that gives all processes the figures of one.
    """

    def __init__(
        self,
        writer: SummaryWriter | None,
        folder: str | pathlib.Path,
        gan: "VideoGAN",
        batch: dict[str, np.ndarray],
        action: str = "warn",
        every: int = 50,
        share: Callable[[list[float]], Iterable[float]] = list,
    ) -> None:
        super().__init__()
        self.writer = writer
        self.path = pathlib.Path(folder) / "alarms.txt"
        self.batch = batch
        self.action = action
        self.every = every
        self.share = share
        self.look = gan.compile_function(lambda batch: look(gan, batch))

    def on_train_begin(self, logs: dict[str, typing.Any] | None = None) -> None:
        """Forget what a killed run has said of steps that are taken again."""
        if self.writer and self.path.exists():
            step, lines = int(self.model.step.value), self.path.read_text().splitlines()
            kept = [line for line in lines if _step(line) <= step]
            self.path.write_text("".join(f"{line}\n" for line in kept))

    def on_train_batch_end(
        self, batch: int, logs: dict[str, typing.Any] | None = None
    ) -> None:
        """Check every logged number, and now and then look closer."""
        bad = [name for name, value in logs.items() if not math.isfinite(value)]
        if bad:
            bad.sort(key=lambda name: not name.startswith("g/"))  # causes first
            more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
            line = f"{bad[0]}{more} is not finite"
            self._say(line)
            raise FloatingPointError(line)
        if int(self.model.step.value) % self.every == 0:
            self._look()

    def _look(self):
        figures = {name: float(value) for name, value in self.look(self.batch).items()}
        shared = self.share([*figures.values()])
        figures = dict(zip(figures, map(float, shared), strict=True))
        known = {f"health/{k}": x for k, x in figures.items() if np.isfinite(x)}
        if self.writer:
            self.writer.scalars(known, int(self.model.step.value))
        found = diagnose(figures)
        before = np.asarray(self.model.failure_modes.value)
        new = [
            found[n]
            for n, was in zip(FAILURE_MODES, before, strict=True)
            if n in found and not was
        ]
        self.model.failure_modes.assign([int(name in found) for name in FAILURE_MODES])
        for line in new:
            self._say(line)
        if new and self.action == "reduce_lr":
            rates = self.model.rates
            rates.scale.assign(rates.scale * 0.5)
            rates.update(self.model.step)
        if new and self.action == "stop":
            raise Stopped(new[0])

    def _say(self, line):
        if not self.writer:
            return
        step = int(self.model.step.value)
        tqdm.tqdm.write(f"step {step}: {line}", file=sys.stderr)
        self.writer.text("alarm", line, step)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(f"step {step}: {line}\n")


def _step(line):
    """The step of a line of alarms.txt; 0 of a line that is none."""
    found = re.match(r"step (\d+): ", line)
    return int(found[1]) if found else 0
