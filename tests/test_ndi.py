"""NDI in a loop on this computer: what is sent arrives, and what goes wrong."""

import contextlib
import itertools
import json
import os
import threading
import time
from fractions import Fraction

import numpy as np
import pytest

import vgan
from tests.video.samples import make_video, moving, psnr
from vgan import InputError
from vgan.video import VideoReader, VideoWriter

FPS = Fraction(15000, 1001)  # slow enough for a busy computer


@pytest.fixture(scope="module", autouse=True)
def _on_this_computer_alone(tmp_path_factory):
    """Nothing goes into the network, and what is in there is not seen."""
    if "NDI_CONFIG_DIR" not in os.environ:
        folder = tmp_path_factory.mktemp("ndi")
        here = {
            "networks": {"ips": "127.0.0.1", "discovery": ""},
            "adapters": {"allowed": ["127.0.0.1"]},
        }
        (folder / "ndi-config.v1.json").write_text(json.dumps({"ndi": here}))
        os.environ["NDI_CONFIG_DIR"] = str(folder)
    pytest.importorskip("cyndilib", reason="extra 'ndi' is not installed")


@pytest.fixture
def address(request):
    return f"ndi:{request.node.name[:60]}.{os.getpid()}"


@contextlib.contextmanager
def sending(address, height=48, width=64):
    """Eight frames, again and again, at FPS until the block ends; yields the frames."""
    ended, frames = threading.Event(), list(moving(8, height, width))

    def send():
        with VideoWriter(address, fps=FPS) as writer:
            for frame in itertools.cycle(frames):
                writer.write(frame, writer.num_frames / FPS)
                if ended.is_set():
                    return

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield frames
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize(("height", "width"), [(48, 64), (47, 63)])
def test_frames_arrive(address, height, width):
    with sending(address, height, width) as sent, VideoReader(address) as reader:
        assert (reader.height, reader.width) == (height // 2 * 2, width // 2 * 2)
        assert reader.fps == FPS
        assert reader.is_live
        got = list(itertools.islice(reader, 20))
    times = [timestamp for _, timestamp in got]
    assert times[0] == 0
    assert all(a < b for a, b in itertools.pairwise(times))
    assert np.median(np.diff(np.float64(times))) == pytest.approx(1 / FPS, rel=0.3)
    which = []
    for frame, _ in got:
        assert frame.dtype == np.uint8
        even = [one[: reader.height, : reader.width] for one in sent]
        likeness = [psnr(frame, one) for one in even]
        assert max(likeness) > 35
        which.append(int(np.argmax(likeness)))
    steps = [(b - a) % 8 for a, b in itertools.pairwise(which)]
    assert steps.count(1) > 10  # some may be lost where the computer is busy


def test_size_window_and_rate(address):
    arguments = {"size": (24, 16), "window": (0.0, 0.0, 0.5, 1.0), "fps": 10}
    with sending(address), VideoReader(address, **arguments) as reader:
        got = list(itertools.islice(reader, 5))
    assert [timestamp for _, timestamp in got] == [Fraction(k, 10) for k in range(5)]
    assert got[0][0].shape == (24, 16, 3)


def test_a_film_with_its_sound(address, tmp_path):
    import cyndilib

    film = make_video(tmp_path / "a.mp4", 120, audio=["aac"])
    heard = []

    def listen():
        with VideoReader(address) as reader:
            sync, sound = reader._source._receiver.frame_sync, cyndilib.AudioFrameSync()
            sync.set_audio_frame(sound)
            for _ in itertools.islice(reader, 30):
                if sync.capture_audio(24_000):
                    heard.append(sound.get_array()[0].copy())

    thread = threading.Thread(target=listen)
    thread.start()
    began = time.monotonic()
    with VideoReader(film) as reader, VideoWriter(address, like=reader) as writer:
        for frame, timestamp in reader:
            writer.write(frame, timestamp)
    assert time.monotonic() - began > 4  # 120 frames at 25 a second
    thread.join()
    sound = np.concatenate(heard)
    hertz = np.argmax(np.abs(np.fft.rfft(sound))) * 48_000 / len(sound)
    assert hertz == pytest.approx(220, abs=5)
    assert reader.damage is None


def test_live_sound_is_left_out_with_a_line(address, tmp_path, caplog):
    film = make_video(tmp_path / "a.mp4", 100, audio=["aac"])

    def send():
        with VideoReader(film) as reader, VideoWriter(address, like=reader) as writer:
            for frame, timestamp in reader:
                writer.write(frame, timestamp)

    thread = threading.Thread(target=send)
    thread.start()
    with VideoReader(address) as reader:
        list(itertools.islice(reader, 20))
    thread.join()
    assert f"{address}: the sound of a live source is not kept" in caplog.messages


def test_a_source_that_ends(address, caplog):
    with contextlib.ExitStack() as sender:
        sender.enter_context(sending(address))
        reader = VideoReader(address)
        next(reader)
        sender.close()
        list(reader)
    assert reader.damage == "it broke off (its sender is gone)"
    assert f"{address}: ends early (its sender is gone)" in caplog.messages


def test_a_source_that_comes_back(address, caplog):
    with contextlib.ExitStack() as sender:
        sender.enter_context(sending(address))
        with VideoReader(address, reconnect=30) as reader:
            frame, _ = next(reader)
            sender.close()
            gone = time.monotonic()
            back = threading.Timer(
                2, lambda: sender.enter_context(sending(address, 96, 96))
            )
            back.start()
            frame, timestamp = next(
                item
                for item in reader
                if any("is back" in message for message in caplog.messages)
            )
            back.join()
            assert timestamp == pytest.approx(time.monotonic() - gone, abs=1.5)
            assert frame.shape == (48, 64, 3)
            assert not frame[:, 0].any()  # black bars keep the shape of pixels
            assert frame[:, 32].any()
    said = "\n".join(caplog.messages)
    assert "its sender is gone; waiting 30 s for it to come back" in said
    assert "the picture changes to 96 x 96 on the way" in said
    assert reader.damage is None


def test_what_is_not_there_names_what_is(address):
    with sending(address), contextlib.suppress(StopIteration):
        full = next(_seen(address))
        assert full.endswith(f"({address.removeprefix('ndi:')})")
        with VideoReader(f"ndi:{full}") as reader:
            next(reader)
        message = f"ndi:nobody: there is no such NDI source; .*{address[4:]}"
        with pytest.raises(InputError, match=message.replace("[", r"\[")) as error:
            VideoReader("ndi:nobody", timeout=2)
        assert "\n" not in str(error.value)
        with pytest.raises(InputError, match=r"^ndi:: has no name; those seen"):
            VideoReader("ndi:")


def _seen(address):
    import cyndilib

    finder = cyndilib.Finder()
    while True:
        yield from (n for n in finder.update_sources() if address[4:] in n)
        time.sleep(0.1)


def test_a_name_that_is_taken(address, capsys):
    frame = np.zeros((48, 64, 3), np.uint8)
    with VideoWriter(address) as first:
        first.write(frame, 0)
        second = VideoWriter(address)
        with pytest.raises(InputError, match=r"sends under that name; give") as error:
            second.write(frame, 0)
    assert "\n" not in str(error.value)
    assert not capsys.readouterr().out


def test_a_reader_closes_while_it_waits(address, caplog):
    with sending(address):
        reader = VideoReader(address)
        thread = threading.Thread(target=list, args=(reader,))
        thread.start()
        time.sleep(0.3)
        reader.close()
        thread.join(2)
    assert not thread.is_alive()
    assert not caplog.messages


@pytest.mark.slow
def test_stylized_from_a_source_to_a_source(address, model_path, tmp_path, caplog):
    out, got = f"{address}.out", []

    def watch():
        with VideoReader(out, timeout=120) as reader:
            got.extend(itertools.islice(reader, 10))

    watcher = threading.Thread(target=watch)
    with contextlib.ExitStack() as sender:
        sent = sender.enter_context(sending(address))
        threading.Thread(
            target=lambda: (watcher.start(), watcher.join(), sender.close())
        ).start()
        with pytest.raises(vgan.DamagedError, match="it broke off"):
            vgan.stylize(
                address, "mosaic", out, model_path, reconnect=0, progress="none"
            )
    assert len(got) == 10
    assert got[0][0].shape == (48, 64, 3)
    assert max(psnr(got[-1][0], frame) for frame in sent) < 30  # it is painted
