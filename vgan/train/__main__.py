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
from vgan.train.processes import ALONE, AUTO, joined

FLAGS = command.Flags()
FLAGS.DEFINE_string(
    "experiment", None, "Name of a file in experiments/, or the path of one."
)
FLAGS.DEFINE_multi_string(
    "set", [], "Change a field, as in --set train.steps=100; may be repeated."
)
FLAGS.DEFINE_string("run", None, "Name of the run; the experiment's by default.")
FLAGS.DEFINE_string("runs", "runs", "Folder of all runs.")
FLAGS.DEFINE_string(
    "coordinator",
    None,
    "HOST:PORT of process 0, where several processes train as one "
    "(docs/many_machines.md); auto: what JAX finds on Slurm, Kubernetes, TPU pods.",
)
FLAGS.DEFINE_integer("processes", None, "How many they are.", lower_bound=1)
FLAGS.DEFINE_integer("process_id", None, "Number of this one, from 0.", lower_bound=0)


def main(argv: list[str]) -> None:
    """Parse, then train."""
    del argv
    if not FLAGS.experiment:
        raise InputError("--experiment: give one, as in --experiment=quickstart")
    config = vgan.config.load(FLAGS.experiment, FLAGS.set)
    with _processes(config) as processes:
        failure = _train(config, processes)
        if failure and processes.leads:  # the others end when it does
            sys.exit(f"vgan.train: stopped, {failure}")


def _processes(config):
    """The processes that the flags name, to be entered."""
    numbers = {"processes": FLAGS.processes, "process_id": FLAGS.process_id}
    given = [name for name, value in numbers.items() if value is not None]
    if not FLAGS.coordinator:
        if given:
            raise InputError(
                f"{given[0]}: needs the address of process 0; give --coordinator, too"
            )
        return contextlib.nullcontext(ALONE)
    if FLAGS.coordinator == AUTO and given:
        raise InputError(f"{given[0]}: is found, too, with --coordinator={AUTO}")
    if FLAGS.coordinator != AUTO and len(given) < 2:
        raise InputError("coordinator: give --processes and --process_id, too")
    count, number = numbers.values()
    if count is not None and number >= count:
        raise InputError(f"process_id: must be below --processes={count}, got {number}")
    run.check_distribution(config, count or 1)
    return joined(config, FLAGS.coordinator, count, number)


def _train(config, processes):
    """Train; return what has failed and what to do, or None."""
    name = FLAGS.run or pathlib.Path(FLAGS.experiment).stem
    folder = pathlib.Path(FLAGS.runs) / name
    finished = processes.leads and _is_finished(config, folder)
    if processes.share(finished):
        return None
    with _only_one(folder) if processes.leads else contextlib.nullcontext():
        try:
            run.train(config, folder, processes)
            return None
        except FloatingPointError as error:
            failure = str(error)
            advice = (
                "Try smaller learning rates or weights: --set train.g_learning_rate=..."
            )
        except Stopped as error:
            failure, advice = str(error), "Then the same command goes on."
    last = checkpoint.latest_step(folder / "checkpoints")
    kept = f"the checkpoint of step {last} is kept" if last else "none is kept"
    return f"{failure}; {kept}. {advice}"


def _is_finished(config, folder):
    """Tell where a run stands, and what has changed; return whether it is at its end.

    Raises:
        InputError: It is of another experiment.
    """
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
        return True
    for change in changes:
        print(f"{folder}: changed, {change}")
    return False


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
