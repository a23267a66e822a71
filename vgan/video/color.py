"""Decoded frames to RGB and back: matrix, range, transfer curve, orientation.

Numbers are those of ITU-T H.273, which FFmpeg uses too.
"""

import numpy as np
from av import VideoFrame
from av.filter import Graph
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

BT709, BT601, BT2020 = 1, 6, 9
UNSPECIFIED = 2
PQ, HLG = 16, 18  # transfer curves of HDR video
_KNOWN_MATRICES = {1, 4, 5, 6, 7, 9}
# Without these, swscale is faster, but darkens by one or two levels of 255.
_EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_QUALITY = Interpolation.BICUBIC | _EXACT


def matrix_for(width, height):
    """The YCbCr matrix that players assume where a file says nothing: HD or SD."""
    return BT709 if min(width, height) > 576 or max(width, height) >= 1280 else BT601


class ToRGB:
    """Decoded frames to upright uint8 RGB `[H, W, 3]`, all of one size.

    Rotation and flips of the display matrix are applied. HDR (PQ, HLG) and other
    BT.2020 frames become BT.709, so that a network and a player see common video.

    Args:
        frame: The first decoded frame.
        size: (H, W) that frames are scaled to; None keeps the first one's. Small
            frames cost a fraction of large ones.
        window: Part of each frame that is shown, (left, top, width, height) in
            parts of the frame's width and height as displayed, rounded to pixels that
            have a colour of their own (every second one in most videos).
    """

    def __init__(self, frame, size=None, window=None):
        self._first = frame.width, frame.height
        self._turn = _display_matrix(frame)
        self._reformatter = VideoReformatter()
        self._wide = frame.color_primaries == BT2020
        self._curve = _WideGamut(frame.color_trc) if self._wide else None
        self.transposed = self._turn[0]
        self._crop = _Crop(frame, _turned_back(window, *self._turn)) if window else None
        shown = self._crop.size if self._crop else self._first
        if size is not None:
            self._size = size if self.transposed else size[::-1]
        else:
            self._size = shown
        self.width, self.height = self._size[:: -1 if self.transposed else 1]
        # As in most programs: averages where it shrinks, smooth where it enlarges.
        shrinks = min(self._size) < min(shown)
        self._way = Interpolation.AREA | _EXACT if shrinks else _QUALITY

    def fits(self, frame):
        """Whether a decoded frame has the size of the first."""
        return (frame.width, frame.height) == self._first

    def __call__(self, frame):
        """Return the uint8 RGB array `[H, W, 3]` of a decoded frame."""
        matrix = frame.colorspace
        if matrix not in _KNOWN_MATRICES:
            matrix = matrix_for(frame.width, frame.height)
        full = frame.color_range == ColorRange.JPEG
        if self._crop:
            frame = self._crop(frame)
        frame = self._reformatter.reformat(
            frame,
            *self._size,  # a stream may change its size on the way
            format="rgb48le" if self._wide else "rgb24",
            src_colorspace=matrix,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=self._way,
        )
        array = frame.to_ndarray()
        return _turn(self._curve(array) if self._wide else array, *self._turn)


class _Crop:
    """Cuts a window out of decoded frames without copying them.

    Args:
        frame: The first one.
        window: (left, top, width, height) in parts of its width and height.
    """

    def __init__(self, frame, window):
        self._first = frame.width, frame.height, frame.format.name
        self._reformatter = VideoReformatter()
        left, top, width, height = (
            max(0, round(part * side / 2) * 2)
            for part, side in zip(window, 2 * self._first[:2], strict=True)
        )
        left, top = min(left, frame.width - 2), min(top, frame.height - 2)
        width = min(max(2, width), frame.width - left)
        height = min(max(2, height), frame.height - top)
        self.size = width, height
        graph = self._graph = Graph()
        self._source = graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format.name,
            time_base=frame.time_base,
        )
        self._sink = graph.add("buffersink")
        graph.link_nodes(
            self._source,
            graph.add("crop", f"{width}:{height}:{left}:{top}"),
            self._sink,
        ).configure()

    def __call__(self, frame):
        if (frame.width, frame.height, frame.format.name) != self._first:
            frame = self._reformatter.reformat(frame, *self._first)
        self._source.push(frame)
        return self._sink.pull()


class ToYUV:
    """Upright uint8 RGB `[H, W, 3]` to a frame for the encoder, limited range.

    Args:
        pixel_format: FFmpeg's name, such as "yuv420p".
        matrix: BT709 or BT601.
    """

    def __init__(self, pixel_format, matrix):
        self._pixel_format = pixel_format
        self._matrix = matrix
        self._reformatter = VideoReformatter()

    def __call__(self, array):
        """Return the `av.VideoFrame` of a uint8 RGB array `[H, W, 3]`."""
        return self._reformatter.reformat(
            VideoFrame.from_ndarray(array, format="rgb24"),
            format=self._pixel_format,
            dst_colorspace=self._matrix,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=_QUALITY,
        )


def _display_matrix(frame):
    """Transpose, mirror left-right, mirror top-bottom; rounded to quarter turns."""
    for side_data in frame.side_data:
        if side_data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = np.frombuffer(side_data, np.int32)[:5].tolist()
            if abs(b) > abs(a):
                return True, c < 0, b < 0
            return False, a < 0, d < 0
    return False, False, False


def _turn(array, transpose, mirror_x, mirror_y):
    if not (transpose or mirror_x or mirror_y):
        return array
    # One item per pixel: copying three bytes at a time is several times faster.
    pixels = np.ascontiguousarray(array).view("V3")[..., 0]
    pixels = pixels.T if transpose else pixels
    pixels = pixels[:: -1 if mirror_y else 1, :: -1 if mirror_x else 1]
    return np.ascontiguousarray(pixels)[..., None].view(np.uint8)


def _turned_back(window, transpose, mirror_x, mirror_y):
    """The part of a frame that `_turn` makes this part of what is displayed."""
    left, top, width, height = window
    left = 1 - left - width if mirror_x else left
    top = 1 - top - height if mirror_y else top
    return (top, left, height, width) if transpose else (left, top, width, height)


class _WideGamut:
    """BT.2020 to BT.709; PQ is tone mapped, HLG is taken as the SDR that it allows.

    PQ: SMPTE ST 2084 with reference white at 203 cd/m2 (ITU-R BT.2408), highlights
    to 1000 cd/m2 rolled off by Reinhard's extended curve on the largest channel
    (Reinhard et al. 2002), which keeps hues. HLG (ITU-R BT.2100) was made to be shown
    as it is on BT.2020 screens: only the primaries are converted.
    """

    _PRIMARIES = np.array(  # linear light, ITU-R BT.2407
        [
            [1.6605, -0.5876, -0.0728],
            [-0.1246, 1.1329, -0.0083],
            [-0.0182, -0.1006, 1.1187],
        ],
        np.float32,
    )
    _PEAK = 1000 / 203

    def __init__(self, transfer):
        code = np.arange(65536) / 65535
        self._tone_map = transfer == PQ
        linear = _pq(code) * 10000 / 203 if self._tone_map else code**2.4
        self._linear = linear.astype(np.float32)
        # Indexed by the square root of light: steps as fine in the dark as needed.
        root = np.arange(4096) / 4095
        self._display = np.rint(255 * root ** (2 / 2.4)).astype(np.uint8)

    def __call__(self, array):
        light = self._linear[array]
        if self._tone_map:
            red, green, blue = light[..., 0], light[..., 1], light[..., 2]
            peak = np.maximum(np.maximum(red, green), blue)[..., None]
            light *= (1 + peak / self._PEAK**2) / (1 + peak)
        light = light @ self._PRIMARIES.T
        np.sqrt(np.clip(light, 0, 1, out=light), out=light)
        return self._display[np.rint(light * 4095).astype(np.uint16)]


def _pq(code):
    """SMPTE ST 2084: code value in [0, 1] to light, 1 being 10000 cd/m2."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = code ** (1 / m2)
    return (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
