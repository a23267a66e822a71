"""Pictures as phones, cameras, museums and designers make them."""

import io
import struct
from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw, features

from vgan import InputError
from vgan.video import VideoReader, images, is_image, read_image

P3_TO_SRGB = [[1.2249, -0.2249, 0], [-0.0420, 1.0420, 0], [-0.0196, -0.0786, 1.0983]]
P3_PRIMARIES = {
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
}


def warnings(caplog):
    return [r.message for r in caplog.records if r.name == "vgan"]


def srgb_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def p3_profile():
    """Display P3, made of sRGB by other primaries."""
    profile = bytearray(srgb_profile())
    (count,) = struct.unpack_from(">I", profile, 128)
    for entry in range(132, 132 + 12 * count, 12):
        name, start = struct.unpack_from(">4sI", profile, entry)
        if name in P3_PRIMARIES:
            values = [round(v * 65536) for v in P3_PRIMARIES[name]]
            struct.pack_into(">3i", profile, start + 8, *values)
    return bytes(profile)


def colors(alpha=None):
    y, x = np.mgrid[:16, :16] * 8
    levels = [60 + x, 60 + y, 80 + x // 2] + ([] if alpha is None else [y * 0 + alpha])
    return np.stack(levels, -1).astype(np.uint8)


def p3_as_srgb(values):
    code = values / 255
    linear = np.where(code > 0.04045, ((code + 0.055) / 1.055) ** 2.4, code / 12.92)
    linear = np.clip(linear @ np.transpose(P3_TO_SRGB), 0, 1)
    power = 1.055 * linear ** (1 / 2.4) - 0.055
    return 255 * np.where(linear > 0.0031308, power, 12.92 * linear)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
@pytest.mark.parametrize("alpha", [None, 255])
def test_a_profile_is_converted(tmp_path, name, alpha):
    values = colors(alpha)
    options = {"lossless": True} if name == "a.webp" else {}
    Image.fromarray(values).save(tmp_path / name, icc_profile=p3_profile(), **options)
    seen = read_image(tmp_path / name)
    assert np.abs(seen - p3_as_srgb(colors())).max() < 2
    assert np.abs(seen.astype(int) - colors()).max() > 5


@pytest.mark.parametrize("profile", [srgb_profile(), b"no profile"])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_profiles_that_change_nothing(tmp_path, profile, mode):
    picture = Image.fromarray(colors()).convert(mode)
    picture.save(tmp_path / "a.tif", icc_profile=profile)
    expected = np.asarray(picture.convert("RGB"))
    assert np.array_equal(read_image(tmp_path / "a.tif"), expected)


def test_a_gray_profile_is_of_gray(tmp_path):
    """16 bits, too: their profile is applied to what they become."""
    gray = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    Image.fromarray(gray).save(tmp_path / "a.png", icc_profile=srgb_profile())
    assert np.array_equal(read_image(tmp_path / "a.png")[..., 0], gray // 257)


def test_a_photo_of_a_phone_is_read_whole(tmp_path, monkeypatch):
    heif = pytest.importorskip("pillow_heif", "1.8")  # which can write tiles
    heif.register_heif_opener()
    monkeypatch.setattr(heif.options, "GRID_TILE_SIZE", 64)
    picture = Image.fromarray(colors()).resize((192, 128))
    exif = picture.getexif()
    exif[0x0112] = 6
    path = tmp_path / "a.heic"
    picture.save(path, quality=95, exif=exif.tobytes(), icc_profile=p3_profile())
    assert b"grid" in path.read_bytes()
    assert is_image(path)
    seen = read_image(path)
    assert seen.shape == (192, 128, 3)
    turned = np.asarray(picture.rotate(-90, expand=True))
    assert np.abs(seen - p3_as_srgb(turned)).mean() < 4
    path.rename(tmp_path / "exported.jpg")
    assert np.array_equal(read_image(tmp_path / "exported.jpg"), seen)


@pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
def test_avif_is_read(tmp_path):
    Image.fromarray(colors()).save(tmp_path / "a.avif", quality=100)
    assert is_image(tmp_path / "a.avif")
    assert np.abs(read_image(tmp_path / "a.avif") - colors().astype(int)).mean() < 3


def test_a_scan_of_a_museum_is_read_reduced(tmp_path, monkeypatch, caplog):
    picture = Image.fromarray(colors()).resize((160, 120))
    for name in ("a.jpg", "a.png"):
        picture.save(tmp_path / name)
    whole = read_image(tmp_path / "a.jpg")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 160 * 120 // 8)
    monkeypatch.setattr(images, "_WHOLE", 160 * 120 // 4)
    assert read_image(tmp_path / "a.jpg").shape == (60, 80, 3)
    assert warnings(caplog) == [f"{tmp_path}/a.jpg: is 160 x 120: read at 80 x 60"]
    monkeypatch.setattr(images, "_WHOLE", 160 * 120 // 4 - 1)
    seen = read_image(tmp_path / "a.jpg")
    assert np.abs(seen - whole[::4, ::4].astype(int)).mean() < 8
    with pytest.raises(InputError, match=rf"^{tmp_path}/a\.png: of a picture"):
        read_image(tmp_path / "a.png")
    monkeypatch.setattr(images, "_LARGEST", 160 * 120 - 1)
    with pytest.raises(InputError, match=rf"^{tmp_path}/a\.jpg: is 160 x 120, and"):
        read_image(tmp_path / "a.jpg")


DELAYS = [100, 250, 40, 120]


def animate(path, **options):
    """Four pictures of a red disc that moves over nothing."""
    pictures = []
    for index in range(4):
        picture = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
        place = 10 * index, 10, 10 * index + 12, 30
        ImageDraw.Draw(picture).ellipse(place, fill=(200, 0, 0, 255))
        pictures.append(picture)
    if options.get("default_image"):
        pictures.insert(0, Image.new("RGBA", (64, 48), (0, 0, 255, 255)))
    pictures[0].save(
        path,
        save_all=True,
        append_images=pictures[1:],
        duration=DELAYS,
        loop=0,
        **options,
    )
    return path


ANIMATIONS = [
    ("a.webp", {"lossless": True}),
    ("a.png", {}),
    ("a.apng", {"default_image": True}),
]


@pytest.mark.parametrize(("name", "options"), ANIMATIONS)
def test_an_animation_is_a_clip(tmp_path, name, options):
    path = animate(tmp_path / name, **options)
    assert not is_image(path)
    with VideoReader(path) as reader:
        assert (reader.width, reader.height, reader.num_frames) == (64, 48, 4)
        assert reader.duration == Fraction(sum(DELAYS), 1000)
        assert all(
            (time / reader.time_base).denominator == 1
            for time in (Fraction(sum(DELAYS[:k]), 1000) for k in range(4))
        )
        frames, times = zip(*reader, strict=True)
    assert list(times) == [Fraction(sum(DELAYS[:k]), 1000) for k in range(4)]
    for index, frame in enumerate(frames):
        assert frame[20, 10 * index + 5].tolist() == [200, 0, 0]
        assert frame[40, 60].tolist() == [255, 255, 255]
    with VideoReader(path, fps=20, start=Fraction(1, 4)) as reader:
        resampled = list(reader)
    assert [time for _, time in resampled] == [Fraction(k, 20) for k in range(5, 11)]
    assert np.array_equal(resampled[0][0], frames[1])


def test_a_single_picture_is_no_animation(tmp_path):
    for name in ("a.webp", "a.png"):
        Image.fromarray(colors()).save(tmp_path / name)
        assert is_image(tmp_path / name)
    pages = [Image.fromarray(colors())] * 3
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert is_image(tmp_path / "a.tif")
    assert is_image(tmp_path / "to_be_made.png")


def test_a_broken_animation_is_one_line(tmp_path):
    path = animate(tmp_path / "a.png")
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(InputError, match=r"a\.png: cannot be read"):
        list(VideoReader(path))


DRAWINGS = {
    "a.svg": (
        b'<?xml version="1.0"?>\n<!-- made -->\n<svg xmlns="x"/>',
        "an SVG drawing",
    ),
    "b.svg": (b'\xef\xbb\xbf<svg width="3"></svg>', "an SVG drawing"),
    "a.pdf": (b"%PDF-1.7\n", "a PDF document"),
    "a.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "an EPS drawing"),
    "a.jpg": (b"\xc5\xd0\xd3\xc6\x20\0\0\0", "an EPS drawing"),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_called_what_they_are(tmp_path, name):
    data, what = DRAWINGS[name]
    (tmp_path / name).write_bytes(data)
    for read in (read_image, VideoReader):
        with pytest.raises(InputError, match=f"{name}: is {what}"):
            read(tmp_path / name)


def test_other_depths_and_inks(tmp_path):
    deep = colors().astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "a.png"), deep[..., ::-1])
    cv2.imwrite(str(tmp_path / "a.tif"), deep[..., ::-1])
    for name in ("a.png", "a.tif"):
        assert np.array_equal(read_image(tmp_path / name), colors())
    inks = Image.new("CMYK", (8, 8), (255, 0, 255, 0))
    inks.save(tmp_path / "c.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "c.jpg") - [0, 255, 0]).max() < 6
    data = io.BytesIO()
    Image.new("LA", (8, 8), (0, 128)).save(data, "PNG")
    (tmp_path / "l.png").write_bytes(data.getvalue())
    assert np.abs(read_image(tmp_path / "l.png").astype(int) - 127).max() <= 1
