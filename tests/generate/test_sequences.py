"""Numbered pictures: their names stay, and runs go on where they were stopped."""

import shlex

import numpy as np
import pytest
from PIL import Image

import vgan
from tests.generate.test_parts import commands
from tests.in_process import run
from tests.video.samples import moving
from vgan.generate import convert
from vgan.runtime.frame_processor import FrameProcessor


@pytest.fixture(scope="module")
def shot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("in") / "shot"
    folder.mkdir()
    for number, frame in enumerate(moving(24, 32, 48), 1001):
        Image.fromarray(frame).save(folder / f"shot_{number}.png")
    return folder


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_resumed_equals_uninterrupted(model, shot, tmp_path, monkeypatch):
    monkeypatch.setattr(convert, "SEGMENT", 5)

    def stylize(name, **options):
        options = {"engine": "keras", "progress": "none", "resume": True, **options}
        vgan.stylize(shot, "one", tmp_path / name, model, **options)

    stylize("at_once", resume=False)
    original, stop = FrameProcessor.paint, iter(range(10**6))

    def stopping(self, *arguments):
        if next(stop) == 13:
            raise ZeroDivisionError
        return original(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(FrameProcessor, "paint", stopping)
        with pytest.raises(ZeroDivisionError):
            stylize("parts")
    made = []
    monkeypatch.setattr(
        FrameProcessor,
        "paint",
        lambda self, *arguments: made.append(1) or original(self, *arguments),
    )
    stylize("parts")
    assert len(made) == 14
    assert content(tmp_path / "parts") == content(tmp_path / "at_once")
    assert sorted(content(tmp_path / "parts"))[0] == "shot_1001.png"
    one, two = (
        np.asarray(Image.open(tmp_path / "parts" / f"shot_{n}.png"))
        for n in (1001, 1024)
    )
    assert (one != two).any()


def test_the_pages_sequences(model, shot, tmp_path):
    (tmp_path / "shot").symlink_to(shot)
    found = [flags for flags in commands("input") if "--input shot" in flags]
    for flags, names in zip(found, ("shot_", "comp_"), strict=True):
        done = run(
            "vgan.generate", f"--model={model}", "--engine=keras", "--style=one",
            "--overwrite", *shlex.split(flags), cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        made = sorted(content(tmp_path / "made"))
        assert made == [f"{names}{number}.png" for number in range(1001, 1025)]
        for path in (tmp_path / "made").iterdir():
            path.unlink()
