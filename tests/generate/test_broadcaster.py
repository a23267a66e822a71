"""A live source, and a network that is too slow for it."""

import contextlib
import signal
import statistics
import time
from fractions import Fraction

import numpy as np
import pytest

from vgan import InputError
from vgan.generate import live
from vgan.generate.options import StylizeOptions
from vgan.generate.preview import Controls
from vgan.runtime.engines import keras_engine
from vgan.video import VideoReader, VideoWriter

FPS = 30


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "in.mp4"
    with VideoWriter(path, fps=FPS) as writer:
        for i in range(2 * FPS):
            frame = np.full((32, 48, 3), i, np.uint8)
            writer.write(frame, Fraction(i, FPS))
    return path


def test_latency_is_bounded_when_the_network_is_too_slow(
    model, video, tmp_path, monkeypatch
):
    step = keras_engine.KerasEngine.step

    def slow(self, *arguments):
        time.sleep(3 / FPS)
        return step(self, *arguments)

    monkeypatch.setattr(keras_engine.KerasEngine, "step", slow)
    broadcaster = live.Broadcaster(StylizeOptions(str(model), "keras", ("one",)))
    with VideoReader(video) as reader:
        broadcaster.run(reader, tmp_path / "out.mp4")
    assert broadcaster.num_frames + broadcaster.dropped == 2 * FPS
    assert broadcaster.dropped > FPS
    latencies = list(broadcaster.latencies)[3:]
    # Its own three frames, and two of the source that wait; a queue would grow to 4 s.
    assert statistics.median(latencies) < (3 + 2 + 2) / FPS
    assert max(latencies) < 15 / FPS
    with VideoReader(tmp_path / "out.mp4") as reader:
        times = [timestamp for _, timestamp in reader]
    assert len(times) == broadcaster.num_frames
    assert all(timestamp * FPS == round(timestamp * FPS) for timestamp in times)
    assert "dropped, latency" in broadcaster.summary()


def test_nothing_is_dropped_when_it_is_fast(model, video, tmp_path):
    broadcaster = live.Broadcaster(StylizeOptions(str(model), "keras", ("one",)))
    with VideoReader(video) as reader:
        start = time.monotonic()
        broadcaster.run(reader, tmp_path / "out.mp4")
    assert time.monotonic() - start > 1.9  # in real time
    assert broadcaster.num_frames > FPS


def test_a_recording_has_no_gaps(tmp_path):
    controls = Controls(1)
    controls.recording = True
    with VideoWriter(tmp_path / "out.mp4", fps=10) as writer:
        recorder = live.Recorder(writer, controls)
        for i in range(30):
            if i in (10, 20):
                controls.press("record")
            recorder.write(np.zeros((16, 16, 3), np.uint8), Fraction(i, 10))
    with VideoReader(tmp_path / "out.mp4") as reader:
        times = [timestamp for _, timestamp in reader]
    assert times == [Fraction(i, 10) for i in range(20)]


def test_keys_choose_among_styles(model):
    controls = Controls(2)
    choices = StylizeOptions(str(model), "keras", ("one", "two")).choices()
    assert len(StylizeOptions(str(model), "keras").choices()) == 2
    chosen = live.Chosen(choices, controls).encode(None)
    code, strength = chosen.at(3)
    np.testing.assert_array_equal(code, np.ones((1, 16)))
    controls.press("next")
    controls.press("weaker")
    code, strength = chosen.at(4)
    np.testing.assert_array_equal(code, -np.ones((1, 16)))
    assert strength == 0.9


def test_keys_and_times_do_not_mix(model):
    with pytest.raises(InputError, match="without times"):
        StylizeOptions(str(model), "keras", ("one@0s", "two@1s")).choices()


@pytest.mark.parametrize("number", [None, signal.SIGTERM])
def test_a_stop_is_a_good_end(model, video, tmp_path, monkeypatch, number):
    """The output is complete; who sent a signal is told by the exit code."""

    def once(self, frames, process, write, *_):
        frame, timestamp = next(frames)
        write(process(frame, timestamp), timestamp)
        raise KeyboardInterrupt(*filter(None, [number]))

    monkeypatch.setattr(live.Broadcaster, "_run", once)
    broadcaster = live.Broadcaster(StylizeOptions(str(model), "keras", ("one",)))
    told = pytest.raises(KeyboardInterrupt) if number else contextlib.nullcontext()
    with VideoReader(video) as reader, told:
        broadcaster.run(reader, tmp_path / "out.mp4", show="none")
        assert reader.damage is None  # the rest of the film was not wanted
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
