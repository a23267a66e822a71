"""What a training step takes, what each term costs of it, and how long it waits.

A term costs what the step takes less without it. Terms share work (content and style
look at the same features of the result), so that costs do not add up to the whole.
"""

import dataclasses
import math
import shutil
import time

import keras
import numpy as np
import tqdm

from tools.benchmark import costs
from vgan import InputError
from vgan.benchmark import machine
from vgan.config import data_arguments
from vgan.datasets.batches import open_clips, plain_errors
from vgan.runtime.engines.keras_engine import load_generator
from vgan.train.build import build_gan
from vgan.train.gan import make_deterministic

BATCHES = 4  # different ones that steps are timed on
LONGEST_CYCLE = 200  # steps
DRAINED = 8  # batches after which no buffer of the pipeline helps any more


def measure(config, num_steps, names=()):
    """Time the training step of an experiment at its full size.

    All variants are compiled, then take their steps in turn, so that what else the
    machine does hits all alike.

    Args:
        config: The Experiment; of a schedule, the last stage counts.
        num_steps: Of each variant; some more where what is lazy (penalties, g_every,
            ...) would not come around in them.
        names: Of the terms and penalties to look at; all of them if there are none.

    Returns:
        A dict of plain types: "setup"; "step_ms"; "noise_ms", what the same step
        differed by when it was timed as another variant; "terms" and "penalties",
        lists of rows; "left_out", {name: why}; "pipeline", see `_pipeline`.

    Raises:
        InputError: The experiment does not fit together, or a source breaks.
    """
    chosen = costs.variants(config.losses, names)
    make_deterministic(config.seed)
    _, config = config.stages()[-1]
    cycle = _cycle(config)
    num_steps = cycle * math.ceil(num_steps / cycle)
    with plain_errors():
        source = _batches(config)
        batches = [next(source) for _ in range(BATCHES)]
        del source  # its threads would take their share of the machine
        steps, left_out = _compile(config, chosen, batches[0])
        times = _take_turns(steps, batches, num_steps)
        whole = next(step for variant, step in steps.items() if variant.kind == "whole")
        waiting = _pipeline(config, whole, num_steps)
    return {
        "setup": {
            "batch": f"{config.train.batch_size} clips of {config.data.clip_length} "
            f"frames, {config.data.image_size} pixels",
            "steps": num_steps,
            **machine.describe(),
        },
        **costs.figures(config.losses, times, cycle),
        "left_out": left_out,
        "pipeline": waiting,
    }


def time_step(config, num_steps):
    """Return the seconds that a training step takes, the median.

    Args:
        config: The Experiment; of a schedule, the last stage counts.
        num_steps: To take; some more as in `measure`.

    Raises:
        InputError: As in `measure`.
    """
    make_deterministic(config.seed)
    _, config = config.stages()[-1]
    cycle = _cycle(config)
    whole = costs.variants(config.losses)[:1]
    with plain_errors():
        source = _batches(config)
        batches = [next(source) for _ in range(BATCHES)]
        del source
        steps, _ = _compile(config, whole, batches[0])
        times = _take_turns(steps, batches, cycle * math.ceil(num_steps / cycle))
    (seconds,) = times.values()
    return float(np.mean([np.median(seconds[k::cycle]) for k in range(cycle)]))


def _cycle(config):
    """Steps after which all that is not done at every step comes around again."""
    train = config.train
    adversarial = costs.adversarial_of(config.losses)
    lazy = 1 if adversarial is None else adversarial.penalty_interval
    cycle = math.lcm(lazy, train.g_every, train.d_every, train.accumulate)
    if cycle > LONGEST_CYCLE:
        raise InputError(
            "losses.adversarial.penalty_interval, train.g_every, train.d_every and "
            f"train.accumulate come around together every {cycle} steps only; set "
            "smaller ones to time them"
        )
    return cycle


def _batches(config):
    dataset = open_clips(split="train", **data_arguments(config))()
    return iter(dataset) if _on_tensorflow() else dataset.as_numpy_iterator()


def _on_tensorflow():
    return keras.backend.backend() == "tensorflow"


def _compile(config, chosen, batch):
    """Return {Variant: its compiled step}, and {name: why it was left out}."""
    steps, left_out = {}, {}
    path = config.train.teacher
    teacher = load_generator(path) if path else None
    for variant in _bar(chosen, "compiling", "variant"):
        try:
            changed = dataclasses.replace(config, losses=variant.losses)
            gan = build_gan(changed, teacher)
        except InputError as error:
            if variant.kind != "unused":
                raise
            left_out[variant.name] = str(error)
            continue
        steps[variant] = _compiled(gan)
        steps[variant](batch)
    return steps, left_out


def _compiled(gan):
    """The step as `fit` compiles it: a function of a batch that returns its scalars."""
    gan.make_train_function()
    if _on_tensorflow():
        return lambda batch: _floats(gan.train_function(iter([batch])))
    groups = (
        *(gan.trainable_variables, gan.non_trainable_variables),
        *(gan.optimizer.variables, gan.metrics_variables),
    )
    state = [[variable.value for variable in group] for group in groups]

    def step(batch):
        nonlocal state  # as in `fit`, a step takes over the memory of the last one's
        logs, state = gan.train_function(state, iter([batch]))
        return _floats(logs)

    return step


def _floats(logs):
    """What callbacks see at every step; waits until it is there."""
    return {name: float(value) for name, value in logs.items()}


def _take_turns(steps, batches, num_steps):
    """Return {Variant: seconds of each step, [num_steps]}."""
    times = {variant: np.zeros(num_steps) for variant in steps}
    # One step was taken to compile; another lets caches and memory settle.
    for count in _bar(range(-1, num_steps), "timing", "round"):
        batch = batches[count % len(batches)]
        for variant, step in steps.items():
            start = time.perf_counter()
            step(batch)
            if count >= 0:
                times[variant][count] = time.perf_counter() - start
    return times


def _pipeline(config, step, num_steps):
    """Time waiting for batches as training does, and then the pipeline alone.

    Returns:
        A dict: "wait_ms" and "step_ms" per step while both work, "wait_share" of
        their sum, "alone_ms" per batch of the pipeline with nobody beside it, and
        "alone_per_second", batches.
    """
    source = _batches(config)
    waits, works = [], []
    for _ in _bar(range(DRAINED + num_steps), "training", "step"):
        start = time.perf_counter()
        batch = next(source)
        arrived = time.perf_counter()
        step(batch)
        waits.append(arrived - start)
        works.append(time.perf_counter() - arrived)
    for _ in range(DRAINED):
        next(source)
    start = time.perf_counter()
    for _ in range(num_steps):
        next(source)
    alone = (time.perf_counter() - start) / num_steps
    waited, worked = (sum(seconds[DRAINED:]) for seconds in (waits, works))
    return {
        "wait_ms": 1000 * waited / num_steps,
        "step_ms": 1000 * worked / num_steps,
        "wait_share": waited / (waited + worked),
        "alone_ms": 1000 * alone,
        "alone_per_second": 1 / alone,
    }


def _bar(items, what, unit):
    columns = shutil.get_terminal_size().columns
    return tqdm.tqdm(items, desc=what, unit=unit, ncols=columns, leave=False)
