r"""Measure what training costs, and which adversarial loss does best.

  python -m tools.benchmark train --experiment=quickstart --output=report.json
  python -m tools.benchmark data --input=data/mine --input=my_videos
  python -m tools.benchmark objectives --experiment=objectives \
      --output=experiments/README.md

train: how long a step takes, what each term of the losses costs of it or would add,
and how long training waits for clips.
data: how many clips a second each source gives, how near that is to decoding alone, and
(with --steps) to what a training step eats.
objectives: trains with every adversarial loss alike, measures all on the same clips and
renews the table in a Markdown page; runs that are finished are not trained again.
"""

import pathlib
import shlex
import sys

import vgan.config
from tools.benchmark import markdown
from vgan import InputError, command
from vgan.benchmark import files

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
    "train, data: a .json file. objectives: a .md file, whose table is made.",
)
FLAGS.DEFINE_multi_string(
    "input",
    [],
    "data: a folder of videos or photos, a prepared set, 'tfds:NAME' or 'synthetic'; "
    "may be repeated (default: the sources of the experiment).",
)
FLAGS.DEFINE_integer("clips", 16, "data: different clips of each source.")
FLAGS.DEFINE_float("seconds", 12, "data: that each source is timed, at least.")
FLAGS.DEFINE_integer(
    "steps",
    20,
    "train: steps that are timed of each variant. data: the experiment's, to time "
    "beside its clips (default: none).",
)
FLAGS.DEFINE_multi_string(
    "term", [], "train: only this term or penalty; may be repeated (default: all)."
)
FLAGS.DEFINE_integer("seeds", 2, "objectives: runs of each adversarial loss.")
FLAGS.DEFINE_multi_string(
    "adversarial",
    [],
    "objectives: only this adversarial loss; may be repeated (default: all).",
)
FLAGS.DEFINE_alias("game", "adversarial")  # its name in earlier versions
FLAGS.DEFINE_string("runs", "runs/objectives", "objectives: folder of the runs.")


def main(argv):
    """Parse, check what is cheap to check, measure."""
    action = argv[1]
    for other, (_, names) in ACTIONS.items():
        for name in names:
            if name not in ACTIONS[action][1] and FLAGS[name].present:
                raise InputError(f"--{name}: is for {other}, not for {action}")
    for name in ("steps", "seeds", "clips"):
        if FLAGS[name].value < 1:
            raise InputError(f"--{name}={FLAGS[name].value}: give at least 1")
    if action == "data":
        return data()
    if not FLAGS.experiment:
        raise InputError("--experiment: give one, as in --experiment=quickstart")
    return ACTIONS[action][0](vgan.config.load(FLAGS.experiment, FLAGS.set))


def train(config):
    """Time the training step."""
    if FLAGS.output:
        files.check(FLAGS.output, ".json")
    command.import_keras()
    from tools.benchmark import costs, steps

    facts = steps.measure(config, FLAGS.steps, FLAGS.term)
    facts["setup"]["command"] = _command()
    print(*costs.lines(facts), sep="\n")
    if FLAGS.output:
        files.write_json(FLAGS.output, facts)


def data():
    """Time the sources of clips."""
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
        from tools.benchmark import steps

        seconds = steps.time_step(config, FLAGS.steps)
    with command.quiet():
        from tools.benchmark import data
    facts = data.measure(config, FLAGS.input, FLAGS.clips, FLAGS.seconds, seconds)
    facts["setup"]["command"] = _command()
    print(*data.lines(facts), sep="\n")
    if FLAGS.output:
        files.write_json(FLAGS.output, facts)


def objectives(config):
    """Compare the adversarial losses."""
    from tools.benchmark import runs

    if FLAGS.output:
        files.check(FLAGS.output, ".md")
        markdown.with_block(FLAGS.output, "objectives", "")
    command.import_keras()  # no device is taken yet: the runs need them
    from vgan.losses import Adversarial, build

    for name in FLAGS.adversarial:
        build({"adversarial": name})
    plan = runs.plan(
        FLAGS.experiment,
        FLAGS.set,
        FLAGS.adversarial or [*Adversarial.kinds],
        FLAGS.seeds,
        FLAGS.runs,
    )
    figures = pathlib.Path(FLAGS.runs) / "objectives.json"
    figures.parent.mkdir(parents=True, exist_ok=True)
    files.check(figures, ".json", "runs")
    runs.train(plan)
    from tools.benchmark import leaderboard, table

    facts = leaderboard.measure(config, plan)
    facts["setup"]["command"] = _command()
    page = table.markdown(facts)
    print(page)
    if FLAGS.output:
        block = markdown.with_block(FLAGS.output, "objectives", page)
        markdown.write(FLAGS.output, block)
    files.write_json(figures, facts)


def _command():
    return shlex.join(["python", "-m", "tools.benchmark", *sys.argv[1:]])


ACTIONS = {
    "train": (train, ("steps", "term", "experiment", "set")),
    "data": (data, ("input", "clips", "seconds", "steps", "experiment", "set")),
    "objectives": (objectives, ("seeds", "adversarial", "runs", "experiment", "set")),
}

if __name__ == "__main__":
    command.run(main, FLAGS, actions=ACTIONS)
