"""Damaged films through the whole: counted, kept, and refused where that is asked."""

import pytest

import vgan
from tests.video.samples import make_video
from vgan import DamagedError, InputError
from vgan.video import VideoReader


@pytest.fixture
def cut(tmp_path):
    (tmp_path / "in").mkdir()
    path = make_video(tmp_path / "in" / "cut.mkv", 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    return path


def count(path):
    with VideoReader(path) as reader:
        return sum(1 for _ in reader)


@pytest.mark.parametrize("resume", [False, True])
def test_what_is_left_is_kept_and_counted(model, cut, tmp_path, resume):
    output = tmp_path / "out.mkv"
    options = {"model": model, "engine": "keras", "progress": "none", "resume": resume}
    with pytest.raises(DamagedError, match=r"cut\.mkv: \d+ of 40 frames; the rest"):
        vgan.stylize(cut, "one", output, **options)
    assert 0 < count(output) == count(cut) < 40
    output.unlink()
    with pytest.raises(InputError, match=r"of 40 frames.* strict=True keeps") as caught:
        vgan.stylize(cut, "one", output, strict=True, **options)
    assert not isinstance(caught.value, DamagedError)
    assert not output.exists()


def test_a_folder_tells_which(model, cut, tmp_path):
    make_video(cut.parent / "whole.mp4", 5)
    told = []
    with pytest.raises(DamagedError, match="1 of 2 videos are damaged"):
        vgan.stylize(
            *(cut.parent, "one", tmp_path / "out"),
            **{"model": model, "engine": "keras", "report": told.append},
        )
    assert "of 40 frames; the rest cannot be decoded" in told[0]
    assert "damaged" not in told[1]
    assert 0 < count(tmp_path / "out" / "cut.mkv") < 40
    assert count(tmp_path / "out" / "whole.mp4") == 5
