"""Folders of pictures that outlive what stopped their run."""

import logging

import pytest
from PIL import Image

from tests.video.segmenting import run, run_whole
from tests.video.test_frame_folders import render
from vgan import InputError
from vgan.video import VideoReader, VideoWriter
from vgan.video.image_source import as_pattern

NAMES = [f"shot_{n}.png" for n in range(1001, 1024)]


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def mended(tmp_path, name):
    """The folder that runs with stops make of it, and the one made at once."""
    return tmp_path / "made" / name, tmp_path / "whole" / name


@pytest.fixture
def shot(tmp_path):
    for name in ("made", "whole"):
        (tmp_path / name).mkdir()
    return render(tmp_path / "shot", NAMES)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("name", ["new", "v1.2/", "new/f.%05d.png"])
def test_interrupted_and_resumed_is_the_same(tmp_path, shot, caplog, name, error):
    target, whole = (f"{tmp_path}/{folder}/{name}" for folder in ("made", "whole"))
    run_whole(shot, whole)
    done = 0
    for stop in (0, 1, 5, 0, 6, 7):
        with pytest.raises(error):
            run(shot, target, stop, error)
        done += stop // 5 * 5
        made = [path.name for path in (tmp_path / "made").iterdir()]
        assert made == [f".{name.split('/')[0]}.segments"] * (done > 0)
    assert done == 15
    writer = run(shot, target)
    assert (writer.done, writer.num_frames) == (15, 23)
    (folder,) = (tmp_path / "made").iterdir()
    assert content(folder) == content(tmp_path / "whole" / folder.name)
    names = NAMES if "%" not in name else [f"f.0{n}.png" for n in range(1001, 1024)]
    assert sorted(content(folder)) == names


@pytest.mark.parametrize(
    ("harm", "kept", "said"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-4]), 5, "is damaged"),
        (lambda path: path.unlink(), 5, "is gone"),
        (lambda path: None, 15, "going on after 15 frames"),
    ],
)
def test_what_is_not_whole_is_made_anew(tmp_path, shot, caplog, harm, kept, said):
    target, whole = mended(tmp_path, "new")
    run_whole(shot, whole)
    with pytest.raises(ZeroDivisionError):
        run(shot, target, 17)
    harm(target.with_name(".new.segments") / "joined" / "shot_1007.png")
    with caplog.at_level(logging.WARNING, logger="vgan"):
        assert run(shot, target).done == kept
    assert said in caplog.text
    assert content(target) == content(whole)


def test_another_task_begins_anew(tmp_path, shot, caplog):
    target, _ = mended(tmp_path, "new")
    for options in ({"task": "other"}, {"segment_frames": 4}):
        with pytest.raises(ZeroDivisionError):
            run(shot, target, 12, overwrite=True)
        caplog.clear()
        assert run(shot, target, overwrite=True, **options).done == 0
        assert "is of another input or options: made anew" in caplog.text
        assert sorted(content(target)) == NAMES


def test_frames_of_a_film_are_numbered_on(tmp_path, shot, clip):
    target, whole = mended(tmp_path, "new")
    run_whole(clip, whole)
    with pytest.raises(ZeroDivisionError):
        run(clip, target, 12)
    run(clip, target)
    assert content(target) == content(whole)
    assert sorted(content(target))[-1] == "000022.png"


def test_other_files_are_not_overwritten(tmp_path, shot):
    target, _ = mended(tmp_path, "new")
    target.mkdir()
    (target / "notes.txt").write_text("precious")
    with pytest.raises(InputError, match="holds more than numbered PNGs"):
        run(shot, target, overwrite=True)
    assert content(target) == {"notes.txt": b"precious"}


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("a/shot_####.png", "a/shot_%04d.png"),
        ("shot.######.EXR", "shot.%06d.EXR"),
        ("a#1/#.jpg", "a#1/%01d.jpg"),
        ("sc##_f####.tif", "sc##_f%04d.tif"),
        ("song #1.mp4", "song #1.mp4"),
        ("made/", "made/"),
        ("rtsp://host/a", "rtsp://host/a"),
        ("http://host//a#.png", "http://host//a%01d.png"),
        ("#/a.png", "#/a.png"),
        ("-", "-"),
    ],
)
def test_signs_for_digits(path, pattern):
    assert as_pattern(path) == pattern


def test_a_picture_of_such_a_name_is_one(tmp_path):
    Image.new("RGB", (8, 6)).save(tmp_path / "take #1.png")
    assert as_pattern(f"{tmp_path}/take #1.png") == f"{tmp_path}/take #1.png"


def test_patterns_choose_and_name(tmp_path, shot):
    source = as_pattern(f"{shot}/shot_####.png")
    target = as_pattern(f"{tmp_path}/out/comp.######.png")
    with VideoReader(source) as reader, VideoWriter(target, reader) as writer:
        for item in reader:
            writer.write(*item)
    names = [f"comp.00{n}.png" for n in range(1001, 1024)]
    assert sorted(content(tmp_path / "out")) == names
