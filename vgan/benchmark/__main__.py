r"""Measure what stylising and training cost, and which objective does best.

  python -m vgan.benchmark generate --model=runs/quickstart/generator.keras
  python -m vgan.benchmark train --experiment=quickstart --output=report.json
  python -m vgan.benchmark data --input=data/mine --input=my_videos
  python -m vgan.benchmark objectives --experiment=objectives \
      --output=experiments/README.md

generate: how long a frame takes at each stage, with each engine, and a whole video from
file to file.
train: how long a step takes, what each term of the losses costs of it or would add,
and how long training waits for clips.
data: how many clips a second each source gives, how near that is to decoding alone, and
(with --steps) to what a training step eats.
objectives: trains every adversarial game alike, measures all on the same clips, and
renews the table in a Markdown page; runs that are finished are not trained again.
"""

import pathlib
import shlex
import sys

import vgan.config
from vgan import InputError, command, pretrained

CLIPS = vgan.config.Data(image_size=256, clip_length=16)  # without an experiment

FLAGS = command.Flags()
FLAGS.DEFINE_string(
    "experiment", None, "Name of a file in experiments/, or the path of one."
)
FLAGS.DEFINE_multi_string(
    "set", [], "Change a field, as in --set train.steps=100; may be repeated."
)
FLAGS.DEFINE_string(
    "output",
    None,
    "generate, train, data: a .json file. objectives: a .md file, whose table is made.",
)
FLAGS.DEFINE_string(
    "model",
    None,
    "generate: a generator.keras, an export, or painterly or painterly_small.",
)
FLAGS.DEFINE_multi_string(
    "engine",
    [],
    "generate: only this engine; may be repeated (default: all there are).",
)
FLAGS.DEFINE_multi_string(
    "size", [], "generate: height x width, as in 360x640, the default; may be repeated."
)
FLAGS.DEFINE_multi_string(
    "input",
    [],
    "generate: a video to take, at its own size. data: a folder of videos or photos, a "
    "prepared set, 'tfds:NAME' or 'synthetic'; may be repeated (default: the sources "
    "of the experiment).",
)
FLAGS.DEFINE_integer("clips", 16, "data: different clips of each source.")
FLAGS.DEFINE_float("seconds", 12, "data: that each source is timed, at least.")
FLAGS.DEFINE_integer("frames", 150, "generate: most frames that are timed one by one.")
FLAGS.DEFINE_float("proxy", 1.0, "generate: as of vgan.generate.")
FLAGS.DEFINE_integer(
    "steps",
    20,
    "train: steps that are timed of each variant. data: the experiment's, to time "
    "beside its clips (default: none).",
)
FLAGS.DEFINE_multi_string(
    "term", [], "train: only this term or penalty; may be repeated (default: all)."
)
FLAGS.DEFINE_integer("seeds", 2, "objectives: runs of each game.")
FLAGS.DEFINE_multi_string(
    "game", [], "objectives: only this game; may be repeated (default: all)."
)
FLAGS.DEFINE_string("runs", "runs/objectives", "objectives: folder of the runs.")


def main(argv):
    """Parse, check what is cheap to check, measure."""
    action = argv[1]
    for other, (_, names) in ACTIONS.items():
        for name in names:
            if name not in ACTIONS[action][1] and FLAGS[name].present:
                raise InputError(f"--{name}: is for {other}, not for {action}")
    for name in ("steps", "seeds", "frames", "clips"):
        if FLAGS[name].value < 1:
            raise InputError(f"--{name}={FLAGS[name].value}: give at least 1")
    if action in ("generate", "data"):
        return ACTIONS[action][0]()
    if not FLAGS.experiment:
        raise InputError("--experiment: give one, as in --experiment=quickstart")
    return ACTIONS[action][0](vgan.config.load(FLAGS.experiment, FLAGS.set))


def generate():
    """Time the engines."""
    from vgan.benchmark import files, stages
    from vgan.runtime import engines

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
        sizes or [None if FLAGS.input else (360, 640)],
        FLAGS.input[0] if FLAGS.input else None,
        FLAGS.frames,
        FLAGS.proxy,
        command.import_keras,
    )
    facts["setup"]["command"] = _command()
    print(*stages.lines(facts), sep="\n")
    if FLAGS.output:
        files.write_json(FLAGS.output, facts)


def train(config):
    """Time the training step."""
    from vgan.benchmark import files

    if FLAGS.output:
        files.check(FLAGS.output, ".json")
    command.import_keras()
    from vgan.benchmark import costs, steps

    facts = steps.measure(config, FLAGS.steps, FLAGS.term)
    facts["setup"]["command"] = _command()
    print(*costs.lines(facts), sep="\n")
    if FLAGS.output:
        files.write_json(FLAGS.output, facts)


def data():
    """Time the sources of clips."""
    from vgan.benchmark import files

    if FLAGS.output:
        files.check(FLAGS.output, ".json")
    if not 0 < FLAGS.seconds < 1e6:
        raise InputError(f"--seconds={FLAGS.seconds:g}: give a number above 0")
    if FLAGS["steps"].present and not FLAGS.experiment:
        raise InputError("--steps: is of an experiment; give --experiment too")
    config = vgan.config.Experiment(data=CLIPS)
    if FLAGS.experiment:
        config = vgan.config.load(FLAGS.experiment)
    config = vgan.config.override(config, FLAGS.set)
    seconds = None
    if FLAGS["steps"].present:
        command.import_keras()
        from vgan.benchmark import steps

        seconds = steps.time_step(config, FLAGS.steps)
    with command.quiet():
        from vgan.benchmark import data
    facts = data.measure(config, FLAGS.input, FLAGS.clips, FLAGS.seconds, seconds)
    facts["setup"]["command"] = _command()
    print(*data.lines(facts), sep="\n")
    if FLAGS.output:
        files.write_json(FLAGS.output, facts)


def objectives(config):
    """Compare the games."""
    from vgan.benchmark import files, runs

    if FLAGS.output:
        files.check(FLAGS.output, ".md")
        files.with_block(FLAGS.output, "objectives", "")
    command.import_keras()  # no device is taken yet: the runs need them
    from vgan.losses import Adversarial, build

    for name in FLAGS.game:
        build({"adversarial": name})
    plan = runs.plan(
        FLAGS.experiment,
        FLAGS.set,
        FLAGS.game or [*Adversarial.kinds],
        FLAGS.seeds,
        FLAGS.runs,
    )
    figures = pathlib.Path(FLAGS.runs) / "objectives.json"
    figures.parent.mkdir(parents=True, exist_ok=True)
    files.check(figures, ".json", "runs")
    runs.train(plan)
    from vgan.benchmark import standings, table

    facts = standings.measure(config, plan)
    facts["setup"]["command"] = _command()
    page = table.markdown(facts)
    print(page)
    if FLAGS.output:
        files.write(FLAGS.output, files.with_block(FLAGS.output, "objectives", page))
    files.write_json(figures, facts)


def _command():
    return shlex.join(["python", "-m", "vgan.benchmark", *sys.argv[1:]])


ACTIONS = {
    "generate": (generate, ("model", "engine", "size", "input", "frames", "proxy")),
    "train": (train, ("steps", "term", "experiment", "set")),
    "data": (data, ("input", "clips", "seconds", "steps", "experiment", "set")),
    "objectives": (objectives, ("seeds", "game", "runs", "experiment", "set")),
}

if __name__ == "__main__":
    command.run(main, FLAGS, actions=ACTIONS)
