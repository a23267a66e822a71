"""Still pictures: what is one, and its pixels as they are to be seen."""

import contextlib
import functools
import io
import logging
import os
import pathlib
import re
import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageCms, ImageOps, JpegImagePlugin

from vgan import InputError

IMAGE_SUFFIXES = (
    ".apng", ".avif", ".bmp", ".exr", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".ppm",
    ".tif", ".tiff", ".webp",
)  # fmt: skip
VIDEO_SUFFIXES = (
    ".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg",
    ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv",
)  # fmt: skip
NUMBER = re.compile(r"%(0\d+)?d")  # stands for the numbers of frames in a name
_ANIMATED = (".apng", ".avif", ".png", ".webp")
_WHOLE = 178_956_970  # pixels, above which Pillow suspects an attack
_LARGEST = 1_000_000_000  # pixels of a JPEG, of which a fraction is decoded
_DRAWINGS = {
    b"%PDF": "a PDF document",
    b"%!PS": "an EPS drawing",
    b"\xc5\xd0\xd3\xc6": "an EPS drawing",
}
_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
_SRGB = ImageCms.createProfile("sRGB")
_log = logging.getLogger("vgan")


def is_image(path: str | os.PathLike) -> bool:
    """Whether it is a still picture, by its suffix (a GIF counts as a video).

    An animated PNG, WebP or AVIF is none, and neither is a pattern such as "%04d.png".
    """
    path = pathlib.Path(path)
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES or (NUMBER.search(path.name) and not path.exists()):
        return False
    return not (suffix in _ANIMATED and path.is_file() and _is_animated(path))


def _is_animated(path):
    try:
        with Image.open(path) as image:
            # Pages of a TIFF and views of a camera are no animation.
            kinds = ("AVIF", "GIF", "PNG", "WEBP")
            return image.format in kinds and getattr(image, "is_animated", False)
    except _UNREADABLE:  # which its reader will say
        return False


def numbered(pattern: str) -> re.Pattern:
    """Return what the names match that a pattern such as "%04d.png" stands for."""
    start, digits, end = re.fullmatch(f"(.*?){NUMBER.pattern}(.*)", pattern).groups()
    number = rf"(\d{{{int(digits or 1)},}})"
    return re.compile(re.escape(start) + number + re.escape(end))


def read_image(path: str | os.PathLike, alpha: bool = False) -> np.ndarray:
    """Read a picture as uint8 RGB `[H, W, 3]`, upright.

    EXIF orientation is applied; colors of an embedded profile become sRGB; transparent
    parts show white paper; 16 bits become 8; gray becomes RGB; of an animation the
    first frame is taken. A JPEG of more than 179 million pixels, and up to a thousand
    million, is read at a half or a quarter of its size, with a line in the log.

    Args:
        path: A file that Pillow reads: JPEG, PNG, WebP, TIFF, HEIC, AVIF and more; or
            an OpenEXR, whose linear light becomes sRGB.
        alpha: Whether one with transparent parts comes as RGBA `[H, W, 4]`, straight.

    Raises:
        InputError: There is no such file, it is not a picture, or it is too large.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such picture; check the path")
    if not path.is_file():
        what = "folder" if path.is_dir() else "pipe or a device"
        raise InputError(f"{path}: is a {what}, not a picture; give a file")
    refuse_drawing(path)
    if path.suffix.lower() == ".exr":
        from vgan.video.exr import read_exr  # wants PyAV, which pictures do without

        return shown_in_8_bits(read_exr(path), alpha)
    _know_heif()
    with reading(path), _open(path) as image:
        return as_shown(image, alpha)


@contextlib.contextmanager
def reading(path: pathlib.Path) -> Iterator[None]:
    """Raise InputError where the block cannot read a picture."""
    try:
        yield
    except InputError:  # which says it better
        raise
    except _UNREADABLE as error:
        raise InputError(
            f"{path}: cannot be read as a picture ({error}); "
            "give a JPEG, PNG or WebP file"
        ) from error


def refuse_drawing(path: pathlib.Path) -> None:
    """Raise InputError where a file holds shapes and text in the place of pixels."""
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError:  # which its reader will say
        return
    kinds = [kind for start, kind in _DRAWINGS.items() if head.startswith(start)]
    if head.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"<") and b"<svg" in head:
        kinds.append("an SVG drawing")
    if kinds:
        raise InputError(f"{path}: is {kinds[0]}, not a picture; save it as a PNG")


@functools.cache
def _know_heif():
    """Have Pillow read HEIC, whatever the suffix says."""
    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()


def _open(path):
    try:
        return Image.open(path)
    except Image.DecompressionBombError as error:
        try:
            image = JpegImagePlugin.JpegImageFile(path)
        except SyntaxError:
            raise InputError(
                f"{path}: of a picture with more than {_WHOLE // 1_000_000} million "
                "pixels only a JPEG is read; save it as one, or make it smaller"
            ) from error
    width, height = image.size
    if width * height > _LARGEST:
        image.close()
        raise InputError(
            f"{path}: is {width} x {height}, and at most "
            f"{_LARGEST // 1_000_000} million pixels are read; make it smaller"
        )
    share = 2 if width * height <= 4 * _WHOLE else 4
    # The decoder makes no more of it, which saves time and memory.
    image.draft(None, (width // share, height // share))
    _log.warning("%s: is %d x %d: read at %d x %d", path, width, height, *image.size)
    return image


@functools.cache
def srgb_profile() -> bytes:
    """Return the ICC profile of what `read_image` gives, the same on every day."""
    profile = bytearray(ImageCms.ImageCmsProfile(_SRGB).tobytes())
    struct.pack_into(">6H", profile, 24, 2000, 1, 1, 0, 0, 0)  # when it was made
    return bytes(profile)


def as_shown(image: Image.Image, alpha: bool = False) -> np.ndarray:
    """Return what `read_image` does of an open picture."""
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode == "F" or image.mode.startswith("I"):
        image = _with_8_bits(image)
    if not image.has_transparency_data:
        return np.array(_in_srgb(image, profile))
    image = image.convert("RGBA")
    picture = _in_srgb(image.convert("RGB"), profile)
    picture.putalpha(image.getchannel("A"))
    return np.array(picture) if alpha else on_paper(np.array(picture))


def shown_in_8_bits(picture: np.ndarray, alpha: bool = False) -> np.ndarray:
    """Return uint8 of uint16 RGB or RGBA; RGB on white paper unless `alpha`."""
    picture = np.rint(picture / np.float32(257)).astype(np.uint8)
    return picture if alpha or picture.shape[2] == 3 else on_paper(picture)


def on_paper(picture: np.ndarray) -> np.ndarray:
    """Return uint8 RGB `[H, W, 3]` of RGBA `[H, W, 4]`: what is clear is white."""
    picture = Image.fromarray(picture)
    paper = Image.new("RGBA", picture.size, "white")
    return np.array(Image.alpha_composite(paper, picture).convert("RGB"))


def _with_8_bits(image):
    # Pillow would clip what is above 255 instead of scaling it.
    values = np.asarray(image, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("it has values that are no numbers")
    # Floats are 0..1 by custom; else depth is told by what is there.
    most = values.max(initial=0)
    peaks = (1, 255, 65535) if image.mode == "F" else (255, 65535)
    peak = next((peak for peak in peaks if most <= peak), peaks[-1])
    return Image.fromarray(np.rint(np.clip(values / peak, 0, 1) * 255).astype(np.uint8))


def _in_srgb(image, profile):
    """A picture as RGB, with the colors that its ICC profile gives to its numbers."""
    if not profile:
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}[space]
        if (mode == "CMYK") != (image.mode == "CMYK"):
            return image.convert("RGB")  # it is of another picture
        image = image.convert(mode)
        transform = ImageCms.buildTransform(source, _SRGB, mode, "RGB")
        if mode == "RGB" and _changes_little(transform):
            return image
        return ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, KeyError, OSError, ValueError):
        return image.convert("RGB")  # a damaged one counts for nothing, as in viewers


def _changes_little(transform):
    """Whether it comes from another edition of sRGB, which most pictures have."""
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 18, 3)
    changed = ImageCms.applyTransform(Image.fromarray(colors), transform)
    return np.abs(np.asarray(changed, int) - colors).max() <= 1
