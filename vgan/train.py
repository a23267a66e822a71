r"""Train an experiment; the same command resumes it, exact to the step.

  python -m vgan.train --experiment=quickstart
  python -m vgan.train --experiment=real --set data.content=clips/ --run=my_run

Everything goes to runs/<run>/: config.json, checkpoints/ (to resume from),
tensorboard/, samples/, and generator.keras, which is all that vgan.generate needs.
"""

import dataclasses
import pathlib
import signal
import sys

from absl import flags

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
FINAL_SIZE, FINAL_FRAMES, FINAL_STYLES = 192, 24, 3  # of the clip at the end


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
    if done >= config.train.steps and (folder / "samples" / "stylised.mp4").exists():
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
    from vgan.datasets.styles import named_styles
    from vgan.training.gan import VideoGAN, make_deterministic

    make_deterministic(config.seed)
    gan = VideoGAN(config)
    first_step = checkpoint.restore(folder / "checkpoints", gan)
    if first_step:
        print(f"{folder}: goes on from step {first_step}")

    styles = named_styles(config)
    if first_step < config.train.steps:
        _fit(gan, config, folder, styles, first_step)
    _report(config, folder, styles)


def _fit(gan, config, folder, styles, first_step):
    from vgan.datasets.clips import make_dataset, plain_errors
    from vgan.training.callbacks import run_callbacks

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


def _validation_batch(config, batch_size, **data):
    """A batch of validation clips of other sizes than those of training."""
    from vgan.datasets.clips import make_dataset

    config = dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, **data),
        train=dataclasses.replace(config.train, batch_size=batch_size),
    )
    return next(make_dataset(config, "validation").as_numpy_iterator())


def _report(config, folder, styles):
    """Write samples/stylised.mp4 and print figures, by generator.keras alone.

    Args:
        config: The Experiment.
        folder: The run folder.
        styles: {name: clip [T', h, w, 3] in [-1, 1]}; a few of them are shown.
    """
    from vgan.evaluation import report
    from vgan.losses.features import FeatureNetwork
    from vgan.runtime import engines

    names = list(styles)[:: max(1, len(styles) // FINAL_STYLES)][:FINAL_STYLES]
    shown = {name: _to_uint8(styles[name]) for name in names}
    engine = engines.load(folder / "generator.keras")

    sizes = {"clip_length": FINAL_FRAMES, "style_length": 1}
    batch = _validation_batch(config, 1, image_size=FINAL_SIZE, **sizes)
    path = folder / "samples" / "stylised.mp4"
    content = _to_uint8(batch["content"][0])
    report.write_comparison(path, engine, content, shown, config.data.fps)

    # Figures are of the size that was trained at: there, styles are to scale.
    batch = _validation_batch(config, 1, **sizes)
    content, flow, occlusion = (
        batch[name][0] for name in ("content", "flow", "occlusion")
    )
    features = FeatureNetwork(config.losses.features)
    figures = (_to_uint8(content), shown, flow, occlusion, features)
    print(*report.describe(engine, *figures), sep="\n")
    print(f"{folder / 'generator.keras'}\n{path}")


def _to_uint8(clip):
    """[-1, 1] -> 0..255."""
    return (clip * 127.5 + 127.5).round().astype("uint8")


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
