"""The command, as a user calls it."""

import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests import in_process
from tests.video.samples import make_video
from vgan import command as vgan_command
from vgan.datasets import synthetic


def command(*flags):
    return [sys.executable, "-m", "vgan.prepare", *map(str, flags)]


def call(*flags):
    done = subprocess.run(
        command(*flags),
        capture_output=True,
        text=True,
        cwd=pathlib.Path(__file__).parents[1],
    )
    return done.returncode, done.stdout, done.stderr


def test_bad_flags_are_one_line(tmp_path):
    for flags, line in (
        ([], "--input: is missing"),
        ([f"--input={tmp_path}"], "--output: is missing"),
        ([f"--input={tmp_path}", "--output=x", "--workers=0"], "--workers=0: give"),
        ([f"--input={tmp_path}", f"--output={tmp_path}/x"], "no video and no photo"),
        (["--input=a", "--output=b", "--size=1"], "--size=1: give 16 to 4096"),
        (["--input=", "--output=b"], "--input=: is empty; give one, such as my_videos"),
        (["--input=a", "--output=b", "--provenance="], "--provenance=: is empty"),
    ):
        done = in_process.run("vgan.prepare", *flags)
        assert (done.returncode, done.stdout) == (2, "")
        assert line in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def long_film(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for seed in range(2):
        frames = synthetic.scene(seed, 24, 120, 160).frames
        film = np.concatenate([frames, frames[::-1]] * 12)
        make_video(folder / f"{seed}.mp4", len(film), 120, 160, frames=film)
    return folder


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_stop_waits_for_an_import(name):
    number, imported = getattr(signal, name), []
    before = signal.getsignal(number)

    def stopped():
        with vgan_command.importing():
            signal.raise_signal(number)  # os.kill may reach another thread, later
            imported.append("whole")

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert imported == ["whole"]
    assert signal.getsignal(number) is before


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(long_film, tmp_path):
    output = tmp_path / "mine"
    flags = f"--input={long_film}", f"--output={output}", "--size=240", "--workers=1"
    process = subprocess.Popen(
        command(*flags),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=pathlib.Path(__file__).parents[1],
    )
    text = ""
    while "1 of 2 files" not in text:
        text += os.read(process.stderr.fileno(), 1000).decode()
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told == f"{output}: stopped; the same command goes on from here\n"
    assert not list(output.rglob(".partial_*"))
    assert not (output / "video_clips").exists()
    code, told, errors = call(*flags)
    assert code == 0, errors
    assert "34 clips of 1 source in train" in told
    assert "Traceback" not in errors
    code, told, _ = call(*flags)
    assert (code, told) == (0, f"{output}: 68 clips of 2 files; nothing to do\n")
