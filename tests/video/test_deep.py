"""More than 8 bits in, more than 8 bits out; HDR kept or made common video."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

import vgan
from tests.video.samples import Negative, make_video, psnr
from vgan import InputError
from vgan.runtime import compose
from vgan.runtime.stylizer import Stylizer
from vgan.video import VideoReader, VideoWriter
from vgan.video.codecs import Coding
from vgan.video.hdr import BT709, BT2020, HLG, PQ, WideGamut, Widened


def ramp(height=144, width=1024):
    """A frame uint16 of a slow gradient, whose neighbors are nearer than 8 bits."""
    x = np.linspace(8000, 24000, width)
    return np.repeat(np.stack([x, x + 3000, x + 9000], -1)[None], height, 0).astype(
        np.uint16
    )


def write(path, count=3, **coding):
    with VideoWriter(path, fps=25, coding=Coding(**coding)) as writer:
        for k in range(count):
            writer.write(ramp(), Fraction(k, 25))
    return path


def read(path, deep=True):
    with VideoReader(path) as reader:
        reader.deep = deep
        return [frame for frame, _ in reader]


def pixels(path):
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context.pix_fmt


@pytest.mark.parametrize(
    ("name", "coding"),
    [
        ("a.mov", {"codec": "prores"}),
        ("a.mp4", {"pixel_format": "yuv420p10", "quality": 1}),
        ("a.mp4", {"codec": "hevc", "pixel_format": "yuv444p10", "quality": 1}),
        ("a.mkv", {"codec": "av1", "pixel_format": "yuv420p10", "quality": 1}),
        ("a.mkv", {"codec": "ffv1", "pixel_format": "gbrp16"}),
        ("a.mov", {"codec": "png", "pixel_format": "rgb48"}),
    ],
)
def test_a_gradient_of_16_bits_comes_back_finer_than_8(tmp_path, name, coding):
    path = write(tmp_path / name, **coding)
    for frame in read(path):
        assert frame.dtype == np.uint16
        error = np.abs(frame.astype(float) - ramp())
        assert error.mean() < 48  # a level of 10 bits is 64, of 8 bits 257
        assert len(np.unique(frame[72, :, 0])) > 150  # of 8 bits there are 62
    assert {frame.dtype for frame in read(path, deep=False)} == {np.dtype(np.uint8)}


def test_8_bits_take_no_16(tmp_path):
    for coding in ({}, {"codec": "hevc"}, {"codec": "ffv1"}):
        with VideoWriter(tmp_path / "a.mkv", fps=5, coding=Coding(**coding)) as writer:
            assert not writer.deep
            with pytest.raises(ValueError, match="uint8"):
                writer.write(ramp(), 0)
            writer.write(compose.in_8_bits(ramp()), 0)
        (tmp_path / "a.mkv").unlink()


@pytest.fixture
def deep_source(tmp_path):
    return write(tmp_path / "deep.mkv", codec="ffv1", pixel_format="gbrp10")


@pytest.mark.parametrize(
    ("name", "coding", "kind"),
    [
        ("b.mp4", {}, "yuv420p"),
        ("b.mp4", {"codec": "hevc"}, "yuv420p10le"),
        ("b.mkv", {"codec": "av1"}, "yuv420p10le"),
        ("b.mov", {"codec": "dnxhr"}, "yuv422p10le"),
        ("b.mkv", {"codec": "ffv1"}, "gbrp16le"),
    ],
)
def test_a_deep_source_stays_so(tmp_path, deep_source, name, coding, kind):
    """Where the codec takes more by default; every player shows H.264 of 8 bits."""
    vgan.stylize(
        *(deep_source, "one", tmp_path / name, Negative()), strength=0, progress="none",
        **coding,
    )  # fmt: skip
    assert pixels(tmp_path / name) == kind
    assert pixels(deep_source) == "gbrp10le"
    for frame in read(tmp_path / name):
        assert np.abs(frame.astype(float) - ramp()).mean() < 250
        if kind != "yuv420p":
            assert len(np.unique(frame[72, :, 0])) > 150


def test_resumed_and_deep(tmp_path, deep_source, model):
    for name, resume in (("b.mkv", True), ("c.mkv", False)):
        vgan.stylize(
            *(deep_source, "one", tmp_path / name, model), codec="ffv1",
            progress="none", resume=resume,
        )  # fmt: skip
    one, two = read(tmp_path / "b.mkv"), read(tmp_path / "c.mkv")
    np.testing.assert_array_equal(one, two)
    assert pixels(tmp_path / "b.mkv") == "gbrp16le"


@pytest.mark.parametrize(
    "more", [{}, {"proxy": 0.5}, {"keep_color": True}, {"strength": 0.4}]
)
def test_deep_is_the_same_picture_without_steps(engine, more):
    """As of 8 bits, but for their rounding."""
    deep = cv2.resize(ramp(), (96, 64), interpolation=cv2.INTER_AREA)
    deep = deep // 257 * 257  # both begin with the same
    code = np.ones((1, engine.code_size), np.float32)
    one, two = (Stylizer(engine, code, **more) for _ in range(2))
    for _ in range(2):
        bytes_ = one(compose.in_8_bits(deep))
        words = two(deep)
        assert (bytes_.dtype, words.dtype) == (np.uint8, np.uint16)
        apart = np.abs(words / 257 - bytes_)
        assert apart.max() <= 4  # of keep_color, whose share is of rounded values
        assert apart.mean() < 0.6
        assert len(np.unique(words)) > len(np.unique(bytes_))


def test_masks_regions_and_comparison_of_16_bits(engine):
    rng = np.random.default_rng(0)
    one, two = (rng.integers(0, 65536, (8, 10, 3), np.uint16) for _ in range(2))
    mask = np.zeros((8, 10, 1), np.float32)
    mask[:, 5:] = 1
    mixed = compose.blend(one, two, mask)
    np.testing.assert_array_equal(mixed[:, :5], one[:, :5])
    np.testing.assert_array_equal(mixed[:, 5:], two[:, 5:])
    half = compose.blend(one, two, mask * 0 + 0.5)
    assert np.abs(half - (one / 2 + two / 2)).max() <= 1
    labels = np.uint8(mask[..., 0])
    np.testing.assert_array_equal(compose.by_label([one, two], labels), mixed)
    soft = compose.by_label([one, two], labels, 1)
    assert soft.dtype == np.uint16
    picture = np.full((4, 4, 3), 255, np.uint8)
    row = compose.Comparison([picture])(one, two)
    assert row.dtype == np.uint16
    assert row[4, 12].tolist() == [65535] * 3


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("primaries", [BT709, BT2020])
def test_hdr_and_back(transfer, primaries):
    gray = np.linspace(0, 65535, 64).astype(np.uint16)
    if transfer == PQ:
        gray = np.minimum(gray, 49000)  # 75 %: about 1000 cd/m2, where white is
    codes = np.repeat(gray[None, :, None], 3, 2)
    sdr = WideGamut(transfer, primaries)(codes, deep=True)
    assert sdr.dtype == np.uint16
    again = Widened(transfer, primaries)(sdr)
    assert np.abs(again.astype(int) - codes)[:, 4:].max() < 160  # of 65535
    white = Widened(transfer, primaries)(np.full((1, 1, 3), 65535, np.uint16))
    low, high = (48500, 49800) if transfer == PQ else (65400, 65535)
    assert low <= white.min() <= white.max() <= high


def film_of(transfer, path):
    def describe(stream):
        context = stream.codec_context
        context.color_primaries, context.color_trc = 9, transfer
        context.colorspace = 9

    x = np.mgrid[:144, :256][1]
    frames = [np.repeat(np.uint8(x[..., None] * 0.6 + k), 3, 2) for k in range(3)]
    return make_video(
        path, 3, 144, 256, codec="libx265", pix_fmt="yuv420p10le", setup=describe,
        frames=frames, options={"crf": "2", "x265-params": "log-level=none"},
    )  # fmt: skip


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_hdr_is_kept_or_made_sdr(tmp_path, transfer):
    source = film_of(transfer, tmp_path / "a.mkv")
    looks = {}
    for hdr in ("keep", "sdr"):
        vgan.stylize(
            *(source, "one", tmp_path / f"{hdr}.mp4", Negative()), codec="hevc",
            hdr=hdr, strength=0, progress="none", quality=2,
        )  # fmt: skip
        with av.open(str(tmp_path / f"{hdr}.mp4")) as container:
            codec = container.streams.video[0].codec_context
            assert codec.pix_fmt == "yuv420p10le"
            tags = codec.color_primaries, codec.color_trc, codec.colorspace
            # The codes themselves, whatever the tags say of them.
            looks[hdr] = next(container.decode(video=0)).to_ndarray()[:144, :]
        assert tags == ((9, transfer, 9) if hdr == "keep" else (1, 1, 6))
    with av.open(str(source)) as container:
        own = next(container.decode(video=0)).to_ndarray()[:144, :]
    apart = np.abs(looks["keep"].astype(int) - own)
    assert apart[:, 20:].max() <= 6  # levels of 1023
    assert np.abs(looks["sdr"].astype(int) - own).max() > (40 if transfer == PQ else -1)
    assert psnr(looks["keep"] / 4, own / 4) > 45


def test_hdr_takes_ten_bits(tmp_path):
    source = film_of(PQ, tmp_path / "a.mkv")
    with pytest.raises(InputError, match="hdr=keep: takes more than 8 bits, and h264"):
        vgan.stylize(source, "one", tmp_path / "b.mp4", Negative(), hdr="keep")
    with pytest.raises(InputError, match="hdr='maybe': give 'sdr' or 'keep'"):
        vgan.stylize(source, "one", tmp_path / "b.mp4", Negative(), hdr="maybe")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]
