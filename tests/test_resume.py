"""A stopped or killed run goes on as if nothing had happened, bit for bit."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from tests.tiny import ADVERSARIAL_ALONE, EDGES_ALONE, TINY_GAN
from vgan import InputError, config
from vgan.train import checkpoint
from vgan.train.run import train

pytestmark = pytest.mark.usefixtures("in_root", "quiet_runs")


# The command, which shows little.
TRAIN = """
import pytest
from tests import short_runs
from vgan import command
from vgan.train import __main__
short_runs.show_little(pytest.MonkeyPatch())
command.run(__main__.main, __main__.FLAGS)
"""
# What has a state of its own, which content and style have not.
STATEFUL = ("losses.content=0", "losses.style=0")


def smoke(steps, *more):
    return config.load("smoke", [f"train.steps={steps}", *TINY_GAN, *more])


def state(folder):
    path = sorted((folder / "checkpoints").glob("*.npz"))[-1]
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def assert_same(one, two):
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


@pytest.mark.slow
def test_one_and_three_steps_are_four(tmp_path, plain_graphs):
    """Also where sizes grow in between."""
    changes = (
        'train.schedule=[{"until": 2, "image_size": 48, "clip_length": 1}]',
        *EDGES_ALONE,
        "losses.temporal=20",
    )
    train(smoke(4, *changes), tmp_path / "whole")
    train(smoke(1, *changes), tmp_path / "parts")
    assert checkpoint.latest_step(tmp_path / "parts" / "checkpoints") == 1
    train(smoke(4, *changes), tmp_path / "parts")
    assert_same(state(tmp_path / "whole"), state(tmp_path / "parts"))
    losses = history(tmp_path / "whole")["g/temporal"]
    # One frame has nothing to be steady with.
    assert [losses[step] == [0.0] for step in (1, 2, 3, 4)] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path):
    """VGAN_KILLS says how often; whatever was logged in between is what would be."""
    command = [sys.executable, "-c", TRAIN, "--experiment=smoke"]
    command += [f"--runs={tmp_path}", "--run=killed", "--set=train.steps=100000"]
    command += [f"--set={change}" for change in (*TINY_GAN, *STATEFUL)]
    folder, random = tmp_path / "killed" / "checkpoints", np.random.default_rng()
    reached = []
    for _ in range(int(os.environ.get("VGAN_KILLS", "1"))):
        started = checkpoint.latest_step(folder)
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            for _ in range(1200):
                if checkpoint.latest_step(folder) > started:
                    break
                assert process.poll() is None, "training ended by itself"
                time.sleep(0.1)
            time.sleep(random.uniform(0, 1))
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        reached.append(checkpoint.latest_step(folder))
    assert reached == sorted(set(reached))
    for name in ("killed", "whole"):
        train(smoke(reached[-1] + 3, *STATEFUL), tmp_path / name)
    assert_same(state(tmp_path / "whole"), state(tmp_path / "killed"))
    wanted, found = history(tmp_path / "whole"), history(tmp_path / "killed")
    assert wanted.keys() == found.keys()
    for name, values in wanted.items():
        assert all(len(set(values[step])) == 1 for step in values), name
        # Some steps were done twice: each time with the same result.
        assert {k: set(v) for k, v in found[name].items()} == {
            k: set(v) for k, v in values.items()
        }, name


def history(folder):
    """{name: {step: values}} of the losses in TensorBoard, in all their event files."""
    events = EventAccumulator(
        str(folder / "tensorboard"), {"tensors": 0}, purge_orphaned_data=False
    ).Reload()
    found = {}
    for name in events.Tags()["tensors"]:
        if name.startswith(("g/", "d/")):
            for event in events.Tensors(name):
                value = tensor_util.make_ndarray(event.tensor_proto).item()
                steps = found.setdefault(name, {})
                steps.setdefault(event.step, []).append(value)
    return found


@pytest.mark.slow
def test_two_runs_beside_each_other_agree(tmp_path):
    """Not the smoke network, on which sums are too few for their order to vary."""
    command = [sys.executable, "-c", TRAIN, "--experiment=quickstart"]
    command += [f"--runs={tmp_path}", "--set=train.steps=3", "--set=data.clip_length=2"]
    command += [f"--set={change}" for change in ADVERSARIAL_ALONE]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    processes = [
        subprocess.Popen(
            [*command, f"--run={name}"], env=environment, stderr=subprocess.PIPE
        )
        for name in ("one", "two")
    ]
    for process in processes:
        assert process.wait() == 0, process.stderr.read()
    assert_same(state(tmp_path / "one"), state(tmp_path / "two"))


@pytest.mark.slow
def test_nan_stops_and_keeps_the_last_good_checkpoint(tmp_path, plain_graphs):
    train(smoke(2, *EDGES_ALONE), tmp_path)
    good = state(tmp_path)
    with pytest.raises(FloatingPointError, match="not finite"):
        train(smoke(50, "train.g_learning_rate=1e30", *EDGES_ALONE), tmp_path)
    assert_same(good, state(tmp_path))


@pytest.mark.slow
def test_broken_data_during_training_is_an_input_error(tmp_path):
    missing = tmp_path / "nothing"
    with pytest.raises(InputError, match="nothing"):
        train(smoke(2, f"data.content={missing}"), tmp_path / "run")
