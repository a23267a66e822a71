r"""Export a trained generator, to run without Keras.

python -m vgan.export --model=runs/quickstart/generator.keras --format=openvino \
    --output=stylize

makes the folder `stylize`, which `python -m vgan.generate --model=stylize` takes, and
whose README.md shows the loop over frames for other programs.
"""

import os

from vgan import InputError, command, pretrained

NAMES = ("tf_saved_model", "onnx", "openvino", "litert", "web")

FLAGS = command.Flags()
FLAGS.DEFINE_string(
    "model", None, "the generator.keras of a run, or painterly or painterly_small"
)
FLAGS.DEFINE_enum("format", None, NAMES, "what to make")
FLAGS.DEFINE_string("output", None, "folder to make")
FLAGS.DEFINE_string(
    "size",
    "dynamic",
    "height and width of frames, as in 360x640: multiples of 8, or of the stride of "
    "the generator; or dynamic, which litert and web cannot",
)
FLAGS.DEFINE_enum(
    "int8",
    None,
    ("weights", "full"),
    "quantize the weights, or activations too; says what is lost",
)
FLAGS.DEFINE_bool("overwrite", False, "replace an export that exists")


def main(_: list[str]) -> None:
    """Check what is cheap to check, export, say how well it agrees."""
    for name, example in (
        ("model", "runs/quickstart/generator.keras"),
        ("format", "openvino"),
        ("output", "stylize"),
    ):
        if not FLAGS[name].value:
            raise InputError(f"--{name}: is missing; give one, such as {example}")
    # Only TensorFlow's graphs can be converted, wherever the model was trained.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from vgan.runtime import engines

    size = None if FLAGS.size == "dynamic" else engines.parse_size(FLAGS.size)
    FLAGS.model = pretrained.find(FLAGS.model)
    engines.describe(FLAGS.model)
    command.import_keras()
    from vgan.export import run

    with command.quiet():
        lines = run.export(
            FLAGS.model, FLAGS.output, FLAGS.format, size, FLAGS.int8, FLAGS.overwrite
        )
    print(*lines, sep="\n")
    print(f"{FLAGS.output}: {FLAGS.format}; its README.md shows how to run it")


if __name__ == "__main__":
    command.run(main, FLAGS)
