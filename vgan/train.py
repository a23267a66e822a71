r"""Train an experiment; the same command resumes it, exact to the step.

  python -m vgan.train --experiment=quickstart
  python -m vgan.train --experiment=real --set data.content=clips/ --run=my_run

Everything goes to runs/<run>/: config.json, checkpoints/ (to resume from),
tensorboard/, samples/, and generator.keras, which is all that vgan.generate needs.
"""

import dataclasses
import fractions
import pathlib
import signal
import sys

from absl import flags, logging

import vgan.config
from vgan import InputError, command
from vgan.training import checkpoint

FLAGS = flags.FLAGS
flags.DEFINE_string(
    "experiment", None, "Name of a file in experiments/, or the path of one."
)
flags.DEFINE_multi_string(
    "set", [], "Change a field, as in --set train.steps=100; may be repeated."
)
flags.DEFINE_string("run", None, "Name of the run; the experiment's by default.")
flags.DEFINE_string("runs", "runs", "Folder of all runs.")

SAMPLE_CLIPS, SAMPLE_FRAMES = 4, 12  # shown in TensorBoard
FINAL_SIZE, FINAL_FRAMES, FINAL_STYLES = 256, 24, 3  # of the clip at the end


def main(argv):
    """Parse, then train."""
    del argv
    if not FLAGS.experiment:
        raise InputError("--experiment: give one, as in --experiment=quickstart")
    config = vgan.config.load(FLAGS.experiment, FLAGS.set)
    name = FLAGS.run or pathlib.Path(FLAGS.experiment).stem
    folder = pathlib.Path(FLAGS.runs) / name
    _keep_config(folder, config)
    done = checkpoint.latest_step(folder / "checkpoints")
    if done >= config.train.steps:
        print(
            f"{folder} is finished: {done} steps. For more, --set train.steps=N; "
            f"to start anew, another --run or remove the folder.\n"
            f"{folder / 'samples' / 'stylised.mp4'}"
        )
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        train(config, folder)
    except FloatingPointError as error:
        last = checkpoint.latest_step(folder / "checkpoints")
        sys.exit(
            f"vgan.train: stopped, {error}. The checkpoint of step {last} is kept; "
            "try smaller learning rates or weights: --set train.g_learning_rate=..."
        )


def train(config, folder):
    """Train up to `config.train.steps` in the run folder, from where it stands."""
    command.import_keras()  # not before: flags are answered at once
    from vgan.datasets.clips import make_dataset, plain_errors
    from vgan.datasets.styles import named_styles
    from vgan.training.callbacks import run_callbacks
    from vgan.training.gan import VideoGAN, make_deterministic

    make_deterministic(config.seed)
    gan = VideoGAN(config)
    first_step = checkpoint.restore(folder / "checkpoints", gan)
    if first_step:
        logging.info("%s: goes on from step %d", folder, first_step)

    styles = named_styles(config)
    samples = _validation_batch(config, SAMPLE_CLIPS, clip_length=SAMPLE_FRAMES)
    callbacks = run_callbacks(folder, config, gan, samples, styles)
    try:
        with plain_errors():
            gan.fit(
                make_dataset(config, "train", first_step=first_step),
                steps_per_epoch=config.train.steps - first_step,
                shuffle=False,
                verbose=0,
                callbacks=list(callbacks.values()),
            )
    except KeyboardInterrupt:
        callbacks["checkpoints"].save()
        print(f"\nstopped at step {int(gan.step.value)}; the same command goes on")
        raise
    _stylise_sample(config, folder, styles)


def _validation_batch(config, batch_size, **data):
    """A batch of validation clips of other sizes than those of training."""
    from vgan.datasets.clips import make_dataset

    config = dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, **data),
        train=dataclasses.replace(config.train, batch_size=batch_size),
    )
    return next(make_dataset(config, "validation").as_numpy_iterator())


def _stylise_sample(config, folder, styles):
    """Write samples/stylised.mp4, content | style | result, and print its figures.

    Made by generator.keras alone, from clips that were not trained on.

    Args:
        config: The Experiment.
        folder: The run folder.
        styles: {name: clip [T', h, w, 3] in [-1, 1]}; a few of them are shown.
    """
    import cv2
    import numpy as np

    from vgan.evaluation import metrics
    from vgan.losses.features import FeatureNetwork
    from vgan.runtime import Stylizer, engines
    from vgan.video import VideoWriter

    batch = _validation_batch(
        config, 1, image_size=FINAL_SIZE, clip_length=FINAL_FRAMES, style_length=1
    )
    flow, occlusion = batch["flow"][0], batch["occlusion"][0]
    content = np.rint(batch["content"][0] * 127.5 + 127.5).astype(np.uint8)
    engine = engines.load(folder / "generator.keras")
    features = FeatureNetwork(config.losses.features)
    tick = 1 / fractions.Fraction(config.data.fps)
    path = folder / "samples" / "stylised.mp4"
    with VideoWriter(path, fps=config.data.fps, overwrite=True) as writer:
        shown = list(styles)[:: max(1, len(styles) // FINAL_STYLES)][:FINAL_STYLES]
        for name in shown:
            style = np.rint(styles[name] * 127.5 + 127.5).astype(np.uint8)
            stylizer = Stylizer(engine, [engine.named_styles[name]])
            result = np.stack([stylizer(frame) for frame in content])
            picture = cv2.resize(style[0], (FINAL_SIZE, FINAL_SIZE))
            for before, after in zip(content, result, strict=True):
                row = np.concatenate([before, picture, after], axis=1)
                writer.write(row, writer.num_frames * tick)
            strength = metrics.style_strength(result, style, content, features)
            line = f"{name}: style strength {strength:.2f}"
            if not np.all(occlusion):  # real videos have no exact flow
                error, least = (
                    metrics.warping_error(clip, flow, occlusion)
                    for clip in (result, content)
                )
                line += f", warping error {error:.5f} (the content's: {least:.5f})"
            print(line)
    print(f"{folder / 'generator.keras'}\n{path}")


def _keep_config(folder, config):
    """Write config.json; refuse to go on with other networks."""
    path = folder / "config.json"
    if path.exists():
        try:
            before = vgan.config.from_json(path.read_text())
        except InputError as error:
            raise InputError(f"{path}: {error}; remove it, or use --run") from error
        for section in ("generator", "discriminator"):
            old, new = getattr(before, section), getattr(config, section)
            if old != new:
                raise InputError(
                    f"{folder}: was trained with {section}={old}, not {new}; "
                    "give the run another name with --run"
                )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(vgan.config.to_json(config))
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); give another --runs"
        ) from error


if __name__ == "__main__":
    command.run(main)
