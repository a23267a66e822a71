"""Decoded frames to RGB and back: matrix, range, transfer curve, orientation.

Numbers are those of ITU-T H.273, which FFmpeg uses too.
"""

import contextlib
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av import VideoFrame
from av.filter import Graph
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

BT709, BT601, BT2020 = 1, 6, 9
YCGCO, BT2020_CONSTANT = 8, 10
DISPLAY_P3 = 12
UNSPECIFIED = 2
PQ, HLG = 16, 18  # transfer curves of HDR video
_KNOWN_MATRICES = {1, 4, 5, 6, 7, 9}
# Without these, swscale is faster, but darkens by one or two levels of 255.
_EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_QUALITY = Interpolation.BICUBIC | _EXACT


def guessed_matrix(frame: VideoFrame) -> int | None:
    """The matrix that is taken of a frame in place of one that cannot be done."""
    if frame.colorspace in (*_KNOWN_MATRICES, YCGCO, UNSPECIFIED, 0, 3):
        return None
    if frame.colorspace == BT2020_CONSTANT:  # the same in all but strong colours
        return BT2020
    return matrix_for(frame.width, frame.height)


def matrix_for(width: int, height: int) -> int:
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
        margins: Pixels of each frame as stored that are not shown, (left, top, right,
            bottom).
        sited: Where the samples of colour lie, by FFmpeg's names; None: where each
            frame says.

    Attributes:
        height: H of the results in pixels.
        width: W of the results in pixels.
        transposed: Whether the picture lies on its side in the file.
        converts: Whether colours become BT.709.
        pixel_shape: Displayed width over height of the first frame's pixels, for a
            stream that changes on the way: what has another shape gets black bars.
            None, the default: it is stretched.
    """

    def __init__(
        self,
        frame: VideoFrame,
        size: tuple[int, int] | None = None,
        window: tuple[float, float, float, float] | None = None,
        margins: tuple[int, int, int, int] = (0, 0, 0, 0),
        sited: str | None = "left",
    ):
        self._first = frame.width, frame.height
        self._turn = _display_matrix(frame)
        self.transposed = self._turn[0]
        self._window = window and _turned_back(window, *self._turn)
        self._margins, self._sited = margins, sited
        # Either is enough: many a file says the one and not the other.
        hdr = frame.color_trc in (PQ, HLG)
        self.converts = hdr or frame.color_primaries == BT2020
        if self.converts:
            self._convert = _WideGamut(frame.color_trc, frame.color_primaries)
        self._shown = self._cut(*self._first)[:2]
        if size is None:
            self._size = self._shown
        else:
            self._size = size if self.transposed else size[::-1]
        self.width, self.height = self._size[:: -1 if self.transposed else 1]
        # As in most programs: averages where it shrinks, smooth where it enlarges.
        shrinks = min(self._size) < min(self._shown)
        self._way = Interpolation.AREA | _EXACT if shrinks else _QUALITY
        self._reformatter = VideoReformatter()
        self._kind = self._filters = None
        self.pixel_shape: Fraction | None = None

    def fits(self, frame: VideoFrame) -> bool:
        """Whether a decoded frame has the size of the first."""
        return (frame.width, frame.height) == self._first

    def __call__(self, frame: VideoFrame) -> np.ndarray:
        """Return the uint8 RGB array `[H, W, 3]` of a decoded frame."""
        frame = self._filtered(frame)
        # swscale goes by what the frame says, and refuses matrices that it cannot do.
        if frame.colorspace not in _KNOWN_MATRICES:
            usual = matrix_for(frame.width, frame.height)
            frame.colorspace = guessed_matrix(frame) or usual
        full = frame.color_range == ColorRange.JPEG
        frame = self._reformatter.reformat(
            frame,
            *self._size,  # a stream may change its size on the way
            format="rgb48le" if self.converts else "rgb24",
            src_colorspace=frame.colorspace,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=self._way,
        )
        array = frame.to_ndarray()
        return _turn(self._convert(array) if self.converts else array, *self._turn)

    def _filtered(self, frame):
        """What is shown of a frame, with bars if need be; nothing is copied else."""
        ycgco = frame.colorspace == YCGCO  # of captured screens
        kind = frame.width, frame.height, frame.format.name, ycgco, self.pixel_shape
        if kind != self._kind:
            chain = list(self._chain(frame.width, frame.height, ycgco))
            self._filters = Filters(frame, *chain) if chain else None
            self._kind = kind
        return self._filters(frame) if self._filters else frame

    def _chain(self, width, height, ycgco):
        if self._sited:
            yield "setparams", f"chroma_location={self._sited}"
        shown = self._cut(width, height)
        if shown[:2] != (width, height):
            yield "crop", "{}:{}:{}:{}:exact=1".format(*shown)
        if ycgco:
            yield "colorspace", "iall=bt709:ispace=ycgco:all=bt709"
        if self.pixel_shape and not self._window:
            shape = float(Fraction(*self._shown) * self.pixel_shape)
            sides = f"'round(max(iw,ih*{shape}/sar))':'round(max(ih,iw*sar/{shape}))'"
            yield "pad", f"{sides}:(ow-iw)/2:(oh-ih)/2:eval=frame"

    def _cut(self, width, height):
        """Width, height, left and top of what is shown of a frame as stored."""
        left, top, right, bottom = self._margins
        if left + right < width and top + bottom < height:
            width, height = width - left - right, height - top - bottom
            left, top = left // 2 * 2, top // 2 * 2  # where a sample of colour is
        else:
            left = top = 0
        if self._window:
            x, y, w, h = (
                max(0, round(part * side / 2) * 2)
                for part, side in zip(self._window, 2 * (width, height), strict=True)
            )
            x, y = min(x, width - 2), min(y, height - 2)
            left, top = left + x, top + y
            width, height = (
                min(max(2, w), width - x),
                min(max(2, h), height - y),
            )
        return width, height, left, top


class Filters:
    """A chain of FFmpeg's filters that gives a frame for each.

    Args:
        frame: One of those to come; all have its size and format.
        *chain: (name, arguments) of each filter.
    """

    def __init__(self, frame: VideoFrame, *chain: tuple[str, str]):
        graph = self._graph = Graph()
        self._source = graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format.name,
            time_base=frame.time_base or Fraction(1, 25),
        )
        self._sink = graph.add("buffersink")
        filters = [graph.add(name, arguments) for name, arguments in chain]
        graph.link_nodes(self._source, *filters, self._sink).configure()

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        """Return what becomes of a frame."""
        self._source.push(frame)
        return self._sink.pull()

    def all(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """Yield what is ready after a frame, none or several; None ends it."""
        self._source.push(frame)
        with contextlib.suppress(BlockingIOError, EOFError):
            while True:
                yield self._sink.pull()


class ToYUV:
    """Upright uint8 RGB `[H, W, 3]` to a frame for the encoder, limited range.

    Args:
        pixel_format: FFmpeg's name, such as "yuv420p"; samples of colour are sited
            left, as decoders of H.264 and VP9 take it.
        matrix: BT709 or BT601.
    """

    def __init__(self, pixel_format: str, matrix: int):
        self._pixel_format, self._matrix = pixel_format, matrix
        self._filters = None
        self._reformatter = VideoReformatter()

    def __call__(self, array: np.ndarray) -> VideoFrame:
        """Return the `av.VideoFrame` of a uint8 RGB array `[H, W, 3]`."""
        frame = VideoFrame.from_ndarray(array, format="rgb24")
        if self._filters is None:
            self._filters = Filters(frame, ("setparams", "chroma_location=left"))
        return self._reformatter.reformat(
            self._filters(frame),
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
    """BT.2020 or Display P3 to BT.709; PQ is tone mapped, HLG is taken as SDR.

    PQ: SMPTE ST 2084 with reference white at 203 cd/m2 (ITU-R BT.2408), highlights
    to 1000 cd/m2 rolled off by Reinhard's extended curve on the largest channel
    (Reinhard et al. 2002), which keeps hues. HLG (ITU-R BT.2100) was made to be shown
    as it is on BT.2020 screens: only the primaries are converted.
    """

    _TO_BT709 = {  # noqa: RUF012 -- linear light, by primaries
        BT2020: [  # ITU-R BT.2407
            [1.6605, -0.5876, -0.0728],
            [-0.1246, 1.1329, -0.0083],
            [-0.0182, -0.1006, 1.1187],
        ],
        DISPLAY_P3: [  # SMPTE EG 432-1
            [1.2249, -0.2249, 0],
            [-0.0420, 1.0420, 0],
            [-0.0196, -0.0786, 1.0983],
        ],
        BT709: np.eye(3),
    }
    _PEAK = 1000 / 203

    def __init__(self, transfer, primaries):
        # HDR that does not say more is of BT.2020, as ITU-R BT.2100 has it.
        matrix = self._TO_BT709.get(primaries, self._TO_BT709[BT2020])
        self._primaries = np.float32(matrix)
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
        light = light @ self._primaries.T
        np.sqrt(np.clip(light, 0, 1, out=light), out=light)
        return self._display[np.rint(light * 4095).astype(np.uint16)]


def _pq(code):
    """SMPTE ST 2084: code value in [0, 1] to light, 1 being 10000 cd/m2."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = code ** (1 / m2)
    return (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
