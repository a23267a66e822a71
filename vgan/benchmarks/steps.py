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

from vgan import InputError
from vgan.benchmarks import machine
from vgan.datasets.clips import make_dataset, plain_errors
from vgan.losses import adversarial
from vgan.training import terms
from vgan.training.gan import PENALTIES, VideoGAN, make_deterministic

BATCHES = 4  # different ones that steps are timed on
DRAINED = 8  # batches after which no buffer of the pipeline helps any more


@dataclasses.dataclass(frozen=True)
class Variant:
    """An experiment with a change of its losses, to be timed beside the others.

    Attributes:
        name: Of the term; "" for the whole step.
        kind: "whole", "noise" (the whole step once more), "used" (without a term that
            the experiment uses), "unused" (with one that it does not), "unpunished"
            (without penalties) or "penalty" (one of them, at every step).
        losses: The config.Losses.
    """

    name: str
    kind: str
    losses: object


def variants(losses, names=()):
    """Return the Variants of an experiment's losses, the whole step first.

    Args:
        losses: The config.Losses.
        names: Of the terms and penalties to look at; all of them if there are none.

    Raises:
        InputError: There is no such term.
    """
    penalties = [name for name, kind, _ in PENALTIES if _is_taken(kind, losses)]
    known = [*terms.TERMS, *penalties]
    for name in names:
        if name not in known:
            raise InputError(f"--term={name}: not here; known: {', '.join(known)}")
    found = [Variant("", "whole", losses), Variant("", "noise", losses)]
    for name in [name for name in terms.TERMS if name in (names or known)]:
        used = bool(getattr(losses, name))
        if name == "feature_matching" and not losses.gan:
            continue  # there are no features to match
        changed = dataclasses.replace(losses, **{name: 0.0 if used else 1.0})
        found.append(Variant(name, "used" if used else "unused", changed))
    penalties = [name for name in penalties if name in (names or known)]
    none = dict.fromkeys((name for name, _, _ in PENALTIES), 0.0)
    bare = dataclasses.replace(losses, **none, penalty_interval=1)
    if penalties:
        found.append(Variant("", "unpunished", bare))
    for name in penalties:
        changed = dataclasses.replace(bare, **{name: getattr(losses, name) or 1.0})
        found.append(Variant(name, "penalty", changed))
    return found


def _is_taken(kind, losses):
    """Whether the game, if there is one, takes penalties of this kind."""
    return bool(losses.gan) and kind == adversarial.game(losses.adversarial).penalty


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
    chosen = variants(config.losses, names)
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
        **_figures(config.losses, times, cycle),
        "left_out": left_out,
        "pipeline": waiting,
    }


def _cycle(config):
    """Steps after which all that is not done at every step comes around again."""
    train = config.train
    lazy = config.losses.penalty_interval if config.losses.gan else 1
    return math.lcm(lazy, train.g_every, train.d_every, train.accumulate)


def _batches(config):
    dataset = make_dataset(config, "train")
    return iter(dataset) if _on_tensorflow() else dataset.as_numpy_iterator()


def _on_tensorflow():
    return keras.backend.backend() == "tensorflow"


def _compile(config, chosen, batch):
    """Return {Variant: its compiled step}, and {name: why it was left out}."""
    steps, left_out = {}, {}
    for variant in _bar(chosen, "compiling", "variant"):
        try:
            gan = VideoGAN(dataclasses.replace(config, losses=variant.losses))
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


def _figures(losses, times, cycle):
    """Milliseconds and shares from seconds; steps at one place of a cycle are alike."""

    def typical(seconds):
        medians = [np.median(seconds[place::cycle]) for place in range(cycle)]
        return 1000 * float(np.mean(medians))

    kinds = {variant.kind: seconds for variant, seconds in times.items()}
    whole = kinds["whole"]
    step_ms = typical(whole)
    rows, penalties = [], []
    for variant, seconds in times.items():
        if variant.kind in ("used", "unused"):
            # Compared step by step: what slows a round slows both.
            difference = typical(whole - seconds)
            cost = difference if variant.kind == "used" else -difference
            rows.append(
                {
                    "term": variant.name,
                    "used": variant.kind == "used",
                    "weight": getattr(losses, variant.name),
                    "variant_ms": typical(seconds),
                    "ratio": typical(seconds) / step_ms,
                    "cost_ms": cost,
                    "share": cost / step_ms,
                }
            )
        elif variant.kind == "penalty":
            cost = typical(seconds - kinds["unpunished"])
            share = cost / losses.penalty_interval / step_ms
            penalties.append(
                {
                    "term": variant.name,
                    "used": bool(getattr(losses, variant.name)),
                    "weight": getattr(losses, variant.name),
                    "taken_ms": cost,
                    "interval": losses.penalty_interval,
                    "cost_ms": cost / losses.penalty_interval,
                    "share": share,
                }
            )
    return {
        "step_ms": step_ms,
        "noise_ms": abs(typical(whole - kinds["noise"])),
        "terms": sorted(rows, key=lambda row: (not row["used"], -row["cost_ms"])),
        "penalties": penalties,
    }


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


def lines(facts):
    """What the terminal shows of what `measure` gave."""
    setup, waiting = facts["setup"], facts["pipeline"]
    shown = [
        f"{setup['batch']}; median of {setup['steps']} steps",
        f"{setup['machine']}; {setup['versions']}",
        "",
        f"{'':28}{'ms':>9}{'share':>9}",
        _line("whole step", facts["step_ms"], 1),
        _line("(noise of it)", facts["noise_ms"], facts["noise_ms"] / facts["step_ms"]),
    ]
    titles = {True: "what a term costs", False: "what an unused term would add"}
    for used, title in titles.items():
        rows = [row for row in facts["terms"] if row["used"] == used]
        shown += ["", title] if rows else []
        shown += [_line(f"  {r['term']}", r["cost_ms"], r["share"]) for r in rows]
    if facts["penalties"]:
        interval = facts["penalties"][0]["interval"]
        shown += ["", f"what a penalty costs, taken every {interval} steps"]
        for row in facts["penalties"]:
            name = row["term"] + ("" if row["used"] else " (unused)")
            line = _line(f"  {name}", row["cost_ms"], row["share"])
            shown.append(f"{line}   ({row['taken_ms']:.1f} ms when taken)")
    shown += ["", *(f"{name}: {why}" for name, why in facts["left_out"].items())]
    return [
        *shown,
        f"The input pipeline keeps training waiting for {waiting['wait_ms']:.1f} ms "
        f"beside {waiting['step_ms']:.1f} ms of work, which it slows, "
        f"{100 * waiting['wait_share']:.1f} % of the time.",
        f"Alone, it gives a batch every {waiting['alone_ms']:.1f} ms, "
        f"{waiting['alone_per_second']:.1f} a second.",
    ]


def _line(name, milliseconds, share):
    return f"{name:28}{milliseconds:9.1f}{100 * share:7.1f} %"
