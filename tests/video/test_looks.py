"""What files say of how their frames are to be shown."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.video.samples import make_video, moving, psnr
from vgan.video import VideoReader, VideoWriter
from vgan.video.color import ToRGB
from vgan.video.filters import Filters


def warnings(caplog):
    return [r.message for r in caplog.records if r.name == "vgan"]


def frames_of(path, **options):
    with VideoReader(path, **options) as reader:
        frames = [frame for frame, _ in reader]
        assert (reader.height, reader.width) == frames[0].shape[:2]
    return np.stack(frames)


def encode(path, frames, codec, **options):
    """Write decoded-like frames, `av.VideoFrame`, as they are."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height = frames[0].width, frames[0].height
        stream.pix_fmt = frames[0].format.name
        stream.codec_context.bit_rate = 8_000_000
        for index, frame in enumerate(frames):
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("matrix", ["smpte2085", "chroma-derived-c", "ICtCp"])
def test_a_matrix_that_is_not_known_is_guessed(tmp_path, caplog, matrix):
    options = {"x264-params": f"colormatrix={matrix}", "crf": "4"}
    path = make_video(tmp_path / "a.mp4", 3, options=options)
    seen = frames_of(path)
    assert psnr(seen, frames_of(make_video(tmp_path / "b.mp4", 3))) > 35
    assert len(warnings(caplog)) == 1
    assert "colors of its matrix" in warnings(caplog)[0]


def test_constant_luminance_is_taken_for_common_bt2020(tmp_path):
    def tag(stream):
        stream.codec_context.colorspace = 9

    options = {"x264-params": "colormatrix=bt2020c", "crf": "4"}
    path = make_video(tmp_path / "a.mp4", 3, options=options, setup=tag)
    assert psnr(frames_of(path), np.stack(list(moving(3, 48, 64)))) > 32


@pytest.mark.parametrize("full", [False, True])
def test_colors_of_captured_screens_are_known(tmp_path, caplog, full):
    """YCgCo (ITU-T H.273), which swscale does not know."""
    small = np.random.default_rng(0).integers(0, 256, (6, 8, 3))
    colors = np.kron(small, np.ones((8, 8, 1), int)).astype(np.uint8)
    r, g, b = np.moveaxis(colors.astype(float), -1, 0)
    planes = (r + 2 * g + b) / 4, (2 * g - r - b) / 4, (r - b) / 2
    frame = av.VideoFrame(64, 48, "yuvj444p" if full else "yuv444p")
    for index, plane in enumerate(planes):
        if full:
            values = plane + (128 if index else 0)
        else:
            values = plane * (224 if index else 219) / 255 + (128 if index else 16)
        frame.planes[index].update(np.rint(values).clip(0, 255).astype(np.uint8))
    options = {"x264-params": "colormatrix=YCgCo", "crf": "1"}
    path = encode(tmp_path / "a.mp4", [frame] * 2, "libx264", **options)
    assert psnr(frames_of(path)[0], colors) > 38
    assert warnings(caplog) == []


HEIGHT, WIDTH, WAVE = 48, 128, 16


def wave(x):
    return 128 + 60 * np.sin(2 * np.pi * x / WAVE)


def striped(pixel_format, sited):
    """A frame of even light whose blue goes in waves, sampled right or left."""
    frame = av.VideoFrame(WIDTH, HEIGHT, pixel_format)
    columns = 2 * np.arange(WIDTH // 2) + {"left": 0, "center": 0.5}[sited]
    for plane, row in zip(frame.planes, (128, wave(columns), 128), strict=True):
        picture = np.zeros((plane.height, plane.line_size), np.uint8)
        picture[:, : plane.width] = np.rint(row)
        plane.update(picture)
    return frame


def shift(values, columns):
    """Pixels by which values at these columns lie right of where they belong."""
    turn = np.exp(-2j * np.pi * columns / WAVE)
    return np.angle(turn @ wave(columns) / (turn @ values)) * WAVE / 2 / np.pi


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "sited"),
    [
        ("a.mp4", "libx264", "yuv420p", "left"),
        ("a.mpg", "mpeg2video", "yuv420p", "left"),
        ("a.webm", "libvpx-vp9", "yuv420p", "left"),
        ("a.mkv", "ffv1", "yuv420p", "left"),
        ("a.mpg", "mpeg1video", "yuv420p", "center"),
        ("a.avi", "mjpeg", "yuvj420p", "center"),
    ],
)
def test_colors_are_read_where_they_are(tmp_path, name, codec, pixel_format, sited):
    frames = [striped(pixel_format, sited) for _ in range(3)]
    path = encode(tmp_path / name, frames, codec)
    columns = np.arange(WAVE, WIDTH - WAVE)
    blue = frames_of(path)[0, HEIGHT // 2, columns, 2]
    assert abs(shift(blue, columns)) < 0.06


@pytest.mark.parametrize("name", ["a.mp4", "a.webm"])
def test_colors_are_written_where_decoders_take_them(tmp_path, name):
    frame = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    frame[..., 2] = np.rint(wave(np.arange(WIDTH)))
    with VideoWriter(tmp_path / name, quality=1) as writer:
        for index in range(3):
            writer.write(frame, index / 25)
    with av.open(str(tmp_path / name)) as container:
        plane = next(container.decode(video=0)).planes[1]
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    columns = np.arange(WAVE, WIDTH - WAVE, 2)
    assert abs(shift(rows[HEIGHT // 4, columns // 2], columns)) < 0.06


@pytest.mark.parametrize("primaries", [1, 2, 12])
def test_hdr_is_known_by_its_curve_alone(tmp_path, primaries):
    def tag(stream):
        context = stream.codec_context
        context.colorspace, context.color_range = 9, 1
        context.color_primaries, context.color_trc = primaries, 16

    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    frame = np.broadcast_to(ramp[None, :, None], (48, 64, 3)).copy()
    path = make_video(
        tmp_path / "a.mp4", pix_fmt="yuv420p10le", frames=[frame] * 2, setup=tag
    )
    gray = frames_of(path)[0, 20].astype(int)
    assert np.ptp(gray, axis=-1).max() <= 6
    assert gray[int(0.58 * 63)].mean() > 150  # white of the reference level
    with VideoReader(path) as reader, VideoWriter(tmp_path / "b.mp4", reader) as writer:
        for item in reader:
            writer.write(*item)
    with av.open(str(tmp_path / "b.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc) == (1, 1)


def test_bars_that_matroska_crops_are_not_shown(tmp_path):
    def tag(stream):
        context = stream.codec_context
        context.colorspace, context.color_range = 5, 1
        context.color_primaries = context.color_trc = 1

    frame = np.zeros((48, 64, 3), np.uint8)
    frame[8:-6, 9:] = 200
    path = make_video(
        tmp_path / "a.mkv", frames=[frame] * 2, options={"crf": "4"}, setup=tag
    )
    # In the place of Colour (55b0): PixelCropTop, -Bottom, -Left, and a Void.
    data = path.read_bytes()
    start = data.index(b"\x55\xb0", data.index(b"\xb0\x81\x40\xba\x81\x30"))
    size = data[start + 2] & 127
    crops = bytes.fromhex("54bb8108 54aa8106 54cc8109")
    void = bytes([0xEC, 128 + size + 1 - len(crops)])
    end = start + 3 + size
    crops = (crops + void).ljust(end - start, b"\0")
    path.write_bytes(data[:start] + crops + data[end:])
    shown = frames_of(path)
    assert shown.shape == (2, 34, 55, 3)
    assert shown[:, :, 1:].min() > 190
    assert frames_of(path, window=(0.4, 0, 0.4, 1)).shape == (2, 34, 22, 3)


def of_shape(ratio, value, height=48, width=64):
    """Frames whose pixels have this shape, as bytes of H.264."""
    data = io.BytesIO()
    with av.open(data, "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if ratio:
            stream.codec_context.sample_aspect_ratio = ratio
        for index in range(6):
            picture = np.full((height, width, 3), value, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return data.getvalue()


@pytest.mark.parametrize(
    ("second", "line"),
    [
        (of_shape(Fraction(4, 3), 200), "the shape of pixels changes on the way"),
        (of_shape(1, 200, height=36), "the picture changes to 64 x 36 on the way"),
        (of_shape(None, 200, height=36), "the picture changes to 64 x 36 on the way"),
    ],
    ids=["pixels", "size", "not said"],
)
def test_a_shape_that_changes_midway_gets_bars(tmp_path, caplog, second, line):
    path = tmp_path / "a.h264"
    path.write_bytes(of_shape(1, 100) + second)
    frames = frames_of(path)
    assert len(warnings(caplog)) == 1
    assert line in warnings(caplog)[0]
    assert frames.shape == (12, 48, 64, 3)
    assert abs(frames[:6].astype(int) - 100).max() < 4
    assert frames[6:, :5].max() < 4
    assert frames[6:, -5:].max() < 4
    assert abs(frames[6:, 8:-8].astype(int) - 200).max() < 4


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p"])
def test_an_odd_size_midway_gets_bars_too(pixels):
    to_rgb = ToRGB(av.VideoFrame(64, 48, pixels))
    to_rgb.pixel_shape = Fraction(1)
    for size in ((65, 49), (64, 49), (33, 48)):
        assert to_rgb(av.VideoFrame(*size, pixels)).shape == (48, 64, 3)


def comb(frames):
    """How far rows differ from the mean of their neighbours."""
    gray = frames.astype(float).mean(-1)
    return np.abs(gray[:, 1:-1] - (gray[:, :-2] + gray[:, 2:]) / 2).mean()


@pytest.fixture
def woven(tmp_path):
    """A film of a moving bar; even rows are half a frame older than odd ones."""
    fields = np.full((20, 48, 64, 3), 60, np.uint8)
    for index, field in enumerate(fields):
        field[:, 3 * index :][:, :9] = 220
    frames = fields[::2].copy()
    frames[:, 1::2] = fields[1::2, 1::2]
    marked = []
    for array in frames:
        frame = av.VideoFrame.from_ndarray(array).reformat(format="yuv420p")
        marked.append(Filters(frame, ("setparams", "field_mode=tff"))(frame))
    path = tmp_path / "a.mkv"
    encode(path, marked, "mpeg2video", flags="+ilme+ildct", bf="2")
    return path, fields[::2]


def test_interlaced_frames_become_whole_pictures(woven, caplog):
    path, fields = woven
    with VideoReader(path, deinterlace=False) as reader:
        assert warnings(caplog) == []
        left, times = zip(*reader, strict=True)
    with VideoReader(path) as reader:
        made, same = zip(*reader, strict=True)
    assert times == same == tuple(Fraction(k, 25) for k in range(10))
    assert comb(np.stack(left)) > 4 * comb(np.stack(made))
    assert psnr(np.stack(made), fields) > 25
    assert len(warnings(caplog)) == 1
    assert "is interlaced" in warnings(caplog)[0]


def test_interlaced_frames_are_found_at_their_time(woven):
    path, _ = woven
    whole = frames_of(path)
    with VideoReader(path, start=Fraction(6, 25)) as reader:
        frame, timestamp = next(reader)
        assert timestamp == Fraction(6, 25)
        assert psnr(frame, whole[6]) > 30
        reader.seek(0)
        assert [t for _, t in reader] == [Fraction(k, 25) for k in range(10)]


def test_of_a_playlist_the_best_variant_is_taken(tmp_path):
    master = "#EXTM3U\n"
    for name, side in (("small", 32), ("large", 96), ("middle", 64)):
        make_video(tmp_path / f"{name}.m3u8", 25, side, side)
        master += f"#EXT-X-STREAM-INF:BANDWIDTH={side}000,RESOLUTION={side}x{side}\n"
        master += f"{name}.m3u8\n"
    (tmp_path / "master.m3u8").write_text(master)
    assert frames_of(tmp_path / "master.m3u8").shape[1:] == (96, 96, 3)
