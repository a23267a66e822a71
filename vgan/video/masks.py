"""Masks that go along with a video: how much of each pixel, or which region it is.

A mask is a picture, a video or a folder of numbered pictures, of any size and frame
rate: what counts is where on the picture and at which second. After its end its last
frame holds; what goes on after the film's end is left out.
"""

import logging
import os
import pathlib
import typing
from fractions import Fraction

import cv2
import numpy as np

from vgan import InputError
from vgan.video.images import is_image, read_image
from vgan.video.labels import Labels
from vgan.video.reader import ROUNDING, VideoReader

_log = logging.getLogger("vgan")
_NOISE = 4  # gray levels by which a codec misses black and white
_SHAPE = 0.02  # by which the aspect ratio may differ
_LOSSLESS = (".bmp", ".png", ".ppm", ".tif", ".tiff")
SHARES = np.arange(256, dtype=np.float32) / np.float32(255)


class Mask:
    """What a mask shows at a second; base of the two below, which `_prepare` frames.

    Args:
        path: Picture, video, or folder of numbered pictures (as many a second as the
            video has).
        like: What it is laid over: a VideoReader, or whatever has width and height.
            With an `offset`, seconds count from there on in the mask.

    Raises:
        InputError: It cannot be read, is live, or has another aspect ratio.
    """

    def __init__(self, path: str | os.PathLike, like: typing.Any) -> None:
        self._path, self._reader = pathlib.Path(path), None
        self._size, self._offset = (like.width, like.height), getattr(like, "offset", 0)
        self._shown = self._next = None  # (frame, timestamp)
        self._prepared = None
        if is_image(path):
            self._shown = read_image(path), 0
        else:
            fps = getattr(like, "fps", None) if self._path.is_dir() else None
            self._reader = VideoReader(path, fps=fps)
            self._shown = next(self._reader)
        try:
            self._check(like)
        except BaseException:
            self.close()
            raise
        if self._reader is not None:
            self._next = next(self._reader, None)
        self._has_ended = False

    def _check(self, like):
        if self._reader is not None and self._reader.is_live:
            raise InputError(f"{self._path}: is live; give a file as a mask")
        height, width = self._shown[0].shape[:2]
        ratio = (width / height) / (like.width / like.height)
        if not 1 / (1 + _SHAPE) <= ratio <= 1 + _SHAPE:
            raise InputError(
                f"{self._path}: is {width}x{height} and the video is "
                f"{like.width}x{like.height}; give a mask of the same shape"
            )

    def at(self, timestamp: float | Fraction) -> np.ndarray:
        """Return what is shown at a second; quickest when seconds go forward.

        The same array comes back as long as the same frame is shown: do not write to
        it. Not for several threads at once.
        """
        timestamp += self._offset
        if self._reader is not None and timestamp + ROUNDING < self._shown[1]:
            self._reader.seek(timestamp)
            self._shown, self._prepared = next(self._reader), None
            self._next = next(self._reader, None)
        while self._next is not None and self._next[1] <= timestamp + ROUNDING:
            self._shown, self._prepared = self._next, None
            self._next = next(self._reader, None)
        if self._next is None:
            self._warn_of_end(timestamp)
        if self._prepared is None:
            self._prepared = self._prepare(self._shown[0])
        return self._prepared

    def _warn_of_end(self, timestamp):
        if self._reader is None or self._has_ended:
            return
        end = self._shown[1] + 1 / self._reader.fps
        if timestamp >= end + ROUNDING:
            self._has_ended = True
            _log.warning(
                "%s: ends at %.2f s, before the video; its last frame is held",
                self._path,
                end,
            )

    def close(self) -> None:
        """Close the file."""
        if self._reader is not None:
            self._reader.close()

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class MaskReader(Mask):
    """How much of the style every pixel gets: white all, black none.

    Grays within 4 of black and white count as these, as codecs seldom keep them.

    Args:
        path: See Mask. Colors become gray; what is transparent counts as white.
        invert: Swap black and white.
        soft: Standard deviation in pixels of the video of a Gaussian that softens
            edges; 0 keeps them.
        like: See Mask.

    Raises:
        InputError: As Mask, or `soft` is negative.

    Example:
        with MaskReader("mask.mp4", soft=4, like=reader) as mask:
            for frame, timestamp in reader:
                blend(frame, stylizer(frame), mask.at(timestamp))   # [H, W, 1] float32
    """

    def __init__(
        self,
        path: str | os.PathLike,
        invert: bool = False,
        soft: float = 0,
        *,
        like: typing.Any,
    ) -> None:
        if not 0 <= soft <= 1000:
            raise InputError(f"soft={soft}: give 0 to 1000 pixels")
        levels = np.clip(
            np.interp(range(256), [_NOISE, 255 - _NOISE], [0, 255]), 0, 255
        )
        levels = np.rint(255 - levels if invert else levels)
        self._levels = levels.astype(np.uint8)
        self._soft = soft
        super().__init__(path, like)
        if self._reader is None and np.ptp(self.at(0)) == 0:
            _log.warning(
                "%s: is the same all over; draw white on black, not on transparent",
                path,
            )

    def _prepare(self, frame):
        """uint8 RGB [h, w, 3] -> float32 [H, W, 1] in [0, 1]."""
        gray = cv2.LUT(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), self._levels)
        share = _resize(gray, self._size)
        if self._soft:
            share = soften(share, self._soft)
        return cv2.LUT(share, SHARES)[..., None]


class LabelMask(Mask):
    """Which region every pixel belongs to.

    Regions are the flat grays or colors of the mask, 0 being the darkest. Of a PNG or
    a folder every color is a region; of a video or JPEG, whose codecs add others,
    those that areas of the first frame have. Later frames take the nearest of these.

    Args:
        path: See Mask.
        like: See Mask.

    Attributes:
        num_labels: Number of regions, 2 to 16.

    Raises:
        InputError: As Mask, or it has too many colors, or one alone.
    """

    def __init__(self, path: str | os.PathLike, *, like: typing.Any) -> None:
        super().__init__(path, like)
        exact = self._path.suffix.lower() in _LOSSLESS or self._path.is_dir()
        try:
            self._labels = Labels(self._shown[0], exact)
        except InputError as error:
            self.close()
            raise InputError(f"{path}: {error}") from error
        self.num_labels = len(self._labels)

    def _prepare(self, frame):
        """uint8 RGB [h, w, 3] -> uint8 [H, W]."""
        labels = self._labels(frame)
        if labels.shape[::-1] == self._size:
            return labels
        return cv2.resize(labels, self._size, interpolation=cv2.INTER_NEAREST_EXACT)


def soften(gray: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of uint8 [H, W], `sigma` in pixels.

    A wide one is made at a fraction of the size, where it costs no more than others.
    """
    height, width = gray.shape
    shrink = min(int(sigma / 4), height // 2, width // 2)
    if shrink <= 1:
        return cv2.GaussianBlur(gray, (0, 0), sigma)
    size = round(width / shrink), round(height / shrink)
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _resize(gray, size):
    if gray.shape[::-1] == size:
        return gray
    smaller = gray.shape[1] > size[0]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(gray, size, interpolation=method)
