"""OpenEXR in and out: linear light, half floats, premultiplied alpha."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

import vgan
from tests.video.samples import Negative, moving
from vgan import InputError
from vgan.video import VideoReader, VideoWriter, read_image
from vgan.video.codecs import Coding
from vgan.video.exr import read_exr, write_exr


def test_the_light_is_linear_and_half(tmp_path):
    """sRGB's middle gray, 188, is half the light of white."""
    frame = np.repeat(np.uint8([0, 1, 10, 118, 188, 255])[None, :, None], 3, 2)
    write_exr(tmp_path / "a.exr", frame)
    data = (tmp_path / "a.exr").read_bytes()
    assert data[:4] == b"v/1\x01"
    # The channel list: a half is pixel type 1, and there are no others.
    names = data.index(b"channels\0chlist\0") + len(b"channels\0chlist\0") + 4
    for name in (b"B", b"G", b"R"):
        assert data[names : names + 6] == name + b"\0\1\0\0\0"
        names += 18
    import av

    with av.open(str(tmp_path / "a.exr")) as container:
        picture = next(container.decode(video=0))
    assert picture.format.name == "gbrpf16le"
    light = np.frombuffer(picture.planes[0], np.float16)[:6]
    assert np.allclose(light, [0, 0.000304, 0.003035, 0.181, 0.503, 1], rtol=2e-3)
    np.testing.assert_array_equal(read_image(tmp_path / "a.exr"), frame)


@pytest.mark.parametrize("channels", [3, 4])
def test_pictures_come_back(tmp_path, channels):
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 65536, (24, 33, channels), np.uint16)
    if channels == 4:
        frame[..., 3] = np.maximum(frame[..., 3], 6000)
        frame[0, 0, 3] = 0
    write_exr(tmp_path / "a.exr", frame)
    again = read_exr(tmp_path / "a.exr")
    assert again.shape == frame.shape
    apart = np.abs(again.astype(int) - frame)
    if channels == 4:
        assert again[0, 0].tolist() == [0] * 4
        apart[0, 0] = 0
    assert apart.max() <= 40  # a half has 11 bits
    again8 = read_image(tmp_path / "a.exr", alpha=True)
    assert again8.dtype == np.uint8
    assert read_image(tmp_path / "a.exr").shape == (24, 33, 3)


def test_what_is_brighter_than_white_is_clipped_and_said(tmp_path, caplog, monkeypatch):
    frame = np.full((4, 5, 3), 65535, np.uint16)
    table = np.linspace(0, 4, 65536, dtype=np.float32)
    monkeypatch.setattr("vgan.video.exr._to_linear", lambda top: table)
    write_exr(tmp_path / "a.exr", frame)
    assert (read_exr(tmp_path / "a.exr") == 65535).all()
    assert "20 of 20 pixels are brighter than 1 or darker than 0: clipped" in (
        caplog.text
    )


def test_what_is_no_exr_is_one_line(tmp_path):
    (tmp_path / "a.exr").write_bytes(b"v/1\x01 and no more")
    with pytest.raises(InputError, match=r"a.exr: cannot be read as OpenEXR") as caught:
        read_image(tmp_path / "a.exr")
    assert "\n" not in str(caught.value)


def test_shots_keep_names_alpha_and_depth(tmp_path):
    (tmp_path / "in").mkdir()
    alpha = np.linspace(0, 65535, 96 * 128).reshape(96, 128).astype(np.uint16)
    for k, colors in enumerate(moving(2, 96, 128)):
        clear = np.dstack([colors.astype(np.uint16) * 257, alpha])
        write_exr(tmp_path / "in" / f"shot_{1001 + k}.exr", clear)
    vgan.stylize(
        tmp_path / "in",
        "one",
        tmp_path / "out",
        Negative(),
        codec="exr",
        progress="none",
    )
    vgan.stylize(
        *(tmp_path / "in", "one", f"{tmp_path}/two/p.%04d.exr", Negative()), strength=0,
        progress="none",
    )  # fmt: skip
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["shot_1001.exr", "shot_1002.exr"]
    for k in range(2):
        own = read_exr(tmp_path / "in" / f"shot_{1001 + k}.exr")
        painted = read_exr(tmp_path / "out" / f"shot_{1001 + k}.exr")
        same = read_exr(tmp_path / "two" / f"p.{1001 + k}.exr")
        np.testing.assert_array_equal(painted[..., 3], own[..., 3])
        seen = own[..., 3] > 3000
        assert np.abs(same.astype(int) - own)[seen].max() <= 80
        assert len(np.unique(painted[..., :3] % 257)) > 50  # not of 8 bits
    vgan.stylize(tmp_path / "in/shot_1001.exr", "one", tmp_path / "a.exr", Negative())
    np.testing.assert_array_equal(
        read_exr(tmp_path / "a.exr")[..., 3],
        read_exr(tmp_path / "in/shot_1001.exr")[..., 3],
    )
    vgan.stylize(tmp_path / "in/shot_1001.exr", "one", tmp_path / "a.png", Negative())
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGBA"


def test_patterns_say_what_pictures_are(tmp_path):
    with pytest.raises(InputError, match=r"codec=exr: does not fit .*%04d.png; give"):
        VideoWriter(tmp_path / "a" / "%04d.png", coding=Coding(codec="exr"))
    with VideoWriter(tmp_path / "%04d.exr".replace("%", "b/%"), fps=5) as writer:
        assert writer.deep
        writer.write(np.full((8, 8, 3), 99, np.uint8), Fraction(0))
    with VideoReader(tmp_path / "b") as reader:
        assert reader.depth == 16
        np.testing.assert_array_equal(next(reader)[0], 99)
