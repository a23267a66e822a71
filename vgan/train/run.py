"""From an experiment to a trained generator in its run folder."""

import dataclasses
import functools
import pathlib
import time
import typing

from vgan import InputError, command, pretrained
from vgan.config import data_arguments, record
from vgan.config.checks import check_where
from vgan.train import Stopped, checkpoint

if typing.TYPE_CHECKING:
    from vgan.config import Experiment


SAMPLE_CLIPS, SAMPLE_FRAMES = 4, 12  # shown in TensorBoard
FINAL_SIZE, FINAL_FRAMES, FINAL_STYLES = 192, 24, 3  # of the clip at the end


def train(config: "Experiment", folder: pathlib.Path) -> None:
    """Train up to `config.train.steps` in the run folder, from where it stands."""
    begun = time.monotonic()
    check_where(config)
    command.import_keras()  # not before: flags are answered at once
    from vgan.datasets.styles import named_styles
    from vgan.train.build import build_gan
    from vgan.train.gan import make_deterministic
    from vgan.train.start import start_from

    make_deterministic(config.seed)
    # Wrong folders are told of before the feature networks are downloaded.
    styles = named_styles(data_arguments(config)["spec"])
    dataset, pictures = _open_data(config)
    teacher = None
    if config.train.teacher:
        from vgan.train.teacher import load_teacher

        size = config.data.image_size
        teacher = load_teacher(pretrained.find(config.train.teacher), size)
    gan = build_gan(config, teacher)
    gan.pictures = pictures
    first_step = checkpoint.restore(folder / "checkpoints", gan)
    if first_step:
        print(f"{folder}: goes on from step {first_step}")
    elif config.train.start:
        start_from(config.train.start, gan, config.train.start_layers)

    if first_step < config.train.steps:
        deadline = config.train.minutes and begun + 60 * config.train.minutes
        if not _fit(gan, config, folder, styles, first_step, dataset, deadline):
            minutes = (time.monotonic() - begun) / 60
            print(
                f"{folder}: stopped after {minutes:.1f} minutes at step "
                f"{int(gan.step.value)} of {config.train.steps}; the same command goes "
                f"on\n{folder / 'generator.keras'}"
            )
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


def _open_data(config):
    """Return a function (stage, first_step) that gives what `fit` trains on.

    And the pictures that a step makes its batch of; None where batches come whole.

    Raises:
        InputError: A source cannot be used.
    """
    arguments = data_arguments(config)
    if config.data.where == "host":
        from vgan.datasets.batches import open_clips

        opened = open_clips(split="train", **arguments)

        def batches(stage, step):
            sizes = data_arguments(stage)
            same = sizes == arguments
            return (opened if same else open_clips(split="train", **sizes))(step)

        return batches, None

    from keras import ops, tree

    from vgan.datasets import device
    from vgan.train.gan import accelerator

    present, free = accelerator()
    if not present:
        print("data.where=device: there is no accelerator here; it runs, but slowly")
    largest = max(stage.data.image_size for _, stage in config.stages())
    stored = device.load(arguments["spec"], largest, free)

    def draws(stage, step):
        unroll = stage.train.unroll
        return device.draws(**data_arguments(stage), unroll=unroll, first_step=step)

    return draws, tree.map_structure(ops.convert_to_tensor, stored)


def _fit(gan, config, folder, styles, first_step, dataset, deadline):
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
        deadline=Deadline(deadline, train.minutes) if deadline else None,
    )
    try:
        for batches, start, (until, stage) in zip(
            datasets, starts, stages, strict=False
        ):
            if config.train.schedule:
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
        callbacks["checkpoints"].run()
        raise
    except KeyboardInterrupt:
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
