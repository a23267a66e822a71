"""Folders of films on Apache Beam: shots as elements, the same bytes however made."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import av
import cv2
import numpy as np
import psutil
import pytest

import vgan
from tests.in_process import run
from tests.video.samples import make_video, psnr
from vgan import DamagedError, InputError
from vgan.video import VideoReader
from vgan.video.cuts import CutDetector

pytest.importorskip("apache_beam", reason="extra 'beam' is not installed")
from apache_beam.io.localfilesystem import LocalFileSystem

ROOT = pathlib.Path(__file__).resolve().parents[2]
ONE = ["--runner=FnApiRunner"]
TWO = [
    "--runner=DirectRunner",
    "--direct_num_workers=2",
    "--direct_running_mode=multi_processing",
]


def shot(seed, count, height=48, width=64):
    """Frames of one scene: a pattern of its own colors that moves a little."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (6, 12, 3)).astype(np.uint8)
    wide = cv2.resize(small, (2 * width, height), interpolation=cv2.INTER_CUBIC)
    return [wide[:, k : k + width] for k in range(count)]


def title(stream):
    stream.container.metadata["title"] = "A film"


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Folder of four films, one of them no film."""
    folder = tmp_path_factory.mktemp("films") / "in"
    (folder / "deep").mkdir(parents=True)
    frames = [*shot(1, 1), *shot(2, 14), *shot(3, 9), *shot(4, 2)]
    pts = np.cumsum([1, 1, 2, 1, 3] * 6)[: len(frames)].tolist()
    options = {"audio": ["aac"], "setup": title, "options": {"g": "12"}}
    make_video(folder / "a.mp4", frames=frames, pts=pts, **options)
    frames = [*shot(5, 8), *shot(6, 8)]
    make_video(folder / "deep" / "b.mkv", frames=frames)
    make_video(folder / "c.avi", frames=shot(7, 6), codec="mpeg4")
    (folder / "notes.txt").write_text("no film")
    return folder


@pytest.fixture(scope="module")
def stylized(films, model):
    """Function of (output, **arguments) that makes them, and returns what is told."""

    def stylize(output, beam=ONE, source=films, **more):
        told = []
        with contextlib.suppress(DamagedError):
            vgan.stylize(
                *(source, "one", output, model),
                **{"beam": beam, "engine": "keras", "report": told.append, **more},
            )
        return told

    return stylize


@pytest.fixture(scope="module")
def made(stylized, tmp_path_factory):
    """Folder of the results of one worker."""
    output = tmp_path_factory.mktemp("made") / "out"
    stylized(output)
    return output


def content(folder):
    """{name: bytes} of all files, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def frames(path):
    with VideoReader(path) as reader:
        pictures, times = zip(*reader, strict=True)
        assert reader.damage is None
    return np.stack(pictures), times


def test_shots_become_the_films_of_the_local_command(films, made, model, tmp_path):
    vgan.stylize(films, "one", tmp_path / "here", model, engine="keras")
    assert sorted(content(made)) == ["a.mp4", "c.mp4", "deep/b.mkv"]
    for name in content(made):
        ours, times = frames(made / name)
        local, expected = frames(tmp_path / "here" / name)
        assert times == expected
        assert psnr(ours, local) > 38
    with (
        av.open(str(made / "a.mp4")) as one,
        av.open(str(tmp_path / "here/a.mp4")) as two,
    ):
        assert one.metadata == two.metadata
        assert one.duration == two.duration
        (sound, same) = (
            [bytes(packet) for packet in file.demux(audio=0)] for file in (one, two)
        )
        assert sound == same


def test_a_second_run_does_nothing(stylized, made):
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    told = stylized(made, ["--runner=FnApiRunner"])
    assert told[-1] == "3 films: 0 made, 0 frames; 3 there already; 0 left out"
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before
