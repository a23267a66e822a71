"""Frames out to a pipe, an address, a device: what arrives, and what goes wrong."""

import contextlib
import logging
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.video.samples import loudest_hertz, make_video, moving, psnr
from vgan import InputError
from vgan.video import VideoReader, VideoWriter
from vgan.video.codecs import Coding
from vgan.video.loopback import VirtualCamera, format_request, pack
from vgan.video.opening import public

ROOT = pathlib.Path(__file__).parents[2]
WRITE = """
import sys
from fractions import Fraction
from tests.video.samples import moving
from vgan import InputError
from vgan.video import VideoWriter
count, height, width, *ticks = map(int, sys.argv[1:])
ticks = ticks or range(count)
try:
    with VideoWriter("-", fps=Fraction(30000, 1001)) as writer:
        print("chatter before")
        for tick, frame in zip(ticks, moving(count, height, width)):
            print("chatter")
            writer.write(frame, tick * Fraction(1001, 30000) + 5)
except InputError as error:
    print(error, file=sys.stderr)
"""


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-c", WRITE, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )


@pytest.mark.parametrize(("height", "width"), [(48, 64), (47, 63)])
def test_standard_output_is_raw_video_and_nothing_else(tmp_path, height, width):
    raw, said = start(5, height, width).communicate(timeout=30)
    assert raw.startswith(b"YUV4MPEG2 W%d H%d F30000:1001 " % (width, height))
    assert b"chatter" not in raw
    assert said.count(b"chatter") == 6
    (tmp_path / "a.y4m").write_bytes(raw)
    with VideoReader(tmp_path / "a.y4m") as reader:
        assert reader.fps == Fraction(30000, 1001)
        got = list(reader)
    assert [t for _, t in got] == [k * Fraction(1001, 30000) for k in range(5)]
    for (frame, _), sent in zip(got, moving(5, height, width), strict=True):
        assert frame.shape == sent.shape
        assert psnr(frame, sent) > (40 if height % 2 else 35)


def test_raw_video_repeats_and_leaves_out_to_keep_the_clock(tmp_path):
    raw, said = start(5, 48, 64, 0, 1, 4, 4, 5).communicate(timeout=30)
    frames = raw.split(b"FRAME\n")[1:]
    assert len(frames) == 6
    assert frames[1] == frames[2] == frames[3]
    assert len(set(frames)) == 4
    assert b"1 frames in between left out" in said


def test_a_closed_standard_output_is_one_clear_line():
    result = subprocess.run(
        [
            "sh",
            "-c",
            'exec "$@" >&-',
            "sh",
            sys.executable,
            "-c",
            WRITE,
            "5",
            "48",
            "64",
        ],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert result.stderr.splitlines() == [
        "-: standard output is closed; pipe it on, or give a file as the output"
    ]


def test_each_frame_is_sent_at_once_and_a_closed_pipe_ends_it():
    process = start(100_000, 48, 64)
    size = 6 + 48 * 64 * 3 // 2
    process.stdout.readline()
    for _ in range(3):
        assert len(process.stdout.read(size)) == size
    process.stdout.close()
    said = process.stderr.read().decode().splitlines()
    assert process.wait(30) == 0
    assert said[-1].startswith("-: the program that reads the output ended after")
    assert not any("Traceback" in line or "Broken" in line for line in said)


def test_a_pipe_runs_through_two_programs(tmp_path):
    """What one process writes to `-`, another reads from `-`."""
    writer = start(8, 48, 64)
    code = (
        "from vgan.video import VideoReader, VideoWriter\n"
        "with VideoReader('-') as reader, VideoWriter('-', reader) as writer:\n"
        "    for frame, timestamp in reader:\n"
        "        writer.write(frame, timestamp)\n"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=writer.stdout,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    raw, _ = reader.communicate(timeout=30)
    writer.communicate()
    assert raw.count(b"FRAME\n") == 8


@pytest.fixture
def receiver():
    """A function of a number of bytes (None: all): (address, what came, the thread)."""
    listeners = []

    def start(limit=None):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        data = bytearray()

        def receive():
            connection = listener.accept()[0]
            with connection:
                while limit is None or len(data) < limit:
                    chunk = connection.recv(65536)
                    if not chunk:
                        return
                    data.extend(chunk)

        thread = threading.Thread(target=receive, daemon=True)
        thread.start()
        return f"127.0.0.1:{listener.getsockname()[1]}", data, thread

    yield start
    for listener in listeners:
        listener.close()


def test_tcp_carries_picture_sound_and_key_frames(tmp_path, receiver, caplog):
    source = make_video(tmp_path / "a.mp4", 125, 47, 63, pix_fmt="yuv444p",
                        audio=["aac", "aac"])  # fmt: skip
    address, data, thread = receiver()
    with (
        VideoReader(source) as reader,
        VideoWriter(f"tcp://user:secret@{address}", reader) as writer,
    ):
        sent = []
        for frame, timestamp in reader:
            sent.append(frame)
            writer.write(frame, timestamp)
        assert writer.path == f"tcp://{address}"
    thread.join(10)
    (tmp_path / "b.ts").write_bytes(data)
    with VideoReader(tmp_path / "b.ts") as reader:
        got = list(reader)
    times = [t - got[0][1] for _, t in got]
    assert times == [Fraction(k, 25) for k in range(125)]
    assert psnr(got[60][0], sent[60][:46, :62]) > 28
    assert abs(loudest_hertz(tmp_path / "b.ts")[0] - 220) < 3
    with av.open(str(tmp_path / "b.ts")) as container:
        packets = container.demux(video=0)
        keys = [k for k, p in enumerate(p for p in packets if p.size) if p.is_keyframe]
    assert {0, 50, 100} <= set(keys)  # and where x264 sees a cut
    assert caplog.records == []


def listen_as_rtmp(port, packets):
    """Be the server of one broadcast: keep (codec, second, is key frame) of packets."""
    options = {"listen": "1", "timeout": "20"}
    address = f"rtmp://127.0.0.1:{port}/app/key"
    with contextlib.suppress(OSError), av.open(address, options=options) as container:
        for packet in container.demux():
            if packet.size:
                second = float(packet.pts * packet.time_base)
                codec = packet.stream.codec_context.name
                packets.append((codec, second, packet.is_keyframe))


def test_rtmp_carries_picture_and_sound(tmp_path):
    source = make_video(tmp_path / "a.mkv", 75, audio=["libopus", "aac"])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    packets = []
    server = threading.Thread(target=listen_as_rtmp, args=(port, packets), daemon=True)
    server.start()

    def broadcast():
        address = f"rtmp://127.0.0.1:{port}/app/key"
        with VideoReader(source) as reader, VideoWriter(address, reader) as writer:
            for frame, timestamp in reader:
                writer.write(frame, timestamp)

    for _ in range(50):  # until the server is up
        try:
            broadcast()
            break
        except InputError as error:
            if "nobody listens" not in str(error):
                raise
            time.sleep(0.1)
    server.join(10)
    pictures = [(second, key) for codec, second, key in packets if codec == "h264"]
    assert len(pictures) == 75
    keys = [second for second, key in pictures if key]
    assert max(np.diff([*keys, pictures[-1][0]])) < 2.01
    sound = [second for codec, second, _ in packets if codec == "aac"]
    assert sound[-1] > 2.9


def test_udp_fits_the_packets_of_a_network(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        address = f"udp://127.0.0.1:{listener.getsockname()[1]}"
        with VideoWriter(address, fps=25) as writer:
            for index, frame in enumerate(moving(10, 48, 64)):
                writer.write(frame, Fraction(index, 25))
                time.sleep(0.01)
        packets = [listener.recv(65536) for _ in range(3)]
    assert {len(packet) % 188 for packet in packets} == {0}
    assert max(map(len, packets)) <= 1316
    assert packets[0][0] == 0x47  # MPEG-TS


def send(address, count=200, wait=0.005):
    with VideoWriter(address, fps=25) as writer:
        for index, frame in enumerate(moving(count, 48, 64)):
            writer.write(frame, Fraction(index, 25))
            time.sleep(wait)


@pytest.mark.parametrize(
    "address",
    [
        "rtmp://user:secret@127.0.0.1:9/app/secret",
        "tcp://user:secret@127.0.0.1:9",
        "rtsp://user:secret@127.0.0.1:9/x",
    ],
)
def test_nobody_listens_is_one_clear_line(address):
    with pytest.raises(InputError, match="nobody listens there") as caught:
        send(address)
    message = str(caught.value)
    assert "\n" not in message
    assert "secret" not in message
    assert "127.0.0.1:9" in message


@pytest.mark.parametrize("address", ["tcp://{}", "rtmp://{}/app/key"])
def test_a_lost_connection_is_one_clear_line(receiver, address):
    where, data, _ = receiver(1000)
    with pytest.raises(InputError, match=f"{where}.*: the connection failed"):
        send(address.format(where), 400)
    assert len(data) >= 1000


def test_what_cannot_be_sent_to_is_refused_at_once():
    with pytest.raises(InputError, match="cannot send to ftp://; give rtmp://"):
        VideoWriter("ftp://user:secret@127.0.0.1/x.mp4")


def test_secrets_are_not_shown():
    assert public("rtmp://me:pw@h.tv:1935/live/k3y") == "rtmp://h.tv:1935/live/..."
    assert public("rtmps://h.tv/live/k3y?a=b") == "rtmps://h.tv/live/..."
    assert public("rtmp://h.tv/live") == "rtmp://h.tv/live"
    assert public("rtsp://me:pw@h.tv/x") == "rtsp://h.tv/x"
    assert public("-") == "-"


def test_ctrl_c_says_where_the_frames_went(receiver, caplog):
    where, data, thread = receiver()

    def interrupted():
        with VideoWriter(f"tcp://{where}", fps=25) as writer:
            for frame in moving(5, 48, 64):
                writer.write(frame, Fraction(writer.num_frames, 25))
            signal.raise_signal(signal.SIGINT)

    with (
        caplog.at_level(logging.WARNING, logger="vgan"),
        pytest.raises(KeyboardInterrupt),
    ):
        interrupted()
    thread.join(10)
    assert len(data) > 188
    assert caplog.records[-1].message == f"stopped: 5 frames went to tcp://{where}"


def test_no_virtual_camera_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match=r"modprobe v4l2loopback video_nr=97") as error:
        VideoWriter("/dev/video97")
    assert "\n" not in str(error.value)
    plain = tmp_path / "plain"
    plain.touch()
    files = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc") else None
    for path in (plain, "/dev/null"):
        with pytest.raises(InputError, match="cannot be opened as a camera"):
            VirtualCamera(path, None, Fraction(25), Coding())
    if files is not None:
        assert len(os.listdir("/proc/self/fd")) == files


def test_pixels_of_a_virtual_camera():
    frame = np.zeros((2, 4, 3), np.uint8)
    frame[0] = 255  # white above, below blue and red
    frame[1, :2], frame[1, 2:] = (0, 0, 255), (255, 0, 0)
    data = np.frombuffer(pack(frame), np.uint8).reshape(2, 2, 4).astype(int)
    assert np.abs(data[0] - [235, 128, 235, 128]).max() <= 1
    luma, u, v = data[1, :, 0::2], data[1, :, 1], data[1, :, 3]
    assert np.abs(luma - [[41], [81]]).max() <= 2  # BT.601, limited
    assert u[0] > 200 > 120 > u[1]
    assert v[1] > 200 > 140 > v[0]


def test_request_to_a_virtual_camera():
    request = format_request(640, 360)
    assert len(request) == 208
    kind, width, height, code, field, stride, size, _ = struct.unpack_from(
        "<I4x7I", request
    )
    assert (kind, width, height, field) == (2, 640, 360, 1)
    assert code.to_bytes(4, "little") == b"YUYV"
    assert (stride, size) == (1280, 1280 * 360)


@pytest.fixture
def cameras(monkeypatch):
    """Virtual cameras that keep what they are sent; those that there are, are not."""
    library = pytest.importorskip("pyvirtualcam", reason="extra 'camera' is missing")
    made = []

    class Camera:
        def __init__(self, *, width, height, fps, fourcc, device):
            if width > 64:
                raise RuntimeError("it is too wide")
            self.size, self.fps, self.frames, self.open = (height, width), fps, [], True
            made.append(self)

        def send(self, frame):
            if len(self.frames) == 3:
                raise RuntimeError("it was unplugged")
            self.frames.append(frame.reshape(*self.size, 3).copy())

        def close(self):
            self.open = False

    monkeypatch.setattr("pyvirtualcam.camera.BACKENDS", {})
    library.register_backend("fake", Camera)
    return made


@pytest.mark.parametrize(("height", "width"), [(48, 64), (47, 63)])
def test_the_virtual_camera_of_the_system(cameras, height, width):
    sent = list(moving(3, height, width))
    with VideoWriter("camera", fps=Fraction(30000, 1001)) as writer:
        for frame in sent:
            writer.write(frame, Fraction(writer.num_frames, 30))
        assert cameras[0].open
    (camera,) = cameras
    assert not camera.open
    assert camera.fps == pytest.approx(29.97, abs=0.001)
    assert camera.size == (height // 2 * 2, width // 2 * 2)
    for got, frame in zip(camera.frames, sent, strict=True):
        np.testing.assert_array_equal(got, frame[: camera.size[0], : camera.size[1]])


def show(count, width):
    with VideoWriter("camera") as writer:
        for frame in moving(count, 48, width):
            writer.write(frame, Fraction(writer.num_frames, 25))


@pytest.mark.parametrize(
    ("count", "width", "reason"),
    [(1, 66, "'fake' backend: it is too wide"), (4, 64, "it was unplugged")],
)
def test_a_virtual_camera_that_refuses(cameras, count, width, reason):
    message = rf"^camera: .* {width} x 48 \({reason}\); install "
    with pytest.raises(InputError, match=message) as error:
        show(count, width)
    assert "\n" not in str(error.value)
    assert not any(camera.open for camera in cameras)


def test_no_virtual_camera_at_all(cameras, monkeypatch):
    monkeypatch.setattr("pyvirtualcam.camera.BACKENDS", {})
    for platform, advice in (("linux", "modprobe v4l2loopback"), ("win32", "OBS")):
        monkeypatch.setattr(sys, "platform", platform)
        with pytest.raises(InputError, match=rf"there is none\); install.*{advice}"):
            show(1, 64)


@pytest.mark.parametrize(
    ("make", "address", "library", "extra"),
    [
        (VideoWriter, "camera", "pyvirtualcam", "camera"),
        (VideoWriter, "ndi:a", "cyndilib", "ndi"),
        (VideoReader, "ndi:a", "cyndilib", "ndi"),
    ],
)
def test_a_library_that_is_not_installed(monkeypatch, make, address, library, extra):
    monkeypatch.setitem(sys.modules, library, None)
    message = rf"^{address}: {library} is not installed; pip install -e '.\[{extra}\]'$"
    with pytest.raises(InputError, match=message):
        make(address)


def test_a_source_needs_a_name():
    with pytest.raises(InputError, match=r"^ndi:: has no name; give one, such as"):
        VideoWriter("ndi:")
