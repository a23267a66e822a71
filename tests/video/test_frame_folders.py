"""Folders of frames as render farms and editors leave them."""

import logging
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from tests.video.samples import leftovers, make_video
from vgan import InputError
from vgan.generate import convert
from vgan.video import VideoReader, VideoWriter
from vgan.video.segments import SegmentedWriter


def warnings(caplog):
    return [r.message for r in caplog.records if r.name == "vgan"]


def render(folder, names):
    """Pictures whose gray is their place in the list, times 10."""
    folder.mkdir(exist_ok=True)
    for index, name in enumerate(names):
        Image.new("RGB", (8, 6), (10 * index,) * 3).save(folder / name)
    return folder


def read(source, **options):
    with VideoReader(source, **options) as reader:
        return [(int(frame[0, 0, 0]), timestamp) for frame, timestamp in reader]


NUMBERS = [1, 2, 3, 7, 8, 20]


@pytest.fixture
def shot(tmp_path):
    return render(tmp_path / "shot", [f"f{n:04d}.png" for n in NUMBERS])


def test_gaps_are_said_and_held(shot, caplog):
    with VideoReader(shot, fps=10) as reader:
        assert (reader.num_frames, reader.duration) == (6, 2)
        got = [timestamp for _, timestamp in reader]
    assert got == [Fraction(n - 1, 10) for n in NUMBERS]
    (line,) = warnings(caplog)
    assert f"{shot}: 14 pictures are missing (4-6, 9-19)" in line
    assert read(shot, start=Fraction(6, 25))[0] == (30, Fraction(6, 25))
    assert read(shot, start=Fraction(1, 5))[0] == (20, Fraction(2, 25))


def test_gaps_are_closed_or_refused(shot, caplog):
    got = read(shot, fps=10, gaps="close")
    assert got == [(10 * k, Fraction(k, 10)) for k in range(6)]
    assert warnings(caplog) == []
    with pytest.raises(InputError, match=r"14 pictures are missing \(4-6, 9-19\)"):
        VideoReader(shot, gaps="refuse")
    with pytest.raises(InputError, match="gaps=fill"):
        VideoReader(shot, gaps="fill")


@pytest.mark.parametrize(
    "names",
    [
        ["a1.png", "b5.png", "c9.png"],  # in order only
        ["day1_2.png", "day3_4.png", "day5_9.png"],
        ["1.png", "01.png", "3.png"],
        ["cat.png", "dog.png", "fox.png"],
    ],
)
def test_other_names_have_no_gaps(tmp_path, caplog, names):
    times = [timestamp for _, timestamp in read(render(tmp_path / "f", names))]
    assert times == [0, Fraction(1, 25), Fraction(2, 25)]
    assert warnings(caplog) == []


def test_a_pattern_names_some_of_the_pictures(shot, tmp_path):
    render(shot, ["g1.png", "f123.png", "f00x.png"])
    got = read(shot / "f%04d.png", gaps="close")
    assert [gray for gray, _ in got] == [10 * k for k in range(6)]
    assert len(read(shot / "f%d.png", gaps="close")) == 7
    with pytest.raises(InputError, match=r"h%02d\.png: no picture has such a name"):
        VideoReader(shot / "h%02d.png")
    with pytest.raises(InputError, match="no such file or folder"):
        VideoReader(tmp_path / "gone" / "%04d.png")


def test_frames_keep_their_names(shot, tmp_path):
    for target in (tmp_path / "made", tmp_path / "again" / "%06d.png"):
        for _ in range(2):
            with (
                VideoReader(shot) as reader,
                VideoWriter(target, reader, overwrite=True) as writer,
            ):
                for item in reader:
                    writer.write(*item)
    made = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert made == [f"f{n:04d}.png" for n in NUMBERS]
    again = sorted(path.name for path in (tmp_path / "again").iterdir())
    assert again == [f"{n:06d}.png" for n in NUMBERS]
    assert read(tmp_path / "again", gaps="close") == read(shot, gaps="close")
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("names", [["a.png", "b.png"], ["a1.png", "b1.png"]])
def test_names_without_numbers_of_their_own_are_counted(tmp_path, names):
    source = render(tmp_path / "shot", names)
    target = tmp_path / "made" / "f%03d.png"
    with VideoReader(source) as reader, VideoWriter(target, reader) as writer:
        for item in reader:
            writer.write(*item)
    made = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert made == ["f000.png", "f001.png"]


def test_what_is_not_of_these_names_is_not_overwritten(shot, tmp_path):
    render(tmp_path / "made", ["f0001.png", "portrait.png"])
    with VideoReader(shot) as reader, pytest.raises(InputError, match="holds more"):
        VideoWriter(tmp_path / "made", reader, overwrite=True)
    with VideoReader(shot) as reader, pytest.raises(InputError, match="input itself"):
        VideoWriter(shot / "%04d.png", reader, overwrite=True)


def test_a_stray_video_does_not_make_a_folder_of_videos(shot, caplog):
    make_video(shot / "preview.mp4", 3)
    Image.new("RGB", (8, 6)).save(shot / "contact_sheet.png")
    with caplog.at_level(logging.WARNING, logger="vgan"):
        assert not convert.is_folder_of_videos(shot)
    assert "is taken as numbered pictures" in warnings(caplog)[0]


def test_pictures_beside_videos_leave_it_one(tmp_path):
    render(tmp_path / "clips", ["cover.png", "poster.png"])
    make_video(tmp_path / "clips" / "a.mp4", 3)
    assert convert.is_folder_of_videos(tmp_path / "clips")
    render(tmp_path / "camera", [f"IMG_{n}.png" for n in (1, 2, 3, 5)])
    make_video(tmp_path / "camera" / "IMG_4.mp4", 3)
    assert convert.is_folder_of_videos(tmp_path / "camera")


def test_a_number_that_exists_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    render(tmp_path / "001", ["f1.png", "f2.png"])
    assert len(read("001")) == 2
    with pytest.raises(InputError, match="there is no camera"):
        VideoReader("002")


@pytest.mark.parametrize("name", ["東京" * 41 + "é.mp4", "x" * 251 + ".mp4"])
def test_a_name_may_be_as_long_as_the_system_takes(tmp_path, name):
    assert 245 < len(name.encode()) <= 255
    frame = np.zeros((16, 16, 3), np.uint8)

    def write(writer):
        with writer:
            for index in range(3):
                writer.write(frame, Fraction(index, 25))

    write(VideoWriter(tmp_path / name))
    write(SegmentedWriter(tmp_path / name, None, {}, dict, overwrite=True))
    writer = VideoWriter(tmp_path / name[1:])
    writer.write(frame, 0)
    writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    kept = {path.name for path in tmp_path.iterdir()} - {name}
    assert len(kept) == 1
    assert kept.pop().endswith(".partial.mp4")
