"""Notices when the game goes wrong, and names the disease in one line.

A look at the game is a function of the trained state, moving averages included, and of
a fixed batch: a resumed run sees what it would have seen.
"""

import math
import pathlib
import re
import sys

import keras
import numpy as np
import tqdm
from keras import ops

from vgan.train import Stopped, terms
from vgan.train.gan import DISEASES

ALIKE = 0.02  # mean difference, of 2, under which two inputs count as the same
STYLE_CHANGE = 0.05  # of the results, for a change of 1 of the style
CONTENT_CHANGE = 0.1  # likewise
SWING = 0.4  # standard deviation of the advantage
WON = 0.9  # advantage from which the discriminator has won,
GONE = 0.01  # and the game's part in what moves the generator, from nothing
FLOOD = 100  # to all


def look(gan, batch):
    """Return figures of how the generator and the game do, as scalar tensors.

    Args:
        gan: The VideoGAN.
        batch: Fixed clips, as `VideoGAN.update` takes them.

    Returns:
        style_change: E|difference| of results in two styles, over that of the styles'
            means and standard deviations of colour; NaN where the styles are alike.
        content_change: E|difference| of results of two contents, over that of the
            contents; NaN where these are alike.
        advantage: The discriminator's, -1 to 1, a moving average; 0 without a game.
        swing: Standard deviation of the advantage; NaN in wasserstein, where a
            critic's logits, and with them the advantage, have no scale.
        game_share: Norm of the game's gradient by the result, over that of the other
            terms'; 1 without a game.
    """
    forward = terms.Forward(gan, batch)

    def change(result, x):
        difference = ops.mean(ops.abs(x - ops.roll(x, 1, axis=0)))
        changed = ops.mean(ops.abs(forward.frames - result))
        return ops.where(difference < ALIKE, math.nan, changed / (difference + 1e-6))

    critic = gan.game.penalty == "one"
    other_style = ops.roll(forward.code, 1, axis=0)
    in_other_style, _ = forward.generate(forward.content, other_style)
    other_content = ops.roll(forward.content, 1, axis=0)
    of_other_content, _ = forward.generate(other_content, forward.code)
    colors = ops.concatenate(
        [
            ops.mean(forward.style, axis=(1, 2, 3)),
            ops.std(forward.style, axis=(1, 2, 3)),
        ]
    )
    return {
        "style_change": change(in_other_style, colors),
        "content_change": change(of_other_content, forward.content),
        "advantage": gan.advantage + 0.0,
        "swing": math.nan if critic else ops.sqrt(gan.advantage_variance + 0.0),
        "game_share": _game_share(gan, forward),
    }


def _game_share(gan, forward):
    weights = gan.weights_of_losses
    used = [name for name in terms.TERMS if getattr(weights, name)]
    others = [name for name in used if name not in ("gan", "feature_matching")]
    if not weights.gan or not others:
        return ops.ones(())

    def slope(names):
        def loss(frames):
            seen = terms.Forward(gan, forward.batch, frames)
            return sum(gan.weight_of(n) * terms.TERMS[n](seen) for n in names)

        gradient = gan.input_gradient(loss, forward.frames)
        return ops.sqrt(ops.sum(ops.square(gradient)))

    return slope(["gan"]) / (slope(others) + 1e-12)


def diagnose(figures):
    """Return {disease: one line that says what it is and what helps}, causes first.

    Args:
        figures: As `look` gives them, as floats.
    """
    found = {}
    if figures["game_share"] > FLOOD:
        found["flood"] = (
            f"the game drowns the rest: its gradient is {figures['game_share']:.0f} "
            "times that of the other terms; lower train.d_learning_rate or losses.gan, "
            "raise losses.r1"
        )
    if figures["swing"] > SWING:
        found["oscillation"] = (
            "the game swings: the discriminator's advantage varies by "
            f"{figures['swing']:.2f} about {figures['advantage']:.2f}; lower "
            "train.d_learning_rate or losses.gan, raise losses.r1"
        )
    if figures["advantage"] > WON and figures["game_share"] < GONE:
        found["discriminator"] = (
            "the discriminator wins: its advantage is "
            f"{figures['advantage']:.2f} of 1, and the game's gradient "
            f"{figures['game_share']:.4f} of the other terms'; lower "
            "train.d_learning_rate, set train.balance, or take another game"
        )
    if figures["style_change"] < STYLE_CHANGE:
        found["style"] = (
            "the generator ignores the style: another style changes the result by "
            f"{figures['style_change']:.3f} of what the styles differ by; raise "
            "losses.style or losses.code, lower losses.content"
        )
    if figures["content_change"] < CONTENT_CHANGE:
        found["content"] = (
            "the generator ignores the content: another content changes the result by "
            f"{figures['content_change']:.3f} of what the contents differ by; raise "
            "losses.content, lower losses.style or train.g_learning_rate"
        )
    return found


class Alarm(keras.callbacks.Callback):
    """Looks at the game every so many steps; says what is wrong, once as it begins.

    A line goes to the terminal, to TensorBoard's texts and to alarms.txt in the run
    folder. By `train.alarm` it also halves both learning rates, or stops. A loss that
    is not finite always stops the run.

    Args:
        writer: A SummaryWriter.
        folder: Run folder.
        gan: The VideoGAN.
        batch: Fixed validation clips.
        train: A config.Train.
    """

    def __init__(self, writer, folder, gan, batch, train):
        super().__init__()
        self.writer = writer
        self.path = pathlib.Path(folder) / "alarms.txt"
        self.batch = batch
        self.train = train
        self.look = gan.compile_function(lambda batch: look(gan, batch))

    def on_train_begin(self, logs=None):
        """Forget what a killed run has said of steps that are taken again."""
        if self.path.exists():
            step, lines = int(self.model.step.value), self.path.read_text().splitlines()
            kept = [line for line in lines if _step(line) <= step]
            self.path.write_text("".join(f"{line}\n" for line in kept))

    def on_train_batch_end(self, batch, logs=None):
        """Check every logged number, and now and then look closer."""
        bad = [name for name, value in logs.items() if not math.isfinite(value)]
        if bad:
            bad.sort(key=lambda name: not name.startswith("g/"))  # causes first
            more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
            line = f"{bad[0]}{more} is not finite"
            self._say(line)
            raise FloatingPointError(line)
        if int(self.model.step.value) % self.train.alarm_every == 0:
            self._look()

    def _look(self):
        figures = {name: float(value) for name, value in self.look(self.batch).items()}
        self.writer.scalars(
            {
                f"health/{k}": value
                for k, value in figures.items()
                if np.isfinite(value)
            },
            int(self.model.step.value),
        )
        found = diagnose(figures)
        present = dict(
            zip(DISEASES, np.asarray(self.model.diseases.value), strict=True)
        )
        new = [line for name, line in found.items() if not present[name]]
        self.model.diseases.assign([int(name in found) for name in DISEASES])
        for line in new:
            self._say(line)
        if new and self.train.alarm == "lower":
            self.model.rate_scale.assign(self.model.rate_scale * 0.5)
            self.model.set_learning_rates()
        if new and self.train.alarm == "stop":
            raise Stopped(new[0])

    def _say(self, line):
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
