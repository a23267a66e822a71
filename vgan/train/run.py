"""From an experiment to a trained generator in its run folder."""

import contextlib
import dataclasses
import functools
import itertools
import os
import pathlib
import time
import typing

from vgan import InputError, command, pretrained
from vgan.config import data_arguments, record
from vgan.config.checks import check_where
from vgan.train import Stopped, checkpoint
from vgan.train.processes import ALONE, Processes

if typing.TYPE_CHECKING:
    from vgan.config import Experiment


SAMPLE_CLIPS, SAMPLE_FRAMES = 4, 12  # shown in TensorBoard
FINAL_SIZE, FINAL_FRAMES, FINAL_STYLES = 192, 24, 3  # of the clip at the end


def train(
    config: "Experiment", folder: pathlib.Path, processes: Processes = ALONE
) -> None:
    """Train up to `config.train.steps` in the run folder, from where it stands.

    Args:
        config: The Experiment.
        folder: Run folder, which the first process alone reads and writes.
        processes: That train together.
    """
    begun = time.monotonic()
    check_where(config)
    check_distribution(config, processes.count)
    command.import_keras()  # not before: flags are answered at once
    from vgan.datasets.styles import named_styles
    from vgan.train.build import build_gan
    from vgan.train.gan import make_deterministic
    from vgan.train.start import base_of, start_from

    make_deterministic(config.seed)
    # Wrong folders are told of before the feature networks are downloaded.
    styles = named_styles(data_arguments(config)["spec"])
    distribution = _distribution(config)
    dataset, pictures = _open_data(config, processes)
    teacher = None
    if config.train.teacher:
        from vgan.train.teacher import load_teacher

        size = config.data.image_size
        teacher = load_teacher(pretrained.find(config.train.teacher), size)
    gan = build_gan(config, teacher)
    gan.pictures = pictures
    if processes.leads:
        first_step = checkpoint.restore(folder / "checkpoints", gan)
        if first_step:
            print(f"{folder}: goes on from step {first_step}")
        elif config.train.start:
            start_from(config.train.start, gan, config.train.start_layers)
    gan.base = base_of(config.train.start, config.train.only, gan.generator)
    if processes.count > 1:
        _share_state(gan, processes)
        first_step = int(gan.step.value)

    if first_step < config.train.steps:
        deadline = config.train.minutes and begun + 60 * config.train.minutes
        arguments = (gan, config, folder, styles, first_step, dataset, deadline)
        with distribution.scope() if distribution else contextlib.nullcontext():
            finished = _fit(*arguments, processes)
        if not processes.leads:
            return
        if not finished:
            minutes = (time.monotonic() - begun) / 60
            print(
                f"{folder}: stopped after {minutes:.1f} minutes at step "
                f"{int(gan.step.value)} of {config.train.steps}; the same command goes "
                f"on\n{folder / 'generator.keras'}"
            )
            return
    elif not processes.leads:
        return
    elif not (folder / "generator.keras").exists():
        checkpoint.save_generator(folder / "generator.keras", gan, styles)
    _report(config, folder, styles, gan)
    alarms = folder / "alarms.txt"
    if alarms.exists() and (lines := alarms.read_text().splitlines()):
        print(f"{alarms}: {len(lines)} alarms; the first: {lines[0]}")
    model = folder / "generator.keras"
    print(f"Now: make generate MODEL={model} INPUT=video.mp4 STYLE=painting.jpg")
    print(folder / "samples" / "stylized.mp4")


def check_distribution(config: "Experiment", count: int = 1) -> None:
    """Raise InputError where an experiment cannot be trained by so many processes."""
    if config.train.distribution == "none":
        if count > 1:
            raise InputError(
                "coordinator: several processes train as one only with "
                "train.distribution=data_parallel; set it"
            )
        return
    if os.environ.get("KERAS_BACKEND") != "jax":
        raise InputError(
            "train.distribution: data_parallel runs on JAX alone; set KERAS_BACKEND=jax"
        )
    _check_shares(config, count, "processes")


def _check_shares(config, count, of):
    for _, stage in config.stages():
        if stage.train.batch_size % count:
            raise InputError(
                f"train.batch_size: {stage.train.batch_size} clips cannot be shared by "
                f"{count} {of}; give a multiple of {count}"
            )


def _distribution(config):
    """The keras.distribution of an experiment, over all devices of all processes."""
    if config.train.distribution == "none":
        return None
    import jax
    import keras

    # One process after the other, as its part of a batch is.
    devices = sorted(jax.devices(), key=lambda x: (x.process_index, x.id))
    _check_shares(config, len(devices), "devices")
    if len(devices) != jax.process_count() * jax.local_device_count():
        raise InputError(
            f"train.distribution: of {len(devices)} devices, one process has "
            f"{jax.local_device_count()}; give all processes equally many"
        )
    return keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)


def _share_state(gan, processes):
    """Give all processes what the first one has read."""
    variables = list(itertools.chain(*gan.saved_variables().values()))
    values = processes.share([variable.value for variable in variables])
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _open_data(config, processes):
    """Return a function (stage, first_step) that gives what `fit` trains on.

    And the pictures that a step makes its batch of; None where batches come whole.

    Raises:
        InputError: A source cannot be used.
    """
    arguments = data_arguments(config)
    if config.data.where == "host":
        from vgan.datasets.batches import open_clips

        part = processes.number, processes.count
        opened = open_clips(split="train", part=part, **arguments)

        def batches(stage, step):
            sizes = data_arguments(stage)
            same = sizes == arguments
            return (opened if same else open_clips(split="train", part=part, **sizes))(
                step
            )

        return batches, None

    from keras import ops, tree

    from vgan.datasets import device
    from vgan.train.gan import accelerator

    present, free = accelerator()
    if not present and processes.leads:
        print("data.where=device: there is no accelerator here; it runs, but slowly")
    largest = max(stage.data.image_size for _, stage in config.stages())
    stored = device.load(arguments["spec"], largest, free)

    def draws(stage, step):
        unroll, rows = stage.train.unroll, stage.train.batch_size // processes.count
        own = slice(processes.number * rows, (processes.number + 1) * rows)
        drawn = device.draws(**data_arguments(stage), unroll=unroll, first_step=step)
        return (({k: x[own] for k, x in numbers.items()},) for (numbers,) in drawn)

    return draws, tree.map_structure(ops.convert_to_tensor, stored)


def _fit(gan, config, folder, styles, first_step, dataset, deadline, processes):
    """Train; return whether all steps are done, not stopped by the deadline."""
    from vgan.datasets import windows
    from vgan.datasets.batches import plain_errors
    from vgan.evaluate.validation_metrics import ValidationMetrics
    from vgan.metrics.features import MeasuringFeatures
    from vgan.train.callbacks import Deadline, run_callbacks

    frames = max(SAMPLE_FRAMES, config.data.clip_length)
    samples = _validation_batch(config, SAMPLE_CLIPS, clip_length=frames)
    stages = [stage for stage in config.stages() if stage[0] > first_step]
    starts = [first_step, *(until for until, _ in stages)]
    datasets = [
        dataset(stage, start) for start, (_, stage) in zip(starts, stages, strict=False)
    ]
    measure = ValidationMetrics(samples, MeasuringFeatures([gan.features]))
    # All of it is accepted: from here on, this is what the run computes.
    if processes.leads:
        record.write(folder, config)
    train = config.train
    callbacks = run_callbacks(
        *(folder, gan, samples, styles, measure),
        clip_length=config.data.clip_length,
        frames=[
            (until, stage.train.batch_size * stage.data.clip_length)
            for until, stage in config.stages()
        ],
        alarm=train.alarm,
        alarm_every=train.alarm_every,
        log_every=train.log_every,
        sample_every=train.sample_every,
        evaluate_every=train.evaluate_every,
        checkpoint_every=train.checkpoint_every,
        deadline=Deadline(deadline, train.minutes, processes.share)
        if deadline
        else None,
        processes=processes,
    )
    try:
        for batches, start, (until, stage) in zip(
            datasets, starts, stages, strict=False
        ):
            if config.train.schedule and processes.leads:
                size, length = stage.data.image_size, stage.data.clip_length
                print(f"up to step {until}: {length} frames of {size} pixels")
            if gan.pictures is not None:
                arguments = data_arguments(stage)
                gan.make_batch = functools.partial(
                    windows.make_batch,
                    spec=arguments["spec"],
                    batch_size=arguments["batch_size"],
                    unroll=stage.train.unroll,
                )
            gan.train_function = None  # or the step is compiled for shapes of any size
            with plain_errors():
                gan.fit(
                    batches,
                    steps_per_epoch=until - start,
                    shuffle=False,
                    verbose=0,
                    callbacks=list(callbacks.values()),
                )
            if deadline and callbacks["deadline"].passed:
                return int(gan.step.value) == config.train.steps
    except Stopped:
        if processes.leads:
            callbacks["checkpoints"].run()
        raise
    except KeyboardInterrupt:
        if not processes.leads:
            raise
        callbacks["checkpoints"].run()
        print(f"\nstopped at step {int(gan.step.value)}; the same command goes on")
        raise
    return True


def _validation_batch(config, batch_size, **sizes):
    """A batch of validation clips of other sizes than those of training."""
    from vgan.datasets.batches import first_batch

    arguments = data_arguments(config)
    spec = dataclasses.replace(arguments["spec"], **sizes)
    return first_batch(spec, "validation", batch_size, arguments["seed"])


def _report(config, folder, styles, gan):
    """Write samples/stylized.mp4 and print figures, by generator.keras alone.

    Args:
        config: The Experiment.
        folder: The run folder.
        styles: {name: clip [T', h, w, 3] in [-1, 1]}; a few of them are shown.
        gan: The VideoGAN; the network that gives the features is its.
    """
    from vgan.evaluate import comparison
    from vgan.evaluate.validation_metrics import to_uint8
    from vgan.metrics.features import MeasuringFeatures
    from vgan.runtime import engines

    names = list(styles)[:: max(1, len(styles) // FINAL_STYLES)][:FINAL_STYLES]
    shown = {name: to_uint8(styles[name]) for name in names}
    engine = engines.load(folder / "generator.keras")

    sizes = {"clip_length": FINAL_FRAMES, "style_length": 1}
    # Stylized at the size that was trained at, where strokes are to scale; features are
    # measured at 256 pixels, whatever that size, so that runs compare.
    batch = _validation_batch(config, 1, **sizes)
    content, flow, occlusion = (
        batch[name][0] for name in ("content", "flow", "occlusion")
    )
    features = MeasuringFeatures([gan.features])
    figures = (to_uint8(content), shown, flow, occlusion, features)
    print(*comparison.describe(engine, *figures), sep="\n")

    # Last, as it is what says that the run is finished.
    try:
        batch = _validation_batch(config, 1, image_size=FINAL_SIZE, **sizes)
    except InputError as error:
        print(f"{error}: shown at {config.data.image_size}")
    path = folder / "samples" / "stylized.mp4"
    content = to_uint8(batch["content"][0])
    comparison.write_comparison(path, engine, content, shown, config.data.fps)
