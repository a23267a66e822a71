import http.server
import logging
import os
import threading
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from tests.video.samples import make_video, moving, psnr
from vgan import InputError
from vgan.video import VideoReader, is_image, read_image


def read(source, **options):
    with VideoReader(source, **options) as reader:
        return list(reader)


def times(source, **options):
    return [timestamp for _, timestamp in read(source, **options)]


def test_frames_and_exact_times(tmp_path):
    path = make_video(tmp_path / "a.mp4", time_base=Fraction(1001, 30000))
    with VideoReader(path) as reader:
        assert (reader.width, reader.height, reader.num_frames) == (64, 48, 12)
        assert reader.fps == Fraction(30000, 1001)
        assert not reader.is_live
        got = list(reader)
    assert [t for _, t in got] == [k * Fraction(1001, 30000) for k in range(12)]
    for (frame, _), expected in zip(got, moving(12, 48, 64), strict=True):
        assert frame.dtype == np.uint8
        assert frame.shape == (48, 64, 3)
        assert psnr(frame, expected) > 32


def test_variable_frame_rate_keeps_its_times(tmp_path):
    pts = [0, 40, 47, 400, 433, 1000]
    path = make_video(tmp_path / "a.mkv", 6, pts=pts, time_base=Fraction(1, 1000))
    assert times(path) == [Fraction(p, 1000) for p in pts]


def test_resampling_shows_what_is_shown_at_that_time(tmp_path):
    pts = [0, 40, 47, 400, 433, 1000]
    path = make_video(tmp_path / "a.mkv", 6, pts=pts, time_base=Fraction(1, 1000))
    originals = {t: frame for frame, t in read(path)}
    with VideoReader(path, fps=10) as reader:
        resampled = list(reader)
        assert abs(reader.num_frames - len(resampled)) <= 1
    assert [t for _, t in resampled] == [Fraction(k, 10) for k in range(11)]
    for frame, t in resampled:
        shown = max(s for s in originals if s <= t)
        assert np.array_equal(frame, originals[shown])


def test_resampling_never_drifts(tmp_path):
    path = make_video(tmp_path / "a.mp4", 300, 16, 16, time_base=Fraction(1001, 30000))
    got = times(path, fps=12)
    assert got == [Fraction(k, 12) for k in range(len(got))]
    assert abs(len(got) - 300 * 1001 / 30000 * 12) <= 1


@pytest.mark.parametrize(
    "matrix",
    [
        (1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1),
        (0, 1, 1, 0), (0, 1, -1, 0), (0, -1, 1, 0), (0, -1, -1, 0),
    ],
)  # fmt: skip
def test_display_matrix_is_applied(tmp_path, matrix):
    """ISO 14496-12: pixel (x, y) is shown at (a x + c y, b x + d y)."""
    a, b, c, d = matrix
    colors = {(-1, -1): 40, (1, -1): 100, (-1, 1): 160, (1, 1): 220}  # (right, down)
    corners = np.zeros((48, 64, 3), np.uint8)
    for (x, y), value in colors.items():
        corners[slice(0, 24) if y < 0 else slice(24, 48),
                slice(0, 32) if x < 0 else slice(32, 64)] = value  # fmt: skip
    one = 65536
    path = make_video(
        tmp_path / "a.mov",
        frames=[corners] * 3,
        setup=lambda stream: stream.set_display_matrix(
            [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30]
        ),
    )
    with VideoReader(path) as reader:
        frame, _ = next(reader)
        assert frame.shape == (reader.height, reader.width, 3)
    height, width = frame.shape[:2]
    assert (height, width) == ((64, 48) if a == 0 else (48, 64))
    for (x, y), value in colors.items():
        right, down = a * x + c * y, b * x + d * y
        shown = frame[height // 2 + down * height // 4, width // 2 + right * width // 4]
        assert np.abs(shown.astype(int) - value).max() < 8


COLORS = [
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 255, 255), (0, 0, 0),
    (16, 16, 16), (235, 235, 235), (128, 128, 128), (180, 60, 90),
]  # fmt: skip


@pytest.mark.parametrize("matrix", [1, 5, 9])
@pytest.mark.parametrize(
    ("pix_fmt", "codec", "color_range"),
    [
        ("yuv420p", "libx264", 1),
        ("yuvj420p", "libx264", 2),
        ("yuv420p10le", "libx264", 1),
        ("yuv444p", "libx264", 1),
    ],
)
def test_matrix_range_and_depth_are_honored(
    tmp_path, matrix, pix_fmt, codec, color_range
):
    def tag(stream):
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = color_range

    frames = [np.full((48, 64, 3), c, np.uint8) for c in COLORS]
    path = make_video(
        tmp_path / "a.mp4",
        codec=codec,
        pix_fmt=pix_fmt,
        frames=frames,
        setup=tag,
        options={"crf": "4"},
    )
    for (frame, _), color in zip(read(path), COLORS, strict=True):
        assert np.abs(frame[20, 30].astype(int) - color).max() <= 4, (
            color,
            frame[20, 30],
        )


@pytest.mark.parametrize(
    ("height", "width", "matrix"), [(96, 128, 5), (720, 1280, 1), (1280, 720, 1)]
)
def test_without_tags_the_matrix_goes_by_size(tmp_path, height, width, matrix):
    y = {5: (81, 90, 240), 1: (63, 102, 240)}[matrix]  # limited-range red
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.width, stream.height = width, height
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane, value in zip(frame.planes, y, strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    frame, _ = read(path)[0]
    assert np.abs(frame[40, 40].astype(int) - (255, 0, 0)).max() <= 3


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_is_brought_to_common_video(tmp_path, transfer):
    """Grey stays grey, white of the reference level is bright, order is kept."""

    def tag(stream):
        context = stream.codec_context
        context.colorspace, context.color_primaries = 9, 9
        context.color_trc, context.color_range = transfer, 1

    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    frame = np.broadcast_to(ramp[None, :, None], (48, 64, 3)).copy()
    path = make_video(
        tmp_path / "a.mp4", pix_fmt="yuv420p10le", frames=[frame] * 2, setup=tag
    )
    got = read(path)[0][0][20].astype(int)
    assert np.ptp(got, axis=-1).max() <= 6
    assert np.all(np.diff(got.mean(-1)) >= -2)
    reference_white = got[int(0.58 * 63)].mean() if transfer == 16 else got[-1].mean()
    assert reference_white > 150


def test_start_and_seek_land_on_the_frame_shown_then(tmp_path):
    path = make_video(tmp_path / "a.mp4", 100, options={"g": "30", "bf": "3"})
    frames = read(path)
    with VideoReader(path, start=Fraction(211, 100)) as reader:
        frame, timestamp = next(reader)
        assert timestamp == Fraction(52, 25)
        assert np.array_equal(frame, frames[52][0])
        assert next(reader)[1] == Fraction(53, 25)
        for index in (0, 99, 31, 30):
            reader.seek(Fraction(index, 25))
            frame, timestamp = next(reader)
            assert timestamp == Fraction(index, 25)
            assert np.array_equal(frame, frames[index][0])
        with pytest.raises(InputError, match="no frame at 9 s"):
            reader.seek(9)
    assert times(path, start=1, fps=10)[:2] == [1, Fraction(11, 10)]


def test_clock_that_starts_elsewhere_is_set_to_zero(tmp_path):
    path = make_video(tmp_path / "a.ts", 10, codec="mpeg2video", begin=5)
    with av.open(str(path)) as container:
        assert container.start_time > 10**6
    got = times(path)
    assert got[0] == 0
    assert np.allclose(np.diff([float(t) for t in got]), 1 / 25)


def test_gif_keeps_delays_and_colors(tmp_path):
    flat = [Image.new("RGB", (20, 10), c) for c in ("red", "lime", "blue")]
    flat[0].save(
        tmp_path / "a.gif", save_all=True, append_images=flat[1:],
        duration=[100, 250, 80],
    )  # fmt: skip
    got = read(tmp_path / "a.gif")
    assert [t for _, t in got] == [0, Fraction(1, 10), Fraction(35, 100)]
    assert [f[5, 5].tolist() for f, _ in got] == [
        [255, 0, 0], [0, 255, 0], [0, 0, 255],
    ]  # fmt: skip


def test_folder_of_images_in_natural_order(tmp_path):
    for number in (1, 2, 10):
        Image.new("RGB", (6, 4), (number * 20,) * 3).save(tmp_path / f"f{number}.png")
    (tmp_path / "notes.txt").write_text("not a frame")
    got = read(tmp_path, fps=10)
    assert [f[0, 0, 0] for f, _ in got] == [20, 40, 200]
    assert [t for _, t in got] == [0, Fraction(1, 10), Fraction(9, 10)]
    Image.new("RGB", (8, 4)).save(tmp_path / "f11.png")
    with pytest.raises(InputError, match=r"f11\.png: is 8x4 and f1\.png is 6x4"):
        read(tmp_path)


def test_still_picture_is_a_video_of_one_frame(tmp_path):
    Image.new("RGB", (6, 4), "red").save(tmp_path / "a.png")
    assert len(read(tmp_path / "a.png")) == 1


def test_sound_first_and_cover_picture_are_not_taken_for_the_video(tmp_path):
    path = tmp_path / "cover.mp3"
    with av.open(str(path), "w") as container:
        audio = container.add_stream("mp3", rate=48000)
        cover = container.add_stream("png", rate=1)
        cover.width = cover.height = 16
        cover.pix_fmt = "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
        container.mux(cover.encode(picture))
        container.mux(cover.encode(None))
        sound = av.AudioFrame.from_ndarray(
            np.zeros((2, 1152), np.float32), format="fltp", layout="stereo"
        )
        sound.sample_rate, sound.pts = 48000, 0
        container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    with pytest.raises(InputError, match="only a cover picture"):
        VideoReader(path)


def test_damage_is_skipped_and_said_once(tmp_path, caplog):
    path = make_video(tmp_path / "a.ts", 60, codec="mpeg2video", options={"g": "10"})
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    middle = slice(len(data) // 3, len(data) // 3 + 4000)
    data[middle] = rng.bytes(4000)
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING, logger="vgan"):
        got = times(path)
    assert 20 < len(got) <= 60
    assert got == sorted(set(got))
    assert sum(r.name == "vgan" for r in caplog.records) <= 1


def test_truncated_file_gives_the_frames_before(tmp_path):
    path = make_video(tmp_path / "a.mkv", 60, options={"g": "10"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 5 < len(read(path)) < 60


def _audio_only(path):
    make_video(path, 3, audio=["aac"])
    with av.open(str(path)) as source, av.open(str(path) + ".m4a", "w") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return str(path) + ".m4a"


def test_bad_input_is_one_clear_line(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("I am not a video\n" * 100)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    (tmp_path / "none").mkdir()
    header = make_video(tmp_path / "a.mp4", options={"movflags": "faststart"})
    header = tmp_path / "header.mp4"
    header.write_bytes((tmp_path / "a.mp4").read_bytes()[:40])
    cases = {
        tmp_path / "missing.mp4": "no such file",
        text: "is not a video",
        empty: "is empty",
        tmp_path / "none": "folder without pictures",
        header: "is not a video",
        _audio_only(tmp_path / "b.mp4"): "no video in it",
        "camera:97": "no camera",
        "97": "no camera",
        "rtsp://user:secret@127.0.0.1:9/x": "cannot be reached",
        "http://127.0.0.1:9/x.mp4": "cannot be reached",
        "ftp://127.0.0.1/x.mp4": "give rtsp://",
    }
    for source, words in cases.items():
        with pytest.raises(InputError, match=words) as caught:
            VideoReader(source, timeout=3)
        message = str(caught.value)
        assert "\n" not in message
        assert "secret" not in message
        assert str(source).split("@")[-1] in message
    with pytest.raises(InputError, match="fps=0"):
        VideoReader(text, fps=0)


def test_a_list_of_files_is_not_taken_for_a_matter_of_permissions(tmp_path):
    make_video(tmp_path / "a.mp4", 3)
    path = tmp_path / "list.ffconcat"
    path.write_text(f"ffconcat version 1.0\nfile '{tmp_path}/a.mp4'\n")
    with pytest.raises(InputError, match="is a list of files that cannot all be used"):
        VideoReader(path)


def test_video_over_http(tmp_path):
    make_video(tmp_path / "a.mp4", audio=["aac"])

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=tmp_path)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        assert len(read(f"{address}/a.mp4")) == 12
        with pytest.raises(InputError, match="cannot be reached"):
            VideoReader(f"{address}/b.mp4")
    finally:
        server.shutdown()
        server.server_close()


def test_read_image_modes(tmp_path):
    red = np.zeros((4, 6, 3), np.uint8)
    red[..., 0] = 200
    Image.fromarray(red).save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png"), red)
    for name in ("a.jpg", "a.webp", "a.bmp", "a.tiff"):
        Image.fromarray(red).save(tmp_path / name)
        assert psnr(read_image(tmp_path / name), red) > 35
        assert is_image(name)
    assert not is_image("a.mp4")
    gray16 = np.full((4, 6), 65535 // 2, np.uint16)
    Image.fromarray(gray16).save(tmp_path / "g.png")
    assert np.unique(read_image(tmp_path / "g.png")).tolist() in ([127], [128])
    for peak in (1, 255):
        floats = np.linspace(0, peak, 24, dtype=np.float32).reshape(4, 6)
        Image.fromarray(floats).save(tmp_path / "f.tif")
        assert read_image(tmp_path / "f.tif").max() == 255
        assert abs(read_image(tmp_path / "f.tif").mean() - 127.5) < 1
    clear = Image.new("RGBA", (6, 4), (255, 0, 0, 0))
    clear.save(tmp_path / "t.png")
    assert np.all(read_image(tmp_path / "t.png") == 255)
    Image.new("L", (6, 4), 77).save(tmp_path / "l.png")
    assert np.all(read_image(tmp_path / "l.png") == 77)
    turned = Image.fromarray(red)
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "e.jpg", exif=exif)
    assert read_image(tmp_path / "e.jpg").shape == (6, 4, 3)


def test_read_image_refuses_others(tmp_path):
    (tmp_path / "a.jpg").write_text("no picture")
    (tmp_path / "b.png").touch()
    nothing = np.full((4, 6), np.nan, np.float32)
    Image.fromarray(nothing).save(tmp_path / "d.tif")
    for name in ("a.jpg", "b.png", "c.png", "d.tif"):
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            read_image(tmp_path / name)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(InputError, match="is a pipe"):
        VideoReader(tmp_path / "pipe.mp4")
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(InputError, match="is a pipe"):
        read_image(tmp_path / "pipe.jpg")
