"""Training by several processes and devices is that of one, but for rounding."""

import os
import shutil
import socket
import subprocess
import sys
import time

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from tests.commands import ROOT
from vgan.datasets import synthetic

pytest.importorskip("jax", reason="needs the extra jax")
pytestmark = pytest.mark.slow

STEPS = 14
EXPERIMENT = """
from vgan.config import Data, Experiment, Train


def get_config():
    return Experiment(
        data=Data(image_size=32, clip_length=2, style_length=2),
        generator=dict(
            filters=(4, 4),
            hidden_filters=4,
            blocks=0,
            code_size=4,
            noise_size=4,
            style_filters=(4,),
        ),
        discriminator=dict(filters=(4,)),
        losses=dict(adversarial=dict(name="relativistic", r1=0.0), temporal=10.0),
        train=Train(log_every=1, checkpoint_every=4, distribution="data_parallel"),
    )
"""
# What a run measures and shows of itself takes longer than its steps.
PROGRAM = """
from vgan import command
from vgan.evaluate import validation_metrics
from vgan.metrics import features
from vgan.train import __main__, callbacks, checkpoint, run

nothing = lambda *_: None
run._report = callbacks.Samples.act = callbacks.Validation.act = nothing
validation_metrics.ValidationMetrics = features.MeasuringFeatures = nothing
checkpoint.save_generator, run.SAMPLE_CLIPS, run.SAMPLE_FRAMES = nothing, 2, 2
command.run(__main__.main, __main__.FLAGS)
"""
# Batches that are made on the device need no TensorFlow, which takes long to import.
LIGHT = f"import sys\nsys.modules['tensorflow'] = None\n{PROGRAM}"
FULL = [
    *("losses.adversarial.r1=1", "losses.adversarial.penalty_interval=3"),
    *("losses.temporal.target=0.01", "train.accumulate=2", "train.d_skip_above=0.0"),
    *("train.ema_decay=0.9", "train.alarm_every=5", "train.clip_norm=1"),
]
ALONE = "train.distribution=none"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Folder with an experiment, pictures, and what JAX has compiled."""
    root = tmp_path_factory.mktemp("place")
    (root / "tiny.py").write_text(EXPERIMENT)
    for role in ("content", "style"):
        (root / role).mkdir()
        for k in range(5):
            picture = synthetic.painting(synthetic.STYLES[k], k, 64)
            Image.fromarray(picture[: 32 + 2 * k]).save(root / role / f"{k}.png")
    return root


@pytest.fixture(scope="module")
def full(place):
    """All kinds of branches, and batches that are made on the device."""
    names = [f"data.{role}={place / role}" for role in ("content", "style")]
    return [*FULL, *names, "data.where=device", "data.noise=4", "train.unroll=2"]


def free_port():
    with socket.create_server(("", 0)) as server:
        return server.getsockname()[1]


def start(place, run, changes, processes=1, devices=1, program=PROGRAM):
    """The processes of a run."""
    command = [sys.executable, "-c", program, f"--experiment={place / 'tiny.py'}"]
    command += [f"--runs={place / 'runs'}", f"--run={run}"]
    command += [f"--set={change}" for change in (f"train.steps={STEPS}", *changes)]
    flags = f"--xla_force_host_platform_device_count={devices}"
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "JAX_COMPILATION_CACHE_DIR": str(place / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "XLA_FLAGS": f"{flags} --xla_backend_optimization_level=0",
    }
    together = [[]]
    if processes > 1:
        meet = [f"--coordinator=localhost:{free_port()}", f"--processes={processes}"]
        together = [[*meet, f"--process_id={i}"] for i in range(processes)]
    return [
        subprocess.Popen(
            [*command, *own],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for own in together
    ]


def finish(started):
    """Wait for processes; return [(exit code, output, errors)]."""
    ended = []
    for process in started:
        output, errors = process.communicate(timeout=1200)
        ended.append((process.returncode, output, errors))
    return ended


def trained(*arguments, **options):
    for code, output, errors in finish(start(*arguments, **options)):
        assert code == 0, output + errors


def losses(place, run):
    """{name: {step: value}} in TensorBoard; of steps done twice, the later."""
    folder = place / "runs" / run / "tensorboard"
    events = EventAccumulator(str(folder), {"tensors": 0})
    events.Reload()
    return {
        name: {
            event.step: tensor_util.make_ndarray(event.tensor_proto).item()
            for event in events.Tensors(name)
        }
        for name in events.Tags()["tensors"]
        if name.startswith(("g/", "d/", "health/"))
    }


def assert_alike(one, other):
    assert one.keys() == other.keys()
    assert len(one["g/loss"]) == STEPS
    for name in one:
        assert one[name].keys() == other[name].keys(), name
        for step, value in one[name].items():
            error = abs(other[name][step] - value)
            assert error <= 1e-5 * max(1.0, abs(value)), (name, step, error, value)


@pytest.fixture(scope="module")
def alone(place, full):
    """Losses of runs on one device of one process."""
    found = {}
    for name, changes, program in (("plain", [], PROGRAM), ("full", full, LIGHT)):
        trained(place, name, [*changes, ALONE], program=program)
        found[name] = losses(place, name)
    return found


def test_two_processes_are_one(place, alone):
    trained(place, "two", [], processes=2)
    assert_alike(alone["plain"], losses(place, "two"))


def test_two_processes_are_one_through_death(place, alone, full):
    """Also where one process, of four devices, goes on with what two have written."""
    folder = place / "runs" / "killed" / "checkpoints"
    started = start(place, "killed", full, processes=2, program=LIGHT)
    try:
        while not folder.is_dir() or not list(folder.glob("step_*.npz")):
            assert started[0].poll() is None, finish(started)
            time.sleep(0.02)
    finally:
        started[1].kill()
    dead = time.monotonic()
    code, output, errors = finish(started)[0]
    assert time.monotonic() - dead < 60
    assert code == 1, output
    said = [line for line in errors.splitlines() if "has ended" in line]
    assert len(said) == 1, errors
    assert "process 1 (" in said[0]
    assert "Traceback" not in errors
    shutil.copytree(place / "runs" / "killed", place / "runs" / "fewer")
    trained(place, "killed", full, processes=2, program=LIGHT)
    trained(place, "fewer", full, devices=4, program=LIGHT)
    for run in ("killed", "fewer"):
        assert_alike(alone["full"], losses(place, run))
