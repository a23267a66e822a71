"""What happens beside the training step: bar, TensorBoard, samples, checkpoints.

Every callback reads the step from `gan.step`, which is part of the trained state, so a
resumed run goes on in the same curves.
"""

import io
import pathlib
import shutil
import sys
import time
import typing
from collections.abc import Callable, Iterable, Sequence

import keras
import numpy as np
import tqdm
from PIL import Image

from vgan import files
from vgan.train import checkpoint
from vgan.train.alarm import Alarm
from vgan.train.periodic import Periodic
from vgan.train.processes import ALONE, Processes
from vgan.train.summaries import SummaryWriter
from vgan.train.validation import Validation

if typing.TYPE_CHECKING:
    from vgan.train.gan import VideoGAN


BAR = "{n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]"
TELL = 0.01  # of the time that a run has, from one change of the rates to the next
SHOWN = ("g/reconstruction_l1", "g/content", "g/style", "d/advantage")


def run_callbacks(
    folder: str | pathlib.Path,
    gan: "VideoGAN",
    samples: dict[str, np.ndarray],
    named_styles: dict[str, np.ndarray],
    measure: Callable[[np.ndarray], dict[str, float]],
    *,
    clip_length: int,
    frames: Sequence[tuple[int, int]],
    alarm: str = "warn",
    alarm_every: int = 50,
    log_every: int = 20,
    sample_every: int = 500,
    evaluate_every: int = 250,
    checkpoint_every: int = 250,
    deadline: "Deadline | None" = None,
    processes: Processes = ALONE,
) -> dict[str, keras.callbacks.Callback]:
    """Return the callbacks of a run by name.

    Args:
        folder: Run folder.
        gan: The VideoGAN.
        samples: Fixed validation batch {"content", "style"} that is shown.
        named_styles: Styles to keep in generator.keras, {name: [T', h, w, 3]}.
        measure: Function of the results for `samples`; see `validation.Validation`.
        clip_length: Frames of the clips that are trained on.
        frames: Content frames that a step takes, [(step until which it holds, number)].
        alarm: What a failure mode leads to; see `alarm.Alarm`.
        alarm_every: Steps between looks for failure modes.
        log_every: Steps between scalars.
        sample_every: Steps between moving samples.
        evaluate_every: Steps between figures of `measure`.
        checkpoint_every: Steps between checkpoints.
        deadline: A `Deadline`; None for none.
        processes: That train together, of which the first writes and tells.
    """
    folder = pathlib.Path(folder)
    stylized = gan.compile_function(
        lambda content, style: gan.stylize(content, style, gan.ema_generator)[0]
    )

    def stylize():
        return np.asarray(stylized(samples["content"], samples["style"]))

    # Of the sizes that are trained at, not of those that are shown.
    lengths = dict.fromkeys(("content", "target"), clip_length)
    lengths |= dict.fromkeys(("flow", "occlusion"), clip_length - 1)
    cut = {name: part[:, : lengths.get(name)] for name, part in samples.items()}
    writer = SummaryWriter(folder / "tensorboard") if processes.leads else None
    share = processes.share
    first = {"alarm": Alarm(writer, folder, gan, cut, alarm, alarm_every, share)}
    last = {"deadline": deadline} if deadline else {}
    if not processes.leads:
        return {**first, **last}
    return {
        **first,
        "scalars": Scalars(writer, log_every, frames),
        # First at the end, too: what is drawn and measured then takes its time.
        "checkpoints": Checkpoints(folder, checkpoint_every, named_styles),
        "samples": Samples(writer, folder / "samples", samples, stylize, sample_every),
        "validation": Validation(
            writer, folder, stylize, measure, evaluate_every, named_styles
        ),
        "bar": ProgressBar(frames),
        **last,
    }


def _frames_at(frames, step):
    return next(count for until, count in frames if step <= until)


class ProgressBar(keras.callbacks.Callback):
    """One line: step, speed, time left, and how training stands."""

    def __init__(self, frames: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.frames = frames

    def on_train_begin(self, logs: dict[str, typing.Any] | None = None) -> None:
        """Open the bar where the run stands."""
        step = int(self.model.step.value)
        self.begun, self.first = time.perf_counter(), True
        self.bar = tqdm.tqdm(
            total=self.frames[-1][0],
            initial=step,
            unit="step",
            bar_format=BAR,
            # a terminal that does not know its width gets one of 80 columns
            ncols=shutil.get_terminal_size().columns,
        )

    def on_train_batch_end(
        self, batch: int, logs: dict[str, typing.Any] | None = None
    ) -> None:
        """Move on."""
        shown = [f"{k.split('/')[1]} {logs[k]:.2f}" for k in SHOWN if k in logs]
        if self.first:  # it is no measure of speed, so the clock starts after it
            seconds = time.perf_counter() - self.begun
            tqdm.tqdm.write(f"compiled in {seconds:.1f} s", file=sys.stderr)
            self.first, self.bar.initial = False, self.bar.n + 1
            self.bar.start_t = self.bar.last_print_t = self.bar._time()
        elif rate := self.bar.format_dict["rate"]:
            frames = _frames_at(self.frames, int(self.model.step.value))
            shown.insert(0, f"{rate * frames:.0f} frames/s")
        self.bar.set_postfix_str(" ".join(shown), refresh=False)
        self.bar.update()

    def on_train_end(self, logs: dict[str, typing.Any] | None = None) -> None:
        """Close the bar."""
        self.bar.close()


class Scalars(keras.callbacks.Callback):
    """Every logged number, learning rates and speed, to TensorBoard."""

    def __init__(
        self, writer: SummaryWriter, every: int, frames: Sequence[tuple[int, int]]
    ) -> None:
        super().__init__()
        self.writer = writer
        self.every = every
        self.frames = frames

    def on_train_begin(self, logs: dict[str, typing.Any] | None = None) -> None:
        """Start the clock."""
        self.since, self.count = time.perf_counter(), 0

    def on_train_batch_end(
        self, batch: int, logs: dict[str, typing.Any] | None = None
    ) -> None:
        """Write, every so many steps."""
        step = int(self.model.step.value)
        self.count += 1
        if step % self.every:
            return
        seconds = (time.perf_counter() - self.since) / self.count
        frames = _frames_at(self.frames, step)
        rates = {
            "learning_rate/g": self.model.g_optimizer.learning_rate,
            "learning_rate/d": self.model.d_optimizer.learning_rate,
        }
        speed = {
            "speed/step_ms": 1000 * seconds,
            "speed/frames_per_second": frames / seconds,
        }
        values = {**logs, **rates, **speed}
        self.writer.scalars({k: float(value) for k, value in values.items()}, step)
        self.since, self.count = time.perf_counter(), 0


class Samples(Periodic):
    """Content | style | result of fixed clips, moving, by the averaged generator."""

    def __init__(
        self,
        writer: SummaryWriter,
        folder: pathlib.Path,
        batch: dict[str, np.ndarray],
        stylize: Callable[[], np.ndarray],
        every: int,
    ) -> None:
        super().__init__(every)
        self.writer = writer
        self.folder = folder
        self.batch = batch
        self.stylize = stylize

    def act(self, step: int) -> None:
        """Write samples/step_*.gif and the same to TensorBoard's images."""
        frames = _grid(self.batch["content"], self.batch["style"], self.stylize())
        gif = animated_gif(frames)
        self.folder.mkdir(parents=True, exist_ok=True)
        files.write_bytes(self.folder / f"step_{step:08d}.gif", gif)
        size = frames.shape[2], frames.shape[1]
        self.writer.gif("content_style_result", gif, size, step)


class Deadline(keras.callbacks.Callback):
    """Ends training at a time; `cooldown` follows how much of the time is left.

    Args:
        deadline: `time.monotonic()` at the end.
        minutes: From the beginning to there.
        share: Function that gives all processes the number of one.
    """

    def __init__(
        self,
        deadline: float,
        minutes: float,
        share: Callable[[float], float] = float,
    ) -> None:
        super().__init__()
        self.share = share
        self.deadline = deadline
        self.minutes = minutes
        self.passed = False

    def on_train_batch_end(
        self, batch: int, logs: dict[str, typing.Any] | None = None
    ) -> None:
        """Stop when it is time; now and then tell the model how much is left."""
        left = (self.deadline - time.monotonic()) / (60 * self.minutes)
        left = float(self.share(left))
        self.passed = left <= 0
        self.model.stop_training = self.passed
        if self.model.rates.cooldown and self.told - left > TELL:
            self._tell(left)

    def on_train_begin(self, logs: dict[str, typing.Any] | None = None) -> None:
        """Begin to count."""
        self.told = 1.0

    def _tell(self, left):
        self.told = left
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()  # within `fit`, values are not in the variables
        self.model.rates.time_left.assign(max(left, 0.0))


class Checkpoints(Periodic):
    """The state to resume from, and generator.keras, every so many steps."""

    def __init__(
        self, folder: pathlib.Path, every: int, named_styles: dict[str, np.ndarray]
    ) -> None:
        super().__init__(every)
        self.folder = folder
        self.named_styles = named_styles

    def act(self, step: int) -> None:
        """Write the checkpoint and generator.keras."""
        checkpoint.save(self.folder / "checkpoints", self.model)
        path = self.folder / "generator.keras"
        checkpoint.save_generator(path, self.model, self.named_styles)


def animated_gif(frames: Iterable[np.ndarray], milliseconds: int = 83) -> bytes:
    """uint8 [T, H, W, 3] -> the bytes of a GIF that loops."""
    pictures = [Image.fromarray(frame) for frame in frames]
    file = io.BytesIO()
    pictures[0].save(
        file,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=milliseconds,
        loop=0,
    )
    return file.getvalue()


def _grid(content, style, result):
    """Batches [B, T, H, W, 3] in [-1, 1] -> frames uint8 [T, B * H, 3 * W, 3]."""
    count = content.shape[1]
    still = np.repeat(np.asarray(style)[:, :1], count, axis=1)
    columns = np.concatenate([content, still, result], axis=3)
    rows = np.concatenate(list(columns), axis=1)
    return np.uint8(np.clip(rows * 127.5 + 127.5, 0, 255).round())
