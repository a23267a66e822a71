"""Live and piped sources, from small servers on this machine."""

import contextlib
import http.server
import itertools
import pathlib
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from tests.video.samples import audio_packets, make_video, moving, psnr
from vgan import InputError
from vgan.video import VideoReader, VideoWriter
from vgan.video.live import Latest
from vgan.video.opening import demuxed


@contextlib.contextmanager
def server(data, hold=0, head=b""):
    """Address of a TCP server that sends `data` to who comes, then waits to hang up."""
    done = threading.Event()

    def serve(listener):
        with contextlib.suppress(OSError), listener.accept()[0] as connection:
            if head:
                connection.recv(4096)
                connection.sendall(head + b"%x\r\n" % len(data))
            connection.sendall(data)
            done.wait(hold)
            if head:
                connection.sendall(b"\r\n0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()


def transport_stream(tmp_path, count=30, **options):
    return make_video(tmp_path / "a.ts", count, **options).read_bytes()


def warnings(caplog):
    return [r.message for r in caplog.records if r.name == "vgan"]


@contextlib.contextmanager
def sender(*parts):
    """Address of a TCP server: each who comes gets the next part and is kept waiting.

    After the last part it hangs up.
    """
    done = threading.Event()

    def serve(listener):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for part in parts:
                connection = stack.enter_context(listener.accept()[0])
                connection.sendall(part)
            connection.close()
            done.wait(30)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        try:
            yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()


def test_a_sender_that_is_away_is_waited_for(tmp_path, caplog):
    """It comes back with another clock and another size."""
    first = transport_stream(tmp_path)
    second = make_video(tmp_path / "b.ts", 30, 96, 128, begin=500).read_bytes()
    with (
        sender(first, second) as address,
        VideoReader(address, timeout=1, reconnect=20) as reader,
    ):
        frames = list(reader)
        assert reader.damage is None  # it said that it ends
    times = [float(time) for _, time in frames]
    assert 55 <= len(times) <= 60
    assert times == sorted(set(times))
    steps = np.diff(times)
    assert sum(steps > 0.1) == 1
    assert 2 < steps.max() < 9  # until the timeout, and then to the first attempt
    assert {frame.shape for frame, _ in frames} == {(48, 64, 3)}
    assert any("is back after" in line for line in warnings(caplog))


@pytest.mark.slow
def test_a_sender_by_udp_that_is_away_is_waited_for(tmp_path, caplog):
    """Its port is free for us again."""
    options = {"g": "10"}  # or nothing could be shown of what comes when we are back
    data = transport_stream(tmp_path, 500, options=options)
    packets = [data[start : start + 1316] for start in range(0, len(data), 1316)]
    done = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()

    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            done.wait(0.5)
            for number, packet in enumerate(packets):
                # Away until the first attempt to reach it, then there for all others.
                done.wait(3.5 if number == len(packets) // 10 else 10 / len(packets))
                if done.is_set():
                    return
                out.sendto(packet, address)

    threading.Thread(target=send, daemon=True).start()
    source = f"udp://{address[0]}:{address[1]}"
    with VideoReader(source, timeout=2, reconnect=30) as reader:
        times = [float(time) for _, time in itertools.islice(reader, 70)]
    done.set()
    assert times == sorted(set(times))
    assert any("is back after" in line for line in warnings(caplog))


def test_a_sender_that_stays_away_broke_off(tmp_path):
    for reconnect in (0, 2):
        with (
            sender(transport_stream(tmp_path), b"") as address,
            VideoReader(address, timeout=1, reconnect=reconnect) as reader,
        ):
            began = time.monotonic()
            assert 25 <= len(list(reader)) <= 30
            assert reader.damage == "it broke off (nothing came for 1 s)"
            assert time.monotonic() - began < 6


def test_a_stream_that_appears_on_the_way_breaks_nothing():
    """Of it PyAV knows too little to give its end."""

    class Container:
        def demux(self, streams):
            yield from streams
            raise IndexError

    assert list(demuxed(Container(), ["a packet", "its end"])) == [
        "a packet",
        "its end",
    ]


HTTP = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("head", [b"", HTTP], ids=["tcp", "http"])
def test_a_stream_that_ends_ends(tmp_path, caplog, head):
    with server(transport_stream(tmp_path, audio=["aac"]), head=head) as address:
        source = f"http://{address}/x" if head else f"tcp://{address}"
        with VideoReader(source, timeout=5) as reader:
            assert reader.is_live
            assert reader.has_sound
            assert reader.audio is None
            frames = list(reader)
    assert len(frames) == 30
    assert [t * 25 for _, t in frames] == list(range(30))
    assert warnings(caplog) == []


class Files(http.server.BaseHTTPRequestHandler):
    """Sends what `server.data` has under a path, with its length, and never a part."""

    def do_GET(self):
        data = self.server.data[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(data)

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def web_server(data):
    """Address of a web server of `data`, path to bytes."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as web:
        web.data = data
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{web.server_address[1]}"
        web.shutdown()


def test_a_download_of_unknown_duration_waits_for_us(tmp_path):
    data = transport_stream(tmp_path, 200, audio=["aac"])
    with (
        web_server({"/a.ts": data}) as address,
        VideoReader(f"{address}/a.ts", timeout=5) as reader,
    ):
        assert not reader.is_live
        assert reader.num_frames is reader.duration is None
        with VideoWriter(tmp_path / "b.mp4", like=reader) as writer:
            for frame, timestamp in reader:
                writer.write(frame, timestamp)
    assert writer.num_frames == 200
    assert len(audio_packets(tmp_path / "b.mp4")) == 1


def test_a_playlist_is_live_until_it_has_an_end(tmp_path):
    end = "#EXT-X-ENDLIST\n"
    make_video(tmp_path / "a.m3u8", 30)
    playlist = (tmp_path / "a.m3u8").read_text()
    assert end in playlist
    data = {f"/{path.name}": path.read_bytes() for path in tmp_path.glob("*.ts")}
    data["/whole.m3u8"] = playlist.encode()
    data["/live.m3u8"] = playlist.replace(end, "").encode()
    with web_server(data) as address:
        for name, is_live in (("whole", False), ("live", True)):
            with VideoReader(f"{address}/{name}.m3u8", timeout=5) as reader:
                assert reader.is_live == is_live


@pytest.mark.parametrize("head", [b"", HTTP], ids=["tcp", "http"])
def test_a_stream_that_stalls_ends_after_the_timeout(tmp_path, caplog, head):
    with server(transport_stream(tmp_path), hold=30, head=head) as address:
        source = f"http://{address}/x" if head else f"tcp://{address}"
        # FFmpeg looks at a stream until it knows enough, or for this long
        with VideoReader(source, timeout=1) as reader:
            began = time.monotonic()
            frames = list(reader)
            took = time.monotonic() - began
    assert 25 <= len(frames) <= 30  # the last bytes of the last packet never came
    assert 0.5 < took < 4
    assert len(warnings(caplog)) == 1
    assert "nothing came for 1 s" in warnings(caplog)[0]
    assert address in warnings(caplog)[0]


def test_a_server_that_says_nothing_is_one_clear_line():
    with server(b"", hold=30) as address:
        began = time.monotonic()
        with pytest.raises(InputError, match="nothing came for 1 s") as caught:
            VideoReader(f"tcp://{address}", timeout=1)
        assert time.monotonic() - began < 4
    assert address in str(caught.value)


def test_a_stream_that_changes_size_keeps_the_first(tmp_path, caplog):
    small = transport_stream(tmp_path, 20, height=48, width=64)
    large = make_video(
        tmp_path / "b.ts", 20, begin=2, frames=moving(20, 96, 128), height=96, width=128
    ).read_bytes()
    with server(small + large) as address, VideoReader(f"tcp://{address}") as reader:
        frames = list(reader)
    assert len(frames) == 40
    assert {frame.shape for frame, _ in frames} == {(48, 64, 3)}
    assert frames[-1][0].std() > 20  # the whole picture, made smaller
    assert len(warnings(caplog)) == 1
    assert "changes to 128 x 96" in warnings(caplog)[0]


def test_closing_under_a_thread_that_waits_for_the_network(tmp_path):
    with server(transport_stream(tmp_path), hold=30) as address:
        began = time.monotonic()
        with VideoReader(f"tcp://{address}", timeout=2) as reader:
            latest = Latest(reader)
            with latest as frames:
                next(frames)
                time.sleep(0.3)
        assert time.monotonic() - began < 2
        latest._thread.join(5)
        assert not latest._thread.is_alive()


READ = """
import sys
from vgan import InputError
from vgan.video import VideoReader
try:
    with VideoReader("-", start=float(sys.argv[1])) as reader:
        print(reader.is_live, reader.audio)
        print(*(timestamp for _, timestamp in reader))
        reader.seek(0)
except InputError as error:
    print(error)
"""


def read_piped(data, start=0):
    return subprocess.run(
        [sys.executable, "-c", READ, str(start)],
        input=data,
        capture_output=True,
        cwd=pathlib.Path(__file__).parents[2],
        check=True,
    ).stdout.decode()


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.nut"])
def test_standard_input_is_a_source(tmp_path, name):
    path = make_video(tmp_path / name, 30, audio=["aac"])
    for start in (0, 0.5):
        with VideoReader(path, start=start) as reader:
            times = [str(timestamp) for _, timestamp in reader]
        what, piped, last = read_piped(path.read_bytes(), start).splitlines()
        assert what == "False None"
        assert piped.split() == times
        assert last == "-: standard input cannot be read again"


def test_a_pipe_that_cannot_be_read_is_told_from_a_bad_file(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 96, 128, 3), np.uint8)
    path = make_video(tmp_path / "a.mp4", 40, 96, 128, frames=noise)
    line = read_piped(path.read_bytes()).splitlines()[-1]
    assert "-: is an MP4 with its index at the end, to which a pipe cannot" in line
    assert "nothing came through the pipe" in read_piped(b"")


def test_what_is_piped_in_and_no_video_is_one_clear_line():
    for data in (b"", b"I am not a video\n" * 100):
        lines = read_piped(data).splitlines()
        assert len(lines) == 1
        assert "-: is not a video" in lines[0]


def test_timestamps_and_looks_survive_the_network(tmp_path):
    data = transport_stream(tmp_path, 12, options={"crf": "5"})
    with server(data) as address, VideoReader(f"tcp://{address}") as reader:
        pairs = zip(reader, moving(12, 48, 64), strict=True)
        assert min(psnr(frame, sent) for (frame, _), sent in pairs) > 30
