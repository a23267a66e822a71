"""Many runs of one experiment, each trained by a process of its own."""

import dataclasses
import os
import pathlib
import subprocess
import sys

from vgan import InputError
from vgan import config as configs


@dataclasses.dataclass
class Run:
    """An adversarial loss with a seed.

    Attributes:
        loss: Its name.
        seed: Its number, from 0.
        folder: Of the run.
        config: Its Experiment.
        arguments: What vgan.train is told.
        stopped: Why it ended before its last step; "" if it did not.
    """

    loss: str
    seed: int
    folder: pathlib.Path
    config: configs.Experiment
    arguments: list[str]
    stopped: str = ""


def plan(experiment, overrides, losses, num_seeds, folder):
    """Return the Runs of each loss and seed.

    Args:
        experiment: As `config.load` takes it.
        overrides: The same.
        losses: Names.
        num_seeds: Runs of each.
        folder: Of all runs.

    Raises:
        InputError: A field does not fit, or there is a run of another experiment.
    """
    from vgan.train.build import (
        build_losses,  # with Keras, which is not needed to train
    )

    runs = []
    for loss in losses:
        for seed in range(num_seeds):
            own = [*overrides, f"losses.adversarial={loss}", f"seed={seed}"]
            name = f"{loss}_{seed}"
            run = Run(
                *(loss, seed, pathlib.Path(folder, name)),
                configs.load(experiment, own),
                [
                    f"--experiment={experiment}",
                    *(f"--set={text}" for text in own),
                    f"--runs={folder}",
                    f"--run={name}",
                ],
            )
            build_losses(run.config)
            _check(run)
            runs.append(run)
    return runs


def _check(run):
    """Raise InputError if the folder holds what is no part of this comparison."""
    path = run.folder / "config.json"
    if not path.exists():
        return
    try:
        before = configs.from_json(path.read_text())
    except (InputError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be used ({error}); give another runs=FOLDER"
        ) from error
    if configs.to_json(before) != configs.to_json(run.config):
        raise InputError(
            f"{run.folder}: was trained with other settings; give another runs=FOLDER, "
            "or remove it"
        )


def train(runs):
    """Train all runs that are not finished, one after the other.

    A run that stops by itself (its losses are not finite, or the alarm stops it) says
    why in `stopped`.

    Raises:
        InputError: A run is refused, or breaks.
        KeyboardInterrupt: The run that was being trained has kept a checkpoint.
    """
    for count, run in enumerate(runs, start=1):
        print(f"{count} of {len(runs)}: {run.loss}, seed {run.seed}", file=sys.stderr)
        status, last = _call(["-m", "vgan.train", *run.arguments])
        reason = last.removeprefix("vgan.train: ")
        if status == 0:
            continue
        if status != 1 or not reason.startswith("stopped, "):
            raise InputError(f"{run.folder}: {reason or f'training ended: {status}'}")
        run.stopped = reason.removeprefix("stopped, ")


def _call(arguments):
    """Run Python; show its errors as they come; return exit status and last line."""
    # In a group of its own, Ctrl-C reaches it once: by the line below.
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        process_group=0,
    )
    tail = b""
    try:
        while part := os.read(process.stderr.fileno(), 1 << 16):
            tail = (tail + part)[-4000:]
            if not part.startswith(b"vgan.train: "):  # the last word is the caller's
                sys.stderr.write(part.decode(errors="replace"))
                sys.stderr.flush()
        status = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()  # for the checkpoint
        raise
    finally:
        process.kill()
        process.stderr.close()
    lines = tail.decode(errors="replace").split("\n")
    return status, next((line.strip() for line in reversed(lines) if line.strip()), "")
