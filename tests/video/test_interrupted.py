"""Segments that outlive what stopped their run, and what does not fit them."""

import signal
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from tests.video.samples import audio_packets, make_video, moving
from tests.video.segmenting import (
    NAMES,
    pictures,
    run,
    segments,
    times,
)
from vgan import InputError
from vgan.video import VideoReader
from vgan.video.segments import SegmentedWriter


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("name", NAMES)
def test_interrupted_and_resumed_is_the_same(tmp_path, clip, caplog, name, error):
    run(clip, tmp_path / f"whole{name}")
    target = tmp_path / name
    done = 0
    # Before the first frame and the first segment's end, at ends, next to them.
    for stop in (0, 1, 4, 5, 0, 6, 3, 7, 0):
        caplog.clear()
        with pytest.raises(error):
            run(clip, target, stop, error)
        done += stop // 5 * 5
        assert not target.exists()
        assert len(segments(target)) == done // 5
        kept = f"stopped: {done} frames are kept; the same command again goes on"
        assert (kept in caplog.text) == (error is KeyboardInterrupt)
    assert done == 15
    writer = run(clip, target)
    assert (writer.done, writer.num_frames, writer.path) == (15, 23, target)
    assert writer.snapshot["count"] == 15
    with VideoReader(clip) as reader:
        assert writer.resume_time == list(reader)[14][1]
    assert pictures(target) == pictures(tmp_path / f"whole{name}")
    assert times(target) == times(tmp_path / f"whole{name}")
    assert audio_packets(target) == audio_packets(tmp_path / f"whole{name}")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, f"whole{name}"])


def test_interrupted_before_anything_is_done_leaves_nothing(tmp_path, clip):
    for error in (ZeroDivisionError, KeyboardInterrupt):
        for stop in (0, 3):
            with pytest.raises(error):
                run(clip, tmp_path / "b.mp4", stop, error)
            assert list(tmp_path.iterdir()) == []


def test_interrupted_after_the_last_frame(tmp_path, clip):
    """When only the joining is left, or a last segment that is not full."""
    for segment_frames in (5, 23):
        run(clip, tmp_path / "whole.mp4", segment_frames=segment_frames)
        with pytest.raises(ZeroDivisionError):
            run(clip, tmp_path / "b.mp4", 23, segment_frames=segment_frames)
        run(clip, tmp_path / "b.mp4", segment_frames=segment_frames)
        assert pictures(tmp_path / "b.mp4") == pictures(tmp_path / "whole.mp4")
        (tmp_path / "b.mp4").unlink()
        (tmp_path / "whole.mp4").unlink()


_CHILD = """
import os, pathlib, resource, signal, sys, threading
from tests.video.test_segments import run
source, target, stop, limit = sys.argv[1:]
if int(limit):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
class Kill(BaseException):
    def __init__(self):
        os.kill(os.getpid(), signal.SIGKILL)
def watch():
    while not list(pathlib.Path(target).parent.glob(".*/joined.*")):
        pass
    os.kill(os.getpid(), signal.SIGKILL)
if stop == "joining":
    threading.Thread(target=watch, daemon=True).start()
    stop = "-1"
try:
    run(source, target, None if stop == "-1" else int(stop), Kill)
except Exception as error:
    print(type(error).__name__, error)
"""


def child(source, target, stop=-1, limit=0):
    return subprocess.run(
        [sys.executable, "-c", _CHILD, str(source), str(target), str(stop), str(limit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("stops", [(3, 7, 5), (12, "joining")])
def test_killed_and_resumed_is_the_same(tmp_path, clip, stops):
    run(clip, tmp_path / "whole.mp4")
    target = tmp_path / "b.mp4"
    done = 0
    for stop in stops:
        assert child(clip, target, stop).returncode == -signal.SIGKILL
        assert not target.exists()
        done = 23 if stop == "joining" else done + stop // 5 * 5
        assert len(segments(target)) == -(-done // 5)
    writer = run(clip, target)
    assert writer.done == done
    assert pictures(target) == pictures(tmp_path / "whole.mp4")
    assert audio_packets(target) == audio_packets(tmp_path / "whole.mp4")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.mp4", "whole.mp4"]


def test_full_disk_is_one_line_and_keeps_what_is_done(tmp_path):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (96, 128, 3), np.uint8) for _ in range(42)]
    source = make_video(tmp_path / "a.mkv", 42, 96, 128, frames=noise)
    run(source, tmp_path / "whole.mkv")
    size = (tmp_path / "whole.mkv").stat().st_size
    target = tmp_path / "b.mkv"
    for limit, count in (
        (size // 20, 0),
        (size * 4 // 5, 9),
    ):  # in a segment; in joining
        result = child(source, target, limit=limit)
        (line,) = result.stdout.splitlines()
        assert line.startswith(f"InputError {target}: cannot be written (File too lar")
        assert "what is done is kept" in line
        assert not target.exists()
        assert len(segments(target)) == count
    assert run(source, target).done == 42
    assert pictures(target) == pictures(tmp_path / "whole.mkv")


def _cut(data):
    return data[: len(data) // 2]


def _flip(data):
    middle = len(data) // 3
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [_cut, _flip, lambda data: b""])
def test_a_damaged_segment_and_what_follows_are_made_anew(
    tmp_path, clip, caplog, damage
):
    run(clip, tmp_path / "whole.mp4")
    target = tmp_path / "b.mp4"
    with pytest.raises(ZeroDivisionError):
        run(clip, target, 17)
    one, two, three = segments(target)
    two.write_bytes(damage(two.read_bytes()))
    with pytest.raises(ZeroDivisionError):
        run(clip, target, 0)
    assert [r.message for r in caplog.records if "is damaged" in r.message] == [
        f"{two}: is damaged, it and what follows is made anew"
    ]
    assert segments(target) == [one]
    assert not three.exists()
    assert run(clip, target).done == 5
    assert pictures(target) == pictures(tmp_path / "whole.mp4")


def test_no_damage_goes_unnoticed(tmp_path, clip):
    """Whatever byte is altered: the segment is dropped, or holds the same."""
    target = tmp_path / "b.mp4"
    run(clip, tmp_path / "whole.mp4")
    with pytest.raises(ZeroDivisionError):
        run(clip, target, 6)
    (path,) = segments(target)
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    # The end of the file is its table of contents.
    places = [
        *rng.integers(0, len(good), 60),
        *rng.integers(len(good) - 400, len(good), 60),
    ]
    seen = set()
    for place in places:
        data = bytearray(good)
        data[place] ^= 1 << rng.integers(8)
        path.write_bytes(data)
        with VideoReader(clip) as reader:
            writer = SegmentedWriter(target, reader, "trail", dict, segment_frames=5)
            seen.add(writer.done)
            if writer.done:
                assert writer.snapshot["count"] == 5
            writer.__exit__(ZeroDivisionError, None, None)
        path.parent.mkdir(exist_ok=True)
    assert 0 in seen


def test_another_task_starts_afresh(tmp_path, clip, caplog):
    target = tmp_path / "b.mp4"
    for change in (
        {"task": {"style": "other", "size": [1, 2]}},
        {"quality": 20},
        {"segment_frames": 6},
    ):
        caplog.clear()
        with pytest.raises(ZeroDivisionError):
            run(clip, target, 12)
        assert run(clip, target, **change).done == 0
        assert sum("made anew" in r.message for r in caplog.records) == 1
        target.unlink()
        with pytest.raises(ZeroDivisionError):
            run(clip, target, 7, **change)
        assert run(clip, target, **change).done in (5, 6)
        target.unlink()
        assert list(tmp_path.iterdir()) == []


def test_where_seeking_finds_other_frames_they_are_counted(tmp_path):
    """Two recordings in one: the clock starts again, so times say nothing."""
    parts = []
    for number in range(2):
        frames = [255 - f if number else f for f in moving(20, 48, 64)]
        path = make_video(
            tmp_path / f"{number}.ts", 20, codec="mpeg2video", begin=5,
            frames=frames,
        )  # fmt: skip
        parts.append(path.read_bytes())
    source = tmp_path / "a.ts"
    source.write_bytes(b"".join(parts))
    run(source, tmp_path / "whole.mp4")
    for stop in (11, 26, 33):
        with pytest.raises(ZeroDivisionError):
            run(source, tmp_path / "b.mp4", stop)
        assert run(source, tmp_path / "b.mp4").done == stop // 5 * 5
        assert pictures(tmp_path / "b.mp4") == pictures(tmp_path / "whole.mp4")
        (tmp_path / "b.mp4").unlink()


def test_frames_that_the_earlier_run_did_not_see_are_refused(tmp_path, clip):
    target = tmp_path / "b.mp4"
    with pytest.raises(ZeroDivisionError):
        run(clip, target, 12)
    with (
        VideoReader(clip, start=Fraction(3, 25)) as reader,
        pytest.raises(InputError, match=r"is not what .*b.mp4 was begun with"),
        SegmentedWriter(target, reader, "trail", dict, segment_frames=5) as writer,
    ):
        next(writer.remaining(reader))
    assert len(segments(target)) == 2
    assert run(clip, target).done == 10
