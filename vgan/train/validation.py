"""Watches the averaged generator on clips that it is not trained on; keeps the best."""

import json
import math
import pathlib
import typing
from collections.abc import Callable

import numpy as np

from vgan import InputError, files
from vgan.train.checkpoint import save_generator
from vgan.train.periodic import Periodic
from vgan.train.summaries import SummaryWriter


class Validation(Periodic):
    """Figures to TensorBoard every so many steps, and best.keras by their score.

    best.json holds the step and the figures of best.keras, so that a resumed run goes
    on comparing with it.

    Args:
        writer: A SummaryWriter.
        folder: Run folder.
        stylize: Function that gives the averaged generator's results for fixed
            validation clips, [N, T, H, W, 3] in [-1, 1].
        measure: Function of these results that gives a dict of figures with a
            "score", higher is better.
        every: Steps.
        named_styles: Styles to keep in best.keras, {name: [T', h, w, 3]}.
    """

    def __init__(
        self,
        writer: SummaryWriter,
        folder: str | pathlib.Path,
        stylize: Callable[[], np.ndarray],
        measure: Callable[[np.ndarray], dict[str, float]],
        every: int,
        named_styles: dict[str, np.ndarray],
    ) -> None:
        super().__init__(every)
        self.writer = writer
        self.folder = pathlib.Path(folder)
        self.stylize = stylize
        self.measure = measure
        self.named_styles = named_styles

    def on_train_begin(self, logs: dict[str, typing.Any] | None = None) -> None:
        """Find the best so far."""
        path = self.folder / "best.json"
        try:
            self.best = float(json.loads(path.read_text())["score"])
        except FileNotFoundError:
            self.best = -math.inf
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: damaged; remove it, and best.keras") from error

    def act(self, step: int) -> None:
        """Measure, log, and keep the generator if it is the best."""
        figures = self.measure(self.stylize())
        self.writer.scalars({f"validation/{k}": v for k, v in figures.items()}, step)
        if figures["score"] >= self.best:  # of equals, the one trained longer
            self.best = figures["score"]
            save_generator(self.folder / "best.keras", self.model, self.named_styles)
            files.write_json(self.folder / "best.json", {"step": step, **figures})
