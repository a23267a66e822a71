"""Transparent parts in and out: colors as without, alpha to the bit."""

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

import vgan
from tests.video.samples import Negative, make_video, moving
from vgan.video import VideoReader, VideoWriter, read_image
from vgan.video.codecs import Coding

SIZE = 96, 128


def alpha_of(top):
    """[H, W] of all values from 0 to `top`, the least and the most among them."""
    values = np.linspace(0, top, SIZE[0] * SIZE[1]).reshape(SIZE)
    return np.rint(values).astype(np.uint8 if top == 255 else np.uint16)


def film(path, codec, pixel_format, count=3, options=None):
    """A film with alpha, made by FFmpeg; its planes are filled by hand."""
    depth = av.VideoFormat(pixel_format).components[-1].bits
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        context = stream.codec_context
        context.height, context.width = SIZE
        context.pix_fmt = pixel_format
        for k, colors in enumerate(moving(count, *SIZE)):
            clear = np.dstack([colors, alpha_of(255)])
            frame = av.VideoFrame.from_ndarray(clear, format="rgba")
            frame = frame.reformat(format=pixel_format)
            if len(frame.planes) == 4:
                plane, own = frame.planes[3], alpha_of((1 << depth) - 1)
                target = np.frombuffer(plane, own.dtype).reshape(plane.height, -1)
                target[:, : plane.width] = own
            frame.pts = k
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(path, deep=False, alpha=True):
    with VideoReader(path) as reader:
        reader.deep, reader.keep_alpha = deep, alpha
        return [frame for frame, _ in reader]


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("a.mov", "png", "rgba"),
        ("a.mov", "png", "rgba64be"),
        ("a.mov", "qtrle", "argb"),
        ("a.mkv", "ffv1", "bgra"),
        ("a.mkv", "ffv1", "yuva420p"),
        ("a.mkv", "ffv1", "yuva444p10le"),
        ("a.mkv", "ffv1", "gbrap12le"),
        ("a.mkv", "ffv1", "gbrap16le"),
    ],
)
def test_alpha_is_read_to_the_bit(tmp_path, name, codec, pixel_format):
    path = film(tmp_path / name, codec, pixel_format)
    # Packed formats are made of 8 bits here.
    planar = len(av.VideoFormat(pixel_format).components) == 4 and (
        pixel_format.startswith(("yuva", "gbrap"))
    )
    depth = av.VideoFormat(pixel_format).components[-1].bits if planar else 8
    with VideoReader(path) as reader:
        assert reader.alpha
    for frame in read(path, deep=True):
        assert frame.shape == (*SIZE, 4)
        top = (1 << depth) - 1
        alpha = np.rint(frame[..., 3] * (top / 65535))
        np.testing.assert_array_equal(alpha, alpha_of(top))
    (first, *_), (plain, *_) = read(path), read(path, alpha=False)
    np.testing.assert_array_equal(first[..., :3], plain)
    assert (first[..., 3].min(), first[..., 3].max()) == (0, 255)


@pytest.mark.parametrize(
    ("name", "coding", "kind", "depth"),
    [
        ("b.mov", {"codec": "prores4444"}, "yuva444p12le", 10),
        ("b.mkv", {"codec": "ffv1"}, "bgra", 8),
        ("b.mov", {"codec": "png"}, "rgba", 8),
        ("b.mov", {"codec": "png", "pixel_format": "rgba64"}, "rgba64be", 8),
        ("b.mkv", {"codec": "ffv1", "pixel_format": "yuva444p10"}, "yuva444p10le", 8),
        ("b", {}, None, 8),
    ],
)
def test_a_style_leaves_alpha_alone(tmp_path, name, coding, kind, depth):
    source = film(tmp_path / "a.mov", "png", "rgba")
    for target, strength in ((name, 1), (f"same{name}", 0)):
        vgan.stylize(
            *(source, "one", tmp_path / target, Negative()), strength=strength,
            progress="none", **coding,
        )  # fmt: skip
    if kind:
        with av.open(str(tmp_path / name)) as container:
            assert container.streams.video[0].codec_context.pix_fmt == kind
    own = read(source)
    for painted, same, before in zip(
        read(tmp_path / name), read(tmp_path / f"same{name}"), own, strict=True
    ):
        for frame in (painted, same):
            step = 0 if depth == 8 else 1 / 1023
            apart = np.abs(frame[..., 3] / 255 - alpha_of(255) / 255)
            assert apart.max() <= step
        assert np.abs(same[..., :3].astype(int) - before[..., :3]).mean() < 2
        assert np.abs(painted[..., :3].astype(int) - before[..., :3]).mean() > 10


def test_deep_alpha_goes_through_whole(tmp_path):
    source = film(tmp_path / "a.mkv", "ffv1", "gbrap16le")
    vgan.stylize(
        *(source, "one", tmp_path / "b.mkv", Negative()), codec="ffv1", progress="none"
    )
    for frame in read(tmp_path / "b.mkv", deep=True):
        np.testing.assert_array_equal(frame[..., 3], alpha_of(65535))


@pytest.mark.parametrize("name", ["b.webm", "b.mkv"])
def test_vp9_has_alpha(tmp_path, model, name, caplog):
    source = film(tmp_path / "a.mov", "png", "rgba", count=12)
    coding = {"codec": "vp9", "quality": 5, "progress": "none"}
    vgan.stylize(source, "one", tmp_path / name, model, **coding)
    with VideoReader(tmp_path / name) as reader:
        assert reader.alpha
    frames = read(tmp_path / name)
    assert len(frames) == 12
    for frame in frames:
        apart = np.abs(frame[..., 3].astype(int) - alpha_of(255))
        assert apart.mean() < 2  # VP9 codes it as it does the picture
    # And in again, out again.
    vgan.stylize(tmp_path / name, "one", tmp_path / "c.webm", model, progress="none")
    assert len(read(tmp_path / "c.webm")) == 12
    assert read(tmp_path / "c.webm")[0].shape[2] == 4
    vgan.stylize(source, "one", tmp_path / "d.webm", model, resume=True, **coding)
    assert "VP9 of segments has no alpha" in caplog.text
    with VideoReader(tmp_path / "d.webm") as reader:
        assert not reader.alpha


def test_no_alpha_makes_none(tmp_path):
    source = make_video(tmp_path / "a.mkv", 2, *SIZE)
    for name, coding, kind in (
        ("b.mov", {"codec": "prores4444"}, "yuv444p12le"),
        ("b.mkv", {"codec": "ffv1"}, "bgr0"),
        ("b.webm", {}, "yuv420p"),
        ("b", {}, "rgb24"),
    ):
        vgan.stylize(
            source, "one", tmp_path / name, Negative(), progress="none", **coding
        )
        path = tmp_path / name / "000000.png" if name == "b" else tmp_path / name
        with av.open(str(path)) as container:
            assert container.streams.video[0].codec_context.pix_fmt == kind
    with VideoReader(tmp_path / "b.mkv") as reader:
        assert not reader.alpha


def test_what_holds_no_alpha_is_as_ever(tmp_path):
    source = film(tmp_path / "a.mov", "png", "rgba")
    vgan.stylize(source, "one", tmp_path / "b.mp4", Negative(), progress="none")
    vgan.stylize(
        *(source, "one", tmp_path / "c.mov", Negative()), codec="prores4444",
        compare=True, progress="none",
    )  # fmt: skip
    assert read(tmp_path / "b.mp4")[0].shape[2] == 3
    alpha = read(tmp_path / "c.mov")
    assert min(frame[..., 3:].min() for frame in alpha) == 255


def test_pictures_and_folders_of_them(tmp_path):
    (tmp_path / "in").mkdir()
    for k, colors in enumerate(moving(3, *SIZE)):
        clear = np.dstack([colors, alpha_of(255)]) if k != 1 else colors
        Image.fromarray(clear).save(tmp_path / "in" / f"shot_{k}.png")
    vgan.stylize(tmp_path / "in", "one", tmp_path / "out", Negative(), progress="none")
    for k in range(3):
        with Image.open(tmp_path / "out" / f"shot_{k}.png") as image:
            assert image.mode == "RGBA"
            alpha = np.asarray(image)[..., 3]
        wanted = alpha_of(255) if k != 1 else np.full(SIZE, 255)
        np.testing.assert_array_equal(alpha, wanted)
    picture = tmp_path / "in" / "shot_0.png"
    vgan.stylize(picture, "one", tmp_path / "a.png", Negative())
    vgan.stylize(picture, "one", tmp_path / "a.jpg", Negative())
    np.testing.assert_array_equal(
        read_image(tmp_path / "a.png", alpha=True)[..., 3], alpha_of(255)
    )
    assert read_image(tmp_path / "a.jpg", alpha=True).shape[2] == 3
    assert read_image(picture).shape[2] == 3


def test_a_writer_takes_alpha_where_it_goes(tmp_path):
    clear = np.dstack([next(moving(1, *SIZE)), alpha_of(255)])
    with VideoWriter(tmp_path / "a.mp4", fps=5) as writer:
        with pytest.raises(ValueError, match="frame must be uint8"):
            writer.write(clear, 0)
        writer.write(clear[..., :3], 0)
    coding = Coding(codec="ffv1", pixel_format="bgra")
    with VideoWriter(tmp_path / "a.mkv", fps=5, coding=coding) as writer:
        writer.write(clear, Fraction(0))
    np.testing.assert_array_equal(read(tmp_path / "a.mkv")[0], clear)
