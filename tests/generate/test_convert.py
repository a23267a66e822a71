"""Folders of videos, and runs that go on where they were stopped."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from vgan import InputError
from vgan.generate import convert
from vgan.generate.options import Size, StylizeOptions
from vgan.runtime.frame_processor import FrameProcessor
from vgan.video import VideoReader, VideoWriter


def write(path, num_frames=12, side=32):
    random = np.random.default_rng(num_frames)
    picture = random.integers(0, 256, (side, side + 64, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, fps=25) as writer:
        for i in range(num_frames):
            writer.write(picture[:, i % 64 : i % 64 + side], Fraction(i, 25))


def frames(path):
    with VideoReader(path) as reader:
        found = list(reader)
    return np.stack([frame for frame, _ in found]), [time for _, time in found]


def test_a_folder_becomes_a_folder(model, tmp_path):
    write(tmp_path / "in" / "a.mp4")
    write(tmp_path / "in" / "deep" / "b.mkv", 7)
    (tmp_path / "in" / "broken.mp4").write_text("no video")
    (tmp_path / "in" / "notes.txt").write_text("no video either")
    options, said = StylizeOptions(str(model), "keras", ("one",)), []
    arguments = options, tmp_path / "in", tmp_path / "out"
    with pytest.raises(InputError, match="1 of 3 videos could not be used"):
        convert.convert_folder(*arguments, report=said.append)
    out = tmp_path / "out"
    made = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    assert made == ["a.mp4", "deep/b.mkv"]
    assert len(frames(out / "deep" / "b.mkv")[0]) == 7
    assert "broken.mp4: left out: " in "\n".join(said)
    before = (out / "a.mp4").stat().st_mtime_ns
    said.clear()
    with pytest.raises(InputError, match="1 of 3"):
        convert.convert_folder(*arguments, report=said.append)
    assert sum("is there already" in line for line in said) == 2
    assert (out / "a.mp4").stat().st_mtime_ns == before


def test_names_never_collide(tmp_path):
    sources = [tmp_path / name for name in ("a.avi", "a.mp4", "a.wmv", "b.avi")]
    targets = convert.targets(sources, tmp_path, tmp_path / "out")
    assert len(set(targets)) == 4
    assert targets[1].name == "a.mp4"
    assert targets[3].name == "b.mp4"


class StopError(Exception):
    pass


@pytest.fixture(scope="module")
def resumable(model, tmp_path_factory):
    """(function that converts into a path or goes on, what it makes at once)."""
    folder = tmp_path_factory.mktemp("resumable")
    write(folder / "in.mp4", 150)
    texts = ("one@0s", "two@1s")
    options = StylizeOptions(str(model), "keras", texts, fade=5.0)

    def run(path):
        with VideoReader(folder / "in.mp4") as reader:
            convert.convert(options, reader, path, resume=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convert, "SEGMENT", 25)
        run(folder / "whole.mp4")
        yield run, frames(folder / "whole.mp4")


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 30, 100])
def test_resumed_equals_uninterrupted(resumable, tmp_path, monkeypatch, after):
    """In the middle of a fade and of a scene, with a state that matters."""
    run, (one, times) = resumable
    count = iter(range(10**6))

    def stopping(self, *arguments):
        if next(count) == after:
            raise StopError
        return original(self, *arguments)

    original = FrameProcessor.paint
    monkeypatch.setattr(FrameProcessor, "paint", stopping)
    with pytest.raises(StopError):
        run(tmp_path / "parts.mp4")
    assert not (tmp_path / "parts.mp4").exists()
    monkeypatch.setattr(FrameProcessor, "paint", original)
    run(tmp_path / "parts.mp4")
    two, others = frames(tmp_path / "parts.mp4")
    assert times == others
    np.testing.assert_array_equal(one, two)


def fingerprint(options, reader):
    return convert._fingerprint(options, reader)


def test_another_style_starts_afresh(model, tmp_path):
    source = tmp_path / "in.mp4"
    write(source)
    with VideoReader(source) as reader:
        one = fingerprint(StylizeOptions(str(model), "keras", ("one",)), reader)
        two = fingerprint(StylizeOptions(str(model), "keras", ("two",)), reader)
    assert one != two
    assert str(source) in one["files"]
    assert str(model) in one["files"]


def test_two_files_of_one_stem(model, tmp_path):
    folder = tmp_path / "in"
    write(folder / "a.mp4", 5)
    for name, count in (("b.mkv", 6), ("c.avi", 7), ("c.ts", 8)):
        write(tmp_path / "made.mkv", count)
        (tmp_path / "made.mkv").rename(folder / name)
    options = StylizeOptions(str(model), "keras", ("one",))
    convert.convert_folder(options, folder, folder / "out")
    convert.convert_folder(options, folder, folder / ".." / "in" / "out")
    made = {path.name: len(frames(path)[0]) for path in (folder / "out").iterdir()}
    assert made == {"a.mp4": 5, "b.mkv": 6, "c.mp4": 7, "c.ts.mp4": 8}


def test_what_is_wrong_for_all_is_said_once(model, tmp_path):
    write(tmp_path / "in" / "a.mp4")
    options = StylizeOptions(str(model), "keras", ("none.jpg",))
    with pytest.raises(InputError, match="there is no such file, and the model"):
        convert.convert_folder(options, tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_changed_picture_is_another_style(model, tmp_path):
    write(tmp_path / "in.mp4")
    picture, show = tmp_path / "a.png", tmp_path / "show.json"
    show.write_text('{"keyframes": [{"time": 0, "style": "a.png"}]}')
    several = (
        StylizeOptions(str(model), "keras", (f"{picture}:0.5@0s",)),
        StylizeOptions(str(model), "keras", schedule=str(show)),
    )

    def prints(color):
        from PIL import Image

        Image.new("RGB", (32, 32), color).save(picture)
        with VideoReader(tmp_path / "in.mp4") as reader:
            return [fingerprint(options, reader) for options in several]

    for one, two in zip(prints("red"), prints("green"), strict=True):
        assert one != two


def test_of_large_frames_the_network_sees_a_smaller_copy(model):
    options = StylizeOptions(str(model), "keras", ("one",))
    assert options.working_scale(320, 640) == 1
    assert options.working_scale(1280, 720) == pytest.approx(288 / 720)
    assert dataclasses.replace(options, proxy=1.0).working_scale(720, 1280) == 1
    with options.processor(Size(420, 420)) as process:
        frame = np.random.default_rng(0).integers(0, 256, (420, 420, 3), np.uint8)
        small = process(frame, 0.0)
    whole = dataclasses.replace(options, proxy=1.0)
    with whole.processor(Size(420, 420)) as process:
        full = process(frame, 0.0)
    assert small.shape == full.shape == frame.shape
    assert (small != full).any()
