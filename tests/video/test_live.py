import threading
import time
import types
from fractions import Fraction

import numpy as np
import pytest

from tests.video.samples import make_video
from vgan import InputError
from vgan.video import VideoReader, live
from vgan.video.live import Latest, Paced


def numbered(count, seconds):
    """`count` frames, one each `seconds`, each filled with its number."""
    for index in range(count):
        time.sleep(seconds)
        yield np.full((2, 2, 3), index, np.uint8), Fraction(index)


def test_a_slow_consumer_gets_the_newest_and_always_the_last():
    with Latest(numbered(40, 0.005)) as frames:
        seen = []
        for frame, timestamp in frames:
            assert frame[0, 0, 0] == timestamp
            seen.append(int(timestamp))
            time.sleep(0.05)
    assert seen == sorted(set(seen))
    assert seen[-1] == 39
    assert len(seen) + frames.dropped == 40
    assert frames.dropped > 20


def test_a_fast_consumer_gets_every_frame():
    with Latest(numbered(10, 0.02)) as frames:
        assert [int(timestamp) for _, timestamp in frames] == list(range(10))
        assert frames.dropped == 0
        with pytest.raises(StopIteration):
            next(frames)


def test_what_the_source_raises_comes_after_its_last_frame():
    def source():
        yield from numbered(1, 0)
        raise InputError("the cable was pulled")

    with Latest(source()) as frames:
        assert next(frames)[1] == 0
        with pytest.raises(InputError, match="cable"):
            next(frames)
        with pytest.raises(StopIteration):
            next(frames)


def test_close_does_not_wait_for_a_source_that_hangs():
    hang = threading.Event()

    def source():
        yield from numbered(1, 0)
        hang.wait(20)

    frames = Latest(source())
    next(frames)
    began = time.monotonic()
    frames.close()
    assert time.monotonic() - began < 1
    with pytest.raises(StopIteration):
        next(frames)
    hang.set()


def test_close_wakes_a_consumer_that_waits():
    hang = threading.Event()

    def source():
        hang.wait(20)
        yield from ()

    frames = Latest(source())
    threading.Timer(0.1, frames.close).start()
    began = time.monotonic()
    assert list(frames) == []
    assert time.monotonic() - began < 5
    hang.set()


def test_a_file_is_played_in_real_time(tmp_path):
    path = make_video(tmp_path / "a.mp4", 10)
    with VideoReader(path) as reader:
        paced = Paced(reader)
        assert paced.now is None
        lateness = [paced.now - float(timestamp) for _, timestamp in paced]
    assert len(lateness) == 10
    assert min(lateness) >= 0


def test_who_is_slow_is_not_made_to_wait_more(monkeypatch):
    now, waits = [100.0], []
    clock = types.SimpleNamespace(monotonic=lambda: now[0], sleep=waits.append)
    monkeypatch.setattr(live, "time", clock)
    times = [Fraction(n, 100) for n in (50, 51, 52, 53)]
    paced = Paced((None, time) for time in times)
    next(paced)
    now[0] += 0.025
    assert [timestamp for _, timestamp in paced] == times[1:]
    assert waits == pytest.approx([0.005])
