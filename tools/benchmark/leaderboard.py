"""What finished runs have reached, measured on the same clips."""

import dataclasses
import math
import shutil

import numpy as np
import tqdm
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from vgan import runtime
from vgan.benchmark import machine
from vgan.config import data_arguments
from vgan.datasets.batches import open_clips, plain_errors
from vgan.evaluate.validation_metrics import ValidationMetrics, to_uint8
from vgan.metrics.content import feature_distance
from vgan.metrics.features import MeasuringFeatures
from vgan.metrics.temporal_consistency import known_flow_error
from vgan.runtime import engines

CLIPS, FRAMES = 16, 12  # held out
QUARTERS = (0.25, 0.5, 0.75, 1.0)  # of the steps, where D's advantage is looked at


def measure(config, runs):
    """Measure the generators of all runs on the same validation clips.

    Args:
        config: The Experiment that the runs vary; its seed decides which clips.
        runs: List of `runs.Run`, trained.

    Returns:
        A dict of plain types: "setup", and "runs", a list of dicts: "adversarial"
        (the loss), "seed", "figures" {name: value, None where it cannot be
        measured}, None of a run that has stopped; "advantage", four values or None;
        "alarms", lines; "stopped".
    """
    with plain_errors():
        batch = next(_clips(config).as_numpy_iterator())
    features = MeasuringFeatures([config.losses["features"]], config.data.image_size)
    judge = _Judge(batch, features)
    rows = [
        {
            "adversarial": run.loss,
            "seed": run.seed,
            "figures": None if run.stopped else judge(run.folder / "generator.keras"),
            "advantage": advantages(run.folder / "tensorboard", config.train.steps),
            "alarms": alarms(run.folder),
            "stopped": run.stopped,
        }
        for run in tqdm.tqdm(
            runs,
            desc="measuring",
            unit="run",
            ncols=shutil.get_terminal_size().columns,
            leave=False,
        )
    ]
    setup = {
        "steps": config.train.steps,
        "seeds": len({run.seed for run in runs}),
        "clips": f"{CLIPS} held-out clips of {FRAMES} frames, "
        f"{config.data.image_size} pixels",
        "features": config.losses["features"],
        **machine.describe(),
    }
    return {"setup": setup, "runs": rows}


def _clips(config):
    arguments = data_arguments(config)
    spec = dataclasses.replace(arguments["spec"], clip_length=FRAMES)
    return open_clips(spec, "validation", CLIPS, arguments["seed"])()


class _Judge:
    """Measures a generator file on one batch."""

    def __init__(self, batch, features):
        self.styles = batch["style"]
        self.contents = to_uint8(batch["content"])
        self.motion = list(zip(batch["flow"], batch["occlusion"], strict=True))
        self.features = features
        self.measure = ValidationMetrics(batch, features)
        self.seen = [features(clip[-1:]) for clip in self.contents]

    def __call__(self, path):
        engine = engines.load(path)
        results = []
        for clip, style in zip(self.contents, self.styles, strict=True):
            stylizer = runtime.Stylizer(
                engine, engine.encode_style(style[None]), proxy=1
            )
            results.append(np.stack([stylizer(frame) for frame in clip]))
        figures = self.measure(np.stack(results) / np.float32(127.5) - 1)
        figures["content_distance"] = np.mean(
            [self._distance(*pair) for pair in zip(results, self.seen, strict=True)]
        )
        errors = [
            known_flow_error(result, *motion)
            for result, motion in zip(results, self.motion, strict=True)
            if not np.all(motion[1])
        ]
        figures["known_flow_error"] = np.mean(errors) if errors else math.nan
        return {
            name: float(value) if np.isfinite(value) else None
            for name, value in figures.items()
        }

    def _distance(self, result, content):
        layers = self.features(result[-1:])
        names = self.features.content_layers
        return np.mean([feature_distance(layers[n], content[n]) for n in names])


def advantages(folder, num_steps):
    """The discriminator's advantage at 25, 50, 75 and 100 % of the steps.

    Args:
        folder: Of TensorBoard's event files.
        num_steps: Of the whole run.

    Returns:
        List of four: the mean over the tenth of all steps before, None where nothing
        was logged in it.
    """
    if not folder.is_dir():
        return [None] * len(QUARTERS)
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    if "d/advantage" not in events.Tags()["tensors"]:
        return [None] * len(QUARTERS)
    # By step: a run that was killed has logged some of them twice.
    logged = {
        event.step: tensor_util.make_ndarray(event.tensor_proto)
        for event in events.Tensors("d/advantage")
    }
    found = []
    for quarter in QUARTERS:
        end = quarter * num_steps
        start = end - num_steps / 10
        values = [value for step, value in logged.items() if start < step <= end]
        mean = float(np.mean(values)) if values else math.nan
        found.append(mean if math.isfinite(mean) else None)
    return found


def alarms(folder):
    """Lines that the alarm has written in a run folder, "step 150: ..."."""
    path = folder / "alarms.txt"
    return path.read_text().splitlines() if path.exists() else []
