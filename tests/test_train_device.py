"""Training on batches that the step makes itself, with `data.where="device"`."""

import itertools
import json
import os
import pathlib
import subprocess
import sys
import time
import types

import keras
import numpy as np
import pytest
from PIL import Image

import vgan
from tests.tiny import ADVERSARIAL_ALONE, EDGES_ALONE, TINY_GAN
from vgan import InputError, config
from vgan.datasets import synthetic
from vgan.train import callbacks, checkpoint, run
from vgan.train.run import train

pytestmark = pytest.mark.usefixtures("in_root", "plain_graphs")


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    """--set values that name folders of pictures."""
    root = tmp_path_factory.mktemp("pictures")
    for role in ("content", "style"):
        (root / role).mkdir()
        for k in range(5):
            picture = synthetic.painting(synthetic.STYLES[k], k, 64)
            Image.fromarray(picture[: 32 + 2 * k]).save(root / role / f"{k}.png")
    names = [f"data.{role}={root / role}" for role in ("content", "style")]
    return [*names, "data.where=device", "data.noise=4", "train.checkpoint_every=99"]


def state(folder):
    path = sorted((folder / "checkpoints").glob("*.npz"))[-1]
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


@pytest.mark.slow
def test_a_resumed_run_goes_on_bit_for_bit(tmp_path, fields, quiet_runs):
    """In the middle of the lives of clips, with the state that they carry."""

    def trained(steps, name):
        fitting = config.load("smoke", [*fields, f"train.steps={steps}"])
        changes = ["train.unroll=3", *TINY_GAN, *EDGES_ALONE]
        fitting = config.override(fitting, changes)
        train(fitting, tmp_path / name)
        return state(tmp_path / name)

    whole = trained(5, "whole")
    trained(2, "parts")
    parts = trained(5, "parts")
    assert whole.keys() == parts.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(value, parts[name], err_msg=name)
    carried = [np.abs(v).max() for k, v in whole.items() if k.startswith("carried/")]
    assert len(carried) >= 2
    assert max(carried) > 0


def test_a_clip_that_goes_on_begins_with_the_state_it_was_left_in(fields):
    from vgan.train.build import build_gan
    from vgan.train.forward import Forward

    changes = ["data.where=device", "train.unroll=2", "losses.gan=0"]
    gan = build_gan(config.load("smoke", changes))
    random = np.random.default_rng(0)
    clip = {
        name: random.uniform(-1, 1, (2, 2, 32, 32, 3)).astype("float32")
        for name in ("content", "style")
    }
    clip["flow"], clip["occlusion"] = (
        np.zeros((2, 1, 32, 32, size), "float32") for size in (2, 1)
    )
    first = Forward(gan, {**clip, "age": np.int32([0, 1])})
    for name, variable in gan.carried.items():
        variable.assign(first.state[name])
    then = Forward(gan, {**clip, "age": np.int32([0, 1])})
    fresh = Forward(gan, clip)  # of validation
    same, older, plain = (np.asarray(x.frames) for x in (first, then, fresh))
    np.testing.assert_allclose(older[0], same[0], atol=1e-6)
    assert np.abs(older[1] - same[1]).max() > 1e-4
    np.testing.assert_allclose(plain, same, atol=1e-6)


@pytest.mark.slow
def test_a_run_ends_in_time_and_goes_on(
    tmp_path, fields, quiet_runs, capsys, monkeypatch
):
    seconds = itertools.count(0, 2)  # it is asked when a run begins and at each step
    clock = types.SimpleNamespace(
        monotonic=lambda: next(seconds), perf_counter=time.perf_counter
    )
    for module in (run, callbacks):
        monkeypatch.setattr(module, "time", clock)
    changes = [*fields, "train.steps=100000", "train.cooldown=1"]
    changes += [*TINY_GAN, *EDGES_ALONE]
    limited = config.load("smoke", [*changes, "train.minutes=0.1"])
    train(limited, tmp_path)
    step = checkpoint.latest_step(tmp_path / "checkpoints")
    assert step == 3
    printed = capsys.readouterr()
    assert f"minutes at step {step} of 100000; the same command goes on" in printed.out
    assert printed.err.count("compiled in") == 1
    assert (tmp_path / "generator.keras").exists()
    train(config.load("smoke", [*changes, f"train.steps={step + 1}"]), tmp_path)
    assert checkpoint.latest_step(tmp_path / "checkpoints") == step + 1


def test_rates_fall_with_the_time_that_is_left():
    from vgan.train.build import build_gan

    gan = build_gan(config.load("smoke", ["train.cooldown=0.5", "train.steps=10"]))
    rates = []
    for left, step in ((1.0, 0), (0.25, 0), (0.25, 9), (0.0, 0)):
        gan.rates.time_left.assign(left)
        gan.step.assign(step)
        gan.rates.update(gan.step)
        rates.append(float(gan.g_optimizer.learning_rate) / 1e-3)
    assert rates == pytest.approx([1, 0.5, 0.2, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (["train.unroll=0"], "train.unroll: must be at least 1"),
        (["train.unroll=2", "data.where=host"], "set data.where=device"),
        (["train.unroll=2", "train.burn_in=1"], "goes with no train.burn_in"),
        (["data.target=clips"], "which have no stylized form"),
        (["data.where=gpu"], "data.where: must be host or device"),
        (["train.minutes=-1"], "train.minutes: must be 0 or more"),
    ],
)
def test_what_does_not_go_together_is_one_line(tmp_path, fields, changes, says):
    with pytest.raises(InputError, match=says):
        train(config.load("smoke", [*fields, *changes]), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_another_unroll_is_another_run(tmp_path, fields, quiet_runs):
    from vgan.config import record

    one = config.load("smoke", [*fields, "train.unroll=2"])
    record.write(tmp_path, one)
    with pytest.raises(InputError, match=r"train\.unroll=2"):
        record.changes(tmp_path, config.override(one, ["train.unroll=3"]))


@pytest.mark.slow
def test_jax_trains_where_tensorflow_is_not_installed(tmp_path, fields):
    """Also in bfloat16, on batches in float32, and with all that is written."""
    pytest.importorskip("jax")
    code = (
        "import sys\n"
        "sys.modules['tensorflow'] = None\n"  # importing it fails
        "from vgan.train import __main__, run\n"
        "run.FINAL_STYLES = run.SAMPLE_CLIPS = 1\n"  # eager JAX is slow
        "run.FINAL_FRAMES = run.SAMPLE_FRAMES = 3\n"
        "import pytest\n"
        "from tests import short_runs\n"
        "short_runs.few_features(pytest.MonkeyPatch())\n"
        "from vgan import command\n"
        "command.run(__main__.main, __main__.FLAGS)\n"
    )
    changes = ["train.precision=bfloat16", "train.unroll=2", "train.steps=2"]
    changes += ADVERSARIAL_ALONE  # test_parity has the others
    flags = [f"--set={change}" for change in [*fields, *TINY_GAN, *changes]]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            "--experiment=smoke",
            f"--runs={tmp_path}",
            *flags,
        ],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            "PYTHONPATH": str(pathlib.Path(vgan.__file__).parents[1]),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "there is no accelerator here" in done.stdout
    assert "too small for clips of 192" in done.stdout
    assert ": shown at 32" in done.stdout
    folder = tmp_path / "smoke"
    assert checkpoint.latest_step(folder / "checkpoints") == 2
    assert json.loads((folder / "best.json").read_text())["step"] == 2
    for name in (
        "generator.keras",
        "samples/step_00000002.gif",
        "samples/stylized.mp4",
    ):
        assert (folder / name).stat().st_size
    assert keras.models.load_model(folder / "generator.keras").code_size == 16
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tags = EventAccumulator(str(folder / "tensorboard")).Reload().Tags()["tensors"]
    assert {"g/loss", "speed/frames_per_second", "content_style_result"} <= {*tags}
