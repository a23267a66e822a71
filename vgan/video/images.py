"""Still pictures, and folders of numbered ones read as a video."""

import pathlib
from fractions import Fraction

import numpy as np
from PIL import Image, ImageOps

from vgan import InputError, files
from vgan.video.resizing import resize

IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
VIDEO_SUFFIXES = (
    ".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg",
    ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv",
)  # fmt: skip
_FPS = 25  # of a folder, where the caller does not say


def is_image(path):
    """Whether the suffix is that of a still picture (a GIF counts as a video)."""
    return pathlib.Path(path).suffix.lower() in IMAGE_SUFFIXES


def read_image(path):
    """Read a picture as uint8 RGB `[H, W, 3]`, upright.

    EXIF orientation is applied; transparent parts show white paper; 16 bits become 8;
    grey becomes RGB; of an animation the first frame is taken.

    Args:
        path: A file that Pillow reads: JPEG, PNG, WebP, TIFF, BMP and more.

    Raises:
        InputError: There is no such file, or it is not a picture.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such picture; check the path")
    if not path.is_file():
        what = "folder" if path.is_dir() else "pipe or a device"
        raise InputError(f"{path}: is a {what}, not a picture; give a file")
    try:
        with Image.open(path) as image:
            image = ImageOps.exif_transpose(image)
            if image.mode == "F" or image.mode.startswith("I"):
                # Pillow would clip what is above 255 instead of scaling it.
                values = np.asarray(image, np.float64)
                if not np.isfinite(values).all():
                    raise ValueError("it has values that are no numbers")
                # Floats are 0..1 by custom; else depth is told by what is there.
                most = values.max(initial=0)
                peaks = (1, 255, 65535) if image.mode == "F" else (255, 65535)
                peak = next((peak for peak in peaks if most <= peak), peaks[-1])
                gray = np.rint(np.clip(values / peak, 0, 1) * 255).astype(np.uint8)
                return np.repeat(gray[..., None], 3, axis=-1)
            if image.has_transparency_data:
                image = image.convert("RGBA")
                paper = Image.new("RGBA", image.size, "white")
                image = Image.alpha_composite(paper, image)
            return np.array(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path}: cannot be read as a picture ({error}); "
            "give a JPEG, PNG or WebP file"
        ) from error


class ImageSource:
    """A picture, or the pictures of a folder in natural order, as a video.

    Args:
        path: A picture or a folder of pictures, all of one size.
        fps: Pictures per second; the timestamp of picture k is k / fps.
        size: (H, W) that pictures are scaled to, or None.
        window: Part of each that is shown, or None; see VideoReader.
    """

    is_live = False
    audio = None
    has_sound = False
    origin = Fraction(0)
    sample_aspect_ratio = None
    colors = None
    damage = doubt = None

    def __init__(self, path, fps=None, size=None, window=None):
        self.path = path
        self._scaled_to, self._window = size, window
        self._files = [path]
        if path.is_dir():
            self._files = files.find(path, IMAGE_SUFFIXES, natural=True)
        if not self._files:
            raise InputError(
                f"{path}: a folder without pictures; give a video, or a folder of "
                f"numbered pictures ({', '.join(IMAGE_SUFFIXES)})"
            )
        self.fps = Fraction(fps or _FPS)
        self.time_base = 1 / self.fps
        self.num_frames = len(self._files)
        self.duration = self.num_frames / self.fps
        first = read_image(self._files[0])
        self._shape = first.shape
        self.height, self.width = self.picture(first).shape[:2]

    def frames(self, start):
        """Yield (frame `[H, W, 3]`, timestamp, duration) from `start` seconds on."""
        for index in range(int(start * self.fps), self.num_frames):
            frame = read_image(self._files[index])
            if frame.shape != self._shape:
                height, width, _ = self._shape
                raise InputError(
                    f"{self._files[index]}: is {frame.shape[1]}x{frame.shape[0]} and "
                    f"{self._files[0].name} is {width}x{height}; "
                    "give pictures of one size"
                )
            yield frame, index / self.fps, 1 / self.fps

    def picture(self, frame):
        """What is shown of a frame of `frames`, uint8 RGB `[H, W, 3]`."""
        if self._window:
            height, width = frame.shape[:2]
            x, y, w, h = np.rint(self._window * np.array(2 * [width, height])).astype(
                int
            )
            frame = frame[y:, x:][: max(h, 1), : max(w, 1)]
        if self._scaled_to:
            frame = resize(frame, *self._scaled_to)
        return frame

    def close(self):
        """Nothing stays open."""
