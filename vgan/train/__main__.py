r"""Train an experiment; the same command resumes it, exact to the step.

  python -m vgan.train --experiment=quickstart
  python -m vgan.train --experiment=real --set data.content=clips/ --run=my_run

Everything goes to runs/<run>/: config.json, checkpoints/ (to resume from),
tensorboard/, samples/, and generator.keras, which is all that vgan.generate needs.
"""

import contextlib
import pathlib
import sys

import vgan.config
from vgan import InputError, command, files
from vgan.config import record
from vgan.train import Stopped, checkpoint, run

FLAGS = command.Flags()
FLAGS.DEFINE_string(
    "experiment", None, "Name of a file in experiments/, or the path of one."
)
FLAGS.DEFINE_multi_string(
    "set", [], "Change a field, as in --set train.steps=100; may be repeated."
)
FLAGS.DEFINE_string("run", None, "Name of the run; the experiment's by default.")
FLAGS.DEFINE_string("runs", "runs", "Folder of all runs.")


def main(argv: list[str]) -> None:
    """Parse, then train."""
    del argv
    if not FLAGS.experiment:
        raise InputError("--experiment: give one, as in --experiment=quickstart")
    config = vgan.config.load(FLAGS.experiment, FLAGS.set)
    name = FLAGS.run or pathlib.Path(FLAGS.experiment).stem
    folder = pathlib.Path(FLAGS.runs) / name
    done = checkpoint.latest_step(folder / "checkpoints")
    begun = any((folder / "checkpoints").glob("step_*.npz"))
    changes = record.changes(folder, config) if begun else []
    names = ("stylized.mp4", "stylised.mp4")  # now, and in earlier versions
    videos = [p for name in names if (p := folder / "samples" / name).exists()]
    has_model = (folder / "generator.keras").exists()
    if done >= config.train.steps and has_model and videos:
        print(
            f"{folder} is finished: {done} steps. For more, --set train.steps=N; "
            f"to start anew, another --run or remove the folder.\n"
            f"{videos[0]}"
        )
        return
    for change in changes:
        print(f"{folder}: changed, {change}")
    failure = None
    with _only_one(folder):
        try:
            run.train(config, folder)
        except FloatingPointError as error:
            failure = str(error)
            advice = (
                "Try smaller learning rates or weights: --set train.g_learning_rate=..."
            )
        except Stopped as error:
            failure, advice = str(error), "Then the same command goes on."
    if failure:
        last = checkpoint.latest_step(folder / "checkpoints")
        kept = f"the checkpoint of step {last} is kept" if last else "none is kept"
        sys.exit(f"vgan.train: stopped, {failure}; {kept}. {advice}")


@contextlib.contextmanager
def _only_one(folder):
    """Hold the run folder, which two trainings at once would spoil."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    told = f"{folder}: another training is at work there; wait for it, or --run"
    try:
        with files.locked(folder, told):
            yield
    finally:
        with contextlib.suppress(OSError):
            for path in made:
                path.rmdir()  # what failed before its first step leaves nothing


if __name__ == "__main__":
    command.run(main, FLAGS)
