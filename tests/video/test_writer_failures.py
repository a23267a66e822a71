"""What a writer refuses, and what is left where it cannot finish."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests.video.samples import (
    audio_packets,
    leftovers,
    make_video,
)
from vgan import InputError
from vgan.video import VideoReader, VideoWriter


@pytest.mark.parametrize("name", ["b.mp4", "b.gif", "b"])
def test_a_crash_leaves_nothing(tmp_path, name):
    source = make_video(tmp_path / "a.mp4", audio=["aac"])
    before = sorted(tmp_path.iterdir())
    with (  # noqa: PT012
        pytest.raises(ZeroDivisionError),
        VideoReader(source) as reader,
        VideoWriter(tmp_path / name, like=reader) as writer,
    ):
        writer.write(*next(reader))
        assert not (tmp_path / name).exists()
        raise ZeroDivisionError
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv", "b.gif", "b"])
def test_ctrl_c_keeps_what_was_made(tmp_path, caplog, name):
    source = make_video(tmp_path / "a.mp4", 100, audio=["aac"])
    with (  # noqa: PT012
        pytest.raises(KeyboardInterrupt),
        VideoReader(source) as reader,
        VideoWriter(tmp_path / name, like=reader) as writer,
    ):
        for _ in range(7):
            writer.write(*next(reader))
        raise KeyboardInterrupt
    kept = tmp_path / f"b.partial{pathlib.Path(name).suffix}"
    assert writer.path == kept
    assert str(kept) in caplog.text
    assert not (tmp_path / name).exists()
    with VideoReader(kept) as reader:
        assert len(list(reader)) == 7
    if name.endswith(("mp4", "mkv")):
        assert audio_packets(kept)[0][-1][1] < 0.5
    assert leftovers(tmp_path) == [kept.name]


def test_ctrl_c_before_the_first_frame_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), VideoWriter(tmp_path / "b.mp4"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_bad_output_is_refused_at_once(tmp_path):
    source = make_video(tmp_path / "a.mp4")
    there = tmp_path / "there.mp4"
    there.write_bytes(b"precious")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").touch()
    link = tmp_path / "link.mp4"
    link.symlink_to(source)
    with VideoReader(source) as reader:
        for path, overwrite, words in (
            (there, False, "exists"),
            (source, True, "is the input itself"),
            (link, True, "is the input itself"),
            (tmp_path / "b.xyz", False, "unknown extension"),
            (tmp_path / "no" / "b.mp4", False, "there is no folder"),
            (tmp_path / "folder.mp4", True, "a folder of that name"),
            (tmp_path / "file", True, "a file of that name"),
            (tmp_path / "file" / "b.mp4", True, "there is no folder"),
        ):
            with pytest.raises(InputError, match=words):
                VideoWriter(path, like=reader, overwrite=overwrite)
    assert there.read_bytes() == b"precious"
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_unwritable_folder_is_refused_at_once(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="cannot be written"):
            VideoWriter(tmp_path / "a.mp4")
    finally:
        tmp_path.chmod(0o700)


def test_folder_that_takes_no_files_is_refused_at_once():
    with pytest.raises(InputError, match="cannot be written"):
        VideoWriter("/proc/self/a.mp4")


def test_no_frame_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no frame"), VideoWriter(tmp_path / "a.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


_KILLED = """
import os, signal, sys
import numpy as np
from vgan.video import VideoWriter
writer = VideoWriter(sys.argv[1])
for k in range(5):
    writer.write(np.zeros((16, 16, 3), np.uint8), k)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("name", ["a.mp4", "a"])
def test_what_a_killed_run_left_is_removed(tmp_path, name):
    command = [sys.executable, "-c", _KILLED, str(tmp_path / name)]
    assert subprocess.run(command, check=False).returncode < 0
    (left,) = leftovers(tmp_path)
    assert left == f".a.partial{pathlib.Path(name).suffix}"
    with VideoWriter(tmp_path / name) as writer:
        writer.write(np.zeros((16, 16, 3), np.uint8), 0)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a"])
def test_two_runs_on_one_output_are_refused(tmp_path, name):
    frame = np.zeros((16, 16, 3), np.uint8)
    with VideoWriter(tmp_path / name) as writer:
        writer.write(frame, 0)
        with pytest.raises(InputError, match="another run is writing it"):
            VideoWriter(tmp_path / name)
        with VideoWriter(tmp_path / f"other_{name}") as other:
            other.write(frame, 0)
        writer.write(frame, 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == [name, f"other_{name}"]


def test_pieces_of_a_run_to_be_resumed_are_named(tmp_path, caplog):
    (tmp_path / ".a.mp4.segments").mkdir()
    with VideoWriter(tmp_path / "a.mp4") as writer:
        writer.write(np.zeros((16, 16, 3), np.uint8), 0)
    assert f"{tmp_path}/.a.mp4.segments: is of a run that was to be" in caplog.text


def test_overwriting_happens_at_the_end(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")
    with VideoWriter(path, overwrite=True) as writer:
        writer.write(np.zeros((16, 16, 3), np.uint8), 0)
        assert path.read_bytes() == b"old"
    with VideoReader(path) as reader:
        assert len(list(reader)) == 1


def test_frames_of_another_size_are_refused(tmp_path):
    with (  # noqa: PT012
        pytest.raises(ValueError, match="first was"),
        VideoWriter(tmp_path / "b.mp4") as writer,
    ):
        writer.write(np.zeros((16, 16, 3), np.uint8), 0)
        writer.write(np.zeros((8, 16, 3), np.uint8), 1)
    assert list(tmp_path.iterdir()) == []


_FULL = """
import resource, signal, sys
import numpy as np
from vgan import InputError
from vgan.video import VideoWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
rng = np.random.default_rng(0)
try:
    with VideoWriter(sys.argv[1], fps=25) as writer:
        for k in range(200):
            writer.write(rng.integers(0, 255, (96, 128, 3), np.uint8), k / 25)
except InputError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.gif", "a"])
def test_full_disk_is_one_line_and_leaves_nothing(tmp_path, name):
    size = "(960, 1280" if name == "a" else "(96, 128"
    code = _FULL.replace("(96, 128", size)
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "cannot be written" in result.stdout, result.stderr
    assert list(tmp_path.iterdir()) == []


_MEMORY = """
import sys
from fractions import Fraction
from vgan.video import VideoReader, VideoWriter

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20

with VideoReader(sys.argv[1]) as reader, VideoWriter(sys.argv[2], reader) as writer:
    for count, (frame, timestamp) in enumerate(reader):
        writer.write(frame, timestamp)
        if count == 200:
            early = resident()
print(early, resident(), count + 1)
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads /proc")
def test_memory_stays_flat(tmp_path):
    source = make_video(tmp_path / "a.mp4", 1500, 90, 160, audio=["aac"])
    result = subprocess.run(
        [sys.executable, "-c", _MEMORY, str(source), str(tmp_path / "b.mp4")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    early, late, count = map(float, result.stdout.split())
    assert count == 1500
    assert late < early * 1.1
