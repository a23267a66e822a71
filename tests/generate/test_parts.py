"""Parts of films, stylized."""

import pathlib
import re
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

import vgan
from tests.in_process import run
from tests.video.samples import make_video
from vgan import InputError
from vgan.generate import convert
from vgan.runtime.frame_processor import FrameProcessor
from vgan.video import VideoReader, read_image

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "inference.md"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A film of 6.4 s."""
    path = tmp_path_factory.mktemp("in") / "in.mp4"
    return make_video(path, 160, audio=["aac"], options={"g": "40"})


@pytest.fixture(scope="module")
def stylize(model, source):
    def stylize(output, source=source, style="one", **options):
        options = {"engine": "keras", "progress": "none", **options}
        return vgan.stylize(source, style, output, model, **options)

    return stylize


def frames(path):
    with VideoReader(path) as reader:
        found = list(reader)
    return np.stack([frame for frame, _ in found]), [time for _, time in found]


def test_the_network_begins_afresh(stylize, source, tmp_path):
    (tmp_path / "cut").mkdir()
    every, _ = frames(source)
    for number, frame in enumerate(every[105:115]):
        Image.fromarray(frame).save(tmp_path / "cut" / f"{number:06d}.png")
    stylize(tmp_path / "a", start="0:04.2", duration="0.4")
    stylize(tmp_path / "b", tmp_path / "cut")
    names = sorted(path.name for path in (tmp_path / "b").iterdir())
    assert names == [f"{number:06d}.png" for number in range(10)]
    for name in names:
        one, two = (read_image(tmp_path / folder / name) for folder in "ab")
        np.testing.assert_array_equal(one, two)


def test_a_mask_goes_with_the_film_and_styles_with_the_result(
    stylize, source, tmp_path
):
    black, white = np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), 255, np.uint8)
    mask = make_video(tmp_path / "m.mp4", frames=[black] * 75 + [white] * 25)
    part = {"start": 2.8, "end": 3.2}
    stylize(tmp_path / "one", **part)
    stylize(tmp_path / "two", style=["one@0s", "two@0.2s"], fade=0, mask=mask, **part)
    with VideoReader(source) as reader:
        originals = [frame for frame, _ in reader][70:]
    one, two = frames(tmp_path / "one")[0], frames(tmp_path / "two")[0]
    np.testing.assert_array_equal(two[:5], originals[:5])
    assert (two[5] != one[5]).any()
    assert (two[5] != originals[5]).any()


def test_resumed_equals_uninterrupted(stylize, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(convert, "SEGMENT", 10)
    part = {"start": 3, "end": 4.2, "resume": True}
    stylize(tmp_path / "whole.mp4", **part)
    original, count = FrameProcessor.paint, iter(range(10**6))

    def stopping(self, *arguments):
        if next(count) == 25:
            raise ZeroDivisionError
        return original(self, *arguments)

    for again, kept in ((part, "after 20 frames"), ({**part, "start": 3.04}, "anew")):
        monkeypatch.setattr(FrameProcessor, "paint", stopping)
        count = iter(range(10**6))
        with pytest.raises(ZeroDivisionError):
            stylize(tmp_path / "parts.mp4", overwrite=True, **part)
        monkeypatch.setattr(FrameProcessor, "paint", original)
        caplog.clear()
        stylize(tmp_path / "parts.mp4", overwrite=True, **again)
        assert any(kept in record.message for record in caplog.records)
        if again == part:
            one, two = tmp_path / "whole.mp4", tmp_path / "parts.mp4"
            assert one.read_bytes() == two.read_bytes()
    assert len(frames(tmp_path / "parts.mp4")[0]) == 29


def test_of_a_folder_what_is_too_short_is_left_out(stylize, tmp_path):
    (tmp_path / "in").mkdir()
    make_video(tmp_path / "in" / "a.mp4", 40)
    make_video(tmp_path / "in" / "b.mp4", 20)
    said = []
    with pytest.raises(InputError, match="1 of 2 videos could not be used"):
        stylize(tmp_path / "out", tmp_path / "in", start=1, report=said.append)
    assert "b.mp4: left out: " in said[1]
    assert "has no frame at 1 s, it is 0.8 s long" in said[1]
    _, times = frames(tmp_path / "out" / "a.mp4")
    assert times == [Fraction(k, 25) for k in range(15)]


def test_in_real_time(stylize, tmp_path):
    stylize(tmp_path / "a.mp4", live=True, start=2, duration=0.4)
    assert frames(tmp_path / "a.mp4")[1][0] == 0


def commands(*words):
    """The commands of docs/inference.md that have one of these flags."""
    rows = [row for row in PAGE.read_text().splitlines() if row.startswith("| ")]
    quoted = [one for row in rows for one in re.findall(r"`([^`]*)`", row)]
    return [one for one in quoted if any(re.search(rf"--{w}\b", one) for w in words)]


def test_the_sounds_of_audio(model, source, tmp_path):
    for audio in ("none", "copy", "aac"):
        output = tmp_path / f"{audio}.mp4"
        done = run(
            "vgan.generate", f"--model={model}", "--engine=keras", "--style=one",
            f"--input={source}", f"--output={output}", f"--audio={audio}", "--quiet",
            "--duration=0.2",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        with VideoReader(output) as reader:
            assert reader.has_sound == (audio != "none")
    done = run(
        "vgan.generate", f"--model={model}", "--engine=keras", "--style=one",
        f"--input={source}", f"--output={tmp_path}/b.webm", "--audio=copy", "--resume",
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "vgan.generate: --audio=copy: .webm does not take aac; give .mkv, or "
        "--audio=keep, which encodes it anew\n"
    )


def test_of_a_folder_of_too_short_ones_nothing_is_left(stylize, tmp_path):
    (tmp_path / "in" / "inside").mkdir(parents=True)
    for name in ("a.mp4", "inside/b.mp4"):
        make_video(tmp_path / "in" / name, 20)
    with pytest.raises(InputError, match="2 of 2 videos could not be used"):
        stylize(tmp_path / "new" / "out", tmp_path / "in", start=1, report=str)
    assert not (tmp_path / "new").exists()
