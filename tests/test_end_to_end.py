"""The main job as a user runs it: train, watch, resume, stylize a video with sound."""

import io

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from tests import in_process
from tests.commands import run_module
from vgan.datasets.synthetic import scene
from vgan.video import VideoReader, VideoWriter


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished smoke run: (what it printed, its folder)."""
    runs = tmp_path_factory.mktemp("runs")
    result = run_module("vgan.train", "--experiment=smoke", f"--runs={runs}")
    assert result.returncode == 0, result.stderr
    return result, runs / "smoke"


@pytest.mark.slow
def test_run_folder(run):
    result, folder = run
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("config.json", "checkpoints", "tensorboard", "samples", "generator.keras"),
        *("best.keras", "best.json"),
    }
    path = result.stdout.splitlines()[-1]
    assert path == str(folder / "samples" / "stylized.mp4")
    with VideoReader(path) as reader:
        assert (reader.width, reader.height) == (3 * 192, 192)
    assert "style strength" in result.stdout
    assert "warping error" in result.stdout
    assert "4/4" in result.stderr


@pytest.mark.slow
def test_tensorboard_shows_losses_speed_and_moving_samples(run):
    events = EventAccumulator(str(run[1] / "tensorboard"), {"tensors": 0})
    events.Reload()
    tags = events.Tags()["tensors"]
    assert {
        *("g/loss", "g/content", "g/style", "g/temporal", "g/adversarial"),
        *("d/loss", "d/r1"),
        *("d/real", "d/fake", "learning_rate/g", "learning_rate/d"),
        *("speed/step_ms", "speed/frames_per_second"),
        *("validation/style_strength", "validation/score"),
    } <= set(tags)
    assert [event.step for event in events.Tensors("d/loss")] == [1, 2, 3, 4]
    sample = events.Tensors("content_style_result")[-1]
    width, height, gif = tensor_util.make_ndarray(sample.tensor_proto)
    with Image.open(io.BytesIO(gif)) as picture:
        assert picture.format == "GIF"
        assert picture.n_frames > 1
        assert picture.size == (int(width), int(height)) == (3 * 32, 4 * 32)


@pytest.mark.slow
@pytest.mark.usefixtures("in_root")
def test_a_second_call_says_it_is_finished_and_more_steps_resume(run):
    _, folder = run
    again = in_process.run(
        "vgan.train", "--experiment=smoke", f"--runs={folder.parent}"
    )
    assert again.returncode == 0
    assert "is finished: 4 steps" in again.stdout
    other = in_process.run(
        *("vgan.train", "--experiment=smoke", f"--runs={folder.parent}"),
        "--set=generator.hidden_filters=12",
    )
    assert other.returncode == 2
    assert "--run" in other.stderr


@pytest.mark.slow
def test_its_generator_stylizes_a_video(run, tmp_path):
    frames = scene(3, 6, 50, 70).frames
    with VideoWriter(tmp_path / "in.mp4", fps=10) as writer:
        for t, frame in enumerate(frames):
            writer.write(frame, t / 10)
    result = in_process.run(
        "vgan.generate",
        *("--model", run[1] / "generator.keras", "--style", "mosaic"),
        *("--input", tmp_path / "in.mp4", "--output", tmp_path / "out.mp4"),
    )
    assert result.returncode == 0, result.stderr
    with VideoReader(tmp_path / "in.mp4") as before:
        expected = list(before)
    with VideoReader(tmp_path / "out.mp4") as after:
        stylized = list(after)
    assert [time for _, time in stylized] == [time for _, time in expected]
    assert stylized[0][0].shape == expected[0][0].shape
    difference = np.abs(np.int16(stylized[0][0]) - expected[0][0]).mean()
    assert difference > 5


@pytest.mark.usefixtures("in_root")
@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ([], "--experiment"),
        (["--experiment=nothing"], "known here"),
        (["--experiment=smoke", "--set=train.stepz=1"], "did you mean 'steps'"),
        (["--experiment=smoke", "--stepz=1"], "stepz"),
        (["--experiment=smoke", "more"], "more"),
        (["--experiment=smoke", "--set=generator.cell=foo"], "cell must be one of"),
    ],
)
def test_bad_arguments_of_train(flags, says, tmp_path):
    result = in_process.run("vgan.train", f"--runs={tmp_path}", *flags)
    assert result.returncode == 2
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert not list(tmp_path.iterdir())
