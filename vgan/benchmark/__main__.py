r"""Measure how long stylizing takes on this machine.

python -m vgan.benchmark generate --model=runs/quickstart/generator.keras

times each stage of a frame (decoding, network, encoding) with each engine, and a whole
video from file to file; and says where the processor time of a frame goes, and how near
to the limit it comes.
"""

import shlex
import sys

from vgan import InputError, command, pretrained

FLAGS = command.Flags()
FLAGS.DEFINE_string("output", None, "a .json file for the figures")
FLAGS.DEFINE_string(
    "model", None, "a generator.keras, an export, or painterly or painterly_small"
)
FLAGS.DEFINE_multi_string(
    "engine", [], "only this engine; may be repeated (default: all there are)"
)
FLAGS.DEFINE_multi_string(
    "size",
    [],
    "height x width, as in 360x640; repeatable (default: 360, 720 and 1080 high)",
)
FLAGS.DEFINE_multi_string("input", [], "a video to take, at its own size")
FLAGS.DEFINE_integer("frames", 150, "most frames that are timed one by one")
FLAGS.DEFINE_float("proxy", 1.0, "as of vgan.generate")


def main(_: list[str]) -> None:
    """Parse, check what is cheap to check, measure."""
    from vgan.benchmark import files, stages
    from vgan.runtime import engines

    if FLAGS.frames < 1:
        raise InputError(f"--frames={FLAGS.frames}: give at least 1")
    if not FLAGS.model:
        raise InputError("--model: is missing; give a generator.keras, or an export")
    if not 0.1 <= FLAGS.proxy <= 1:
        raise InputError(f"--proxy={FLAGS.proxy}: give 0.1 to 1")
    if FLAGS.output:
        files.check(FLAGS.output, ".json")
    sizes = [engines.parse_size(size) for size in FLAGS.size]
    if len(FLAGS.input) > 1:
        raise InputError("--input: generate takes one video; give one")
    if FLAGS.input and sizes:
        raise InputError("--size: is for rendered videos; leave it or --input out")
    FLAGS.model = pretrained.find(FLAGS.model)
    names = FLAGS.engine or engines.present(FLAGS.model)
    facts = stages.measure(
        FLAGS.model,
        names,
        sizes or ([None] if FLAGS.input else stages.SIZES),
        FLAGS.input[0] if FLAGS.input else None,
        FLAGS.frames,
        FLAGS.proxy,
        command.import_keras,
    )
    facts["setup"]["command"] = shlex.join(
        ["python", "-m", "vgan.benchmark", *sys.argv[1:]]
    )
    print(*stages.lines(facts), sep="\n")
    if FLAGS.output:
        files.write_json(FLAGS.output, facts)


if __name__ == "__main__":
    command.run(main, FLAGS, actions=["generate"])
