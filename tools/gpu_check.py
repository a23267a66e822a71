r"""What one GPU does: speed of training and of generating, and agreement with the CPU.

    KERAS_BACKEND=jax python -m tools.gpu_check            # under 5 minutes
    KERAS_BACKEND=jax python -m tools.gpu_check --tiny     # tries the script on a CPU

Needs the extra jax with CUDA (`pip install 'jax[cuda13]'`); for `onnx`, onnxruntime-gpu
and the extra onnx. Prints a table in Markdown; --output keeps it as JSON.
"""

import itertools
import time

from vgan import InputError, command, pretrained

FLAGS = command.Flags()
FLAGS.DEFINE_bool("tiny", False, "small sizes and few steps, to try it on a CPU")
FLAGS.DEFINE_string("model", "painterly_small", "what generates")
FLAGS.DEFINE_multi_string("engine", ["keras", "onnx"], "what runs it; may be repeated")
FLAGS.DEFINE_string("output", None, "a .json file for the figures")
AGREE = 1e-3  # of losses, which a GPU with TF32 may miss; --tiny holds to it on a CPU


def main(_: list[str]) -> None:
    """Measure, print."""
    started = time.perf_counter()
    command.import_keras()
    import jax
    import keras

    from vgan.benchmark import files, machine, stages
    from vgan.config import Data, Experiment, Train
    from vgan.runtime import engines

    if keras.backend.backend() != "jax":
        raise InputError("KERAS_BACKEND: training is checked on JAX; set it to jax")
    pixels, steps, frames = (32, 4, 20) if FLAGS.tiny else (256, 30, 150)
    sizes = [(72, 128)] if FLAGS.tiny else [(720, 1280), (1080, 1920)]
    network = {"filters": (8, 8, 16), "hidden_filters": 8} if FLAGS.tiny else {}
    config = Experiment(
        data=Data(image_size=pixels, clip_length=2 if FLAGS.tiny else 4),
        generator=network,
        train=Train(batch_size=2 if FLAGS.tiny else 8),
    )
    facts = {**machine.describe(), "rows": []}
    print(facts["machine"], facts["versions"], sep="\n", flush=True)
    print("\n| what | figure |\n| --- | --- |")

    def tell(what, figure):
        facts["rows"].append([what, figure])
        print(f"| {what} | {figure} |", flush=True)

    for precision in ("float32", "bfloat16"):
        seconds, _ = train(with_precision(config, precision), steps)
        per_step = config.train.batch_size * config.data.clip_length
        what = f"training at {pixels} px, {precision}, {config.train.batch_size} clips"
        tell(what, f"{per_step / seconds:.1f} frames/s")
    small = Experiment(
        data=Data(image_size=32, clip_length=2),
        generator={"filters": (8, 8, 16), "hidden_filters": 8},
        train=Train(batch_size=2),
    )
    both = []
    for device in (jax.local_devices()[0], jax.local_devices(backend="cpu")[0]):
        with jax.default_device(device):
            both.append(train(small, 4)[1])
    apart = max(
        abs(a[name] - b[name]) / max(abs(b[name]), 1e-2)
        for a, b in zip(*both, strict=True)
        for name in b
    )
    good = "agrees" if apart <= AGREE else "differs"
    tell("losses of 4 steps, GPU against CPU", f"{apart:.1e} at most: {good}")

    model = pretrained.find(FLAGS.model)
    for name in [x for x in FLAGS.engine if x in engines.present(model)]:
        measured = stages.measure(
            model, [name], sizes, num_frames=frames, prepare=command.import_keras
        )
        for row in measured["rows"]:
            at = f"{row['engine']} at {row['size'][1]}x{row['size'][0]}"
            for stage, figures in row["stages"].items():
                tell(f"{stage}, {at}", f"{1000 / figures['median_ms']:.0f} frames/s")
            tell(f"file to file, {at}", f"{row['fps']:.0f} frames/s")
    tell("all of this", f"{time.perf_counter() - started:.0f} s")
    if FLAGS.output:
        files.write_json(FLAGS.output, facts)


def with_precision(config, precision):
    """The experiment with layers of another precision."""
    import vgan.config

    return vgan.config.override(config, [f"train.precision={precision}"])


def train(config, num_steps):
    """Train on one batch over and over; return seconds per step, and all losses."""
    import keras
    import numpy as np

    from vgan.config import data_arguments
    from vgan.datasets.batches import first_batch
    from vgan.train.build import build_gan
    from vgan.train.gan import make_deterministic

    make_deterministic(config.seed)
    gan = build_gan(config)
    arguments = data_arguments(config)
    batch = first_batch(arguments["spec"], "train", arguments["batch_size"])
    ends, losses = [], []

    def after(_, logs):
        ends.append(time.perf_counter())
        losses.append({name: float(value) for name, value in logs.items()})

    gan.fit(
        ((batch,) for _ in itertools.count()),
        steps_per_epoch=num_steps,
        shuffle=False,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=after)],
    )
    return float(np.median(np.diff(ends))), losses


if __name__ == "__main__":
    command.run(main, FLAGS)
