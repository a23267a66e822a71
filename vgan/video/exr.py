"""OpenEXR: linear light in half floats, by FFmpeg's codec.

Colors have the primaries of BT.709, as the file format has it where a file says
nothing else; alpha is premultiplied there and straight here.
"""

import functools
import logging
import os
import pathlib
from fractions import Fraction

import av
import numpy as np

from vgan import InputError

_HALF = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32)
_PLANES = (2, 0, 1, 3)  # of red, green, blue and alpha in FFmpeg's planar formats
_log = logging.getLogger("vgan")


def read_exr(path: str | os.PathLike) -> np.ndarray:
    """Read a picture as uint16 RGB `[H, W, 3]` or RGBA `[H, W, 4]` on sRGB's curve.

    65535 is white, 1 in the file. Alpha is straight. What is above 1 or below 0 is
    clipped, with a line in the log.

    Args:
        path: A file of one part with channels R, G and B, or Y, and perhaps A.

    Raises:
        InputError: It cannot be read.
    """
    path = pathlib.Path(path)
    try:
        packet = av.Packet(path.read_bytes())
        codec = av.CodecContext.create("exr", "r")
        frame, *_ = [*codec.decode(packet), *codec.decode(None)]
        planes = [_plane(frame, plane) for plane in frame.planes]
    except (OSError, ValueError, av.FFmpegError) as error:
        raise InputError(
            f"{path}: cannot be read as OpenEXR ({getattr(error, 'strerror', error)}); "
            "give one of a single part with the channels R, G, B"
        ) from error
    order = _PLANES[: len(planes)] if len(planes) > 1 else (0, 0, 0)
    light = np.stack([planes[plane] for plane in order], -1)
    light = np.nan_to_num(light, nan=0)
    colors, alpha = light[..., :3], light[..., 3:]
    if alpha.size:
        alpha = np.clip(alpha, 0, 1)
        clear = alpha == 0
        colors = np.where(clear, 0, colors / np.where(clear, 1, alpha))
    outside = int(((colors > 1) | (colors < 0)).any(axis=2).sum())
    if outside:
        _log.warning(
            "%s: %d of %d pixels are brighter than 1 or darker than 0: clipped",
            path, outside, colors.shape[0] * colors.shape[1],
        )  # fmt: skip
    values = np.rint(65535 * _to_srgb(np.clip(colors, 0, 1))).astype(np.uint16)
    return np.dstack([values, np.rint(65535 * alpha).astype(np.uint16)])


def _plane(frame, plane):
    """float32 `[H, W]`."""
    kind = {16: np.uint16, 32: np.float32}[frame.format.components[0].bits]
    values = np.frombuffer(plane, kind).reshape(plane.height, -1)[:, : plane.width]
    return _HALF[values] if kind == np.uint16 else values


def write_exr(path: str | os.PathLike, frame: np.ndarray) -> None:
    """Write a picture in half floats, compressed without loss (ZIP).

    Args:
        path: File to make.
        frame: RGB `[H, W, 3]` or straight RGBA `[H, W, 4]` on sRGB's curve, uint8 or
            uint16.

    Raises:
        OSError: It cannot be written.
    """
    height, width, channels = frame.shape
    top = np.iinfo(frame.dtype).max
    light = _to_linear(top)[frame[..., :3]]
    if channels == 4:
        alpha = frame[..., 3:].astype(np.float32) / top
        light = np.dstack([light * alpha, alpha])
    # FFmpeg cuts what a half has no bits for; it is rounded before.
    light = light.astype(np.float16).astype(np.float32)
    kind = "gbrapf32le" if channels == 4 else "gbrpf32le"
    picture = av.VideoFrame(width, height, kind)
    for index, plane in enumerate(picture.planes):
        target = np.frombuffer(plane, np.float32).reshape(plane.height, -1)
        target[:, :width] = light[..., _PLANES.index(index)]
    codec = av.CodecContext.create("exr", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, kind
    codec.time_base = Fraction(1, 25)
    codec.options = {"format": "half", "compression": "zip16"}
    packets = [*codec.encode(picture), *codec.encode(None)]
    pathlib.Path(path).write_bytes(b"".join(bytes(packet) for packet in packets))


def _to_srgb(light):
    """IEC 61966-2-1, of linear light in [0, 1]."""
    return np.where(
        light <= 0.0031308,
        12.92 * light,
        1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055,
    )


@functools.cache
def _to_linear(top):
    """The inverse, float32, of each integer from 0 to `top`."""
    value = np.arange(top + 1) / top
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)
