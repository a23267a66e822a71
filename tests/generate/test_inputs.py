"""What the command makes of the pictures and films of the world."""

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

import vgan
from vgan import InputError
from vgan.video import VideoReader, read_image
from vgan.video.filters import Filters
from vgan.video.images import srgb_profile


def stylize(model, source, style, output, **options):
    """Keep the picture as it is, in most tests: only the way in and out counts."""
    options = {"strength": 0, "engine": "keras", **options}
    return vgan.stylize(source, style, output, str(model), **options)


def animate(path):
    pictures = [Image.new("RGB", (48, 32), color) for color in ("red", "lime", "blue")]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=[40, 80, 200]
    )
    return path


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_an_animation_becomes_a_film(model, tmp_path, name):
    source = animate(tmp_path / name)
    stylize(model, source, source, tmp_path / "out.mp4")
    with VideoReader(tmp_path / "out.mp4") as reader:
        frames, times = zip(*reader, strict=True)
    assert list(times) == [0, Fraction(40, 1000), Fraction(120, 1000)]
    assert [frame[9, 9].argmax() for frame in frames] == [0, 1, 2]
    with pytest.raises(InputError, match="a video becomes a video"):
        stylize(model, source, "one", tmp_path / "out.png")


def test_colors_of_a_picture_are_converted_and_named(model, tmp_path):
    profile = bytearray(srgb_profile())
    place = profile.index(b"rXYZ", 128)
    start = int.from_bytes(profile[place + 4 : place + 8])
    profile[start + 10] ^= 64  # another red
    picture = Image.new("RGB", (48, 32), (180, 60, 60))
    picture.save(tmp_path / "a.png", icc_profile=bytes(profile))
    stylize(model, tmp_path / "a.png", "one", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as made:
        assert made.info["icc_profile"] == srgb_profile()
        seen = np.asarray(made)
    assert np.array_equal(seen, read_image(tmp_path / "a.png"))
    assert np.abs(seen.astype(int) - np.asarray(picture)).max() > 5


def test_a_drawing_is_refused_for_what_it_is(model, tmp_path):
    (tmp_path / "a.svg").write_text("<svg/>")
    Image.new("RGB", (48, 32)).save(tmp_path / "b.png")
    for source, style in (("a.svg", "one"), ("b.png", str(tmp_path / "a.svg"))):
        with pytest.raises(InputError, match=r"a\.svg: is an SVG drawing"):
            stylize(model, tmp_path / source, style, tmp_path / "o.png")


def test_frames_keep_their_names_beside_a_preview(model, tmp_path, caplog):
    shot = tmp_path / "shot"
    shot.mkdir()
    for number in (7, 8, 11):
        Image.new("RGB", (48, 32), (20 * number,) * 3).save(
            shot / f"f.{number:03d}.png"
        )
    stylize(model, shot, "one", shot / "preview.mp4")
    caplog.clear()
    stylize(model, shot, "one", tmp_path / "out")
    said = [record.message for record in caplog.records if record.name == "vgan"]
    assert any("is taken as numbered pictures" in line for line in said)
    assert any("2 pictures are missing (9-10)" in line for line in said)
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["f.007.png", "f.008.png", "f.011.png"]
    assert np.all(read_image(tmp_path / "out" / "f.011.png") == 220)
    stylize(model, shot / "f.%03d.png", "one", tmp_path / "o" / "%04d.png")
    assert (tmp_path / "o" / "0011.png").exists()
    with pytest.raises(InputError, match="2 pictures are missing"):
        stylize(model, shot, "one", tmp_path / "out.mp4", gaps="refuse")
    assert not (tmp_path / "out.mp4").exists()


def test_fields_are_left_woven_if_so_told(model, tmp_path, caplog):
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        options = {"flags": "+ilme+ildct"}
        stream = container.add_stream("mpeg2video", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        array = np.zeros((32, 48, 3), np.uint8)
        array[::2] = 200
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(array).reformat(format="yuv420p")
            frame = Filters(frame, ("setparams", "field_mode=tff"))(frame)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    spread = {}
    for mode in ("auto", "off"):
        caplog.clear()
        output = tmp_path / f"{mode}.mp4"
        stylize(model, tmp_path / "a.mkv", "one", output, deinterlace=mode)
        said = [record.message for record in caplog.records if record.name == "vgan"]
        assert any("deinterlace=off" in line for line in said) == (mode == "auto")
        with VideoReader(output) as reader:
            rows = next(reader)[0][8:24, 24, 0].astype(int)
        spread[mode] = np.abs(np.diff(rows)).mean()
    assert spread["off"] > 2 * spread["auto"]
    with pytest.raises(InputError, match="deinterlace='on': give 'auto' or 'off'"):
        stylize(model, tmp_path / "a.mkv", "one", output, deinterlace="on")
