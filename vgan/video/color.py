"""Decoded frames to RGB and back: matrix, range, transfer curve, orientation.

Numbers are those of ITU-T H.273, which FFmpeg uses too.
"""

import threading
from fractions import Fraction

import numpy as np
from av import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from vgan.video.codecs import bits, is_rgb
from vgan.video.filters import Filters
from vgan.video.hdr import BT709, BT2020, HLG, PQ, WideGamut
from vgan.video.planes import FORMATS, EnlargedPicture, PlanarFrame, Shrinker
from vgan.video.resizing import resize

BT601, YCGCO, BT2020_CONSTANT = 6, 8, 10
UNSPECIFIED = 2
_KNOWN_MATRICES = {1, 4, 5, 6, 7, 9}
# Without these, swscale is faster, but darkens by one or two levels of 255.
_EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_QUALITY = Interpolation.BICUBIC | _EXACT
_SMOOTH = Interpolation.BILINEAR | _EXACT


def guessed_matrix(frame: VideoFrame) -> int | None:
    """The matrix that is taken of a frame in place of one that cannot be done."""
    if frame.colorspace in (*_KNOWN_MATRICES, YCGCO, UNSPECIFIED, 0, 3):
        return None
    if frame.colorspace == BT2020_CONSTANT:  # the same in all but strong colors
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
            have a color of their own (every second one in most videos).
        margins: Pixels of each frame as stored that are not shown, (left, top, right,
            bottom).
        sited: Where the samples of color lie, by FFmpeg's names; None: where each
            frame says.

    Attributes:
        height: H of the results in pixels.
        width: W of the results in pixels.
        transposed: Whether the picture lies on its side in the file.
        converts: Whether colors become BT.709.
        deep: Whether the results are uint16, 0 to 65535, and not uint8.
        keep_alpha: Whether they are RGBA `[H, W, 4]`, of frames that have alpha.
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
    ) -> None:
        self._first = frame.width, frame.height
        self._turn = _display_matrix(frame)
        self.transposed = self._turn[0]
        self._window = window and _turned_back(window, *self._turn)
        self._margins, self._sited = margins, sited
        # Either is enough: many a file says the one and not the other.
        hdr = frame.color_trc in (PQ, HLG)
        self.converts = hdr or frame.color_primaries == BT2020
        if self.converts:
            self._convert = WideGamut(frame.color_trc, frame.color_primaries)
        self._shown = self._cut(*self._first)[:2]
        if size is None:
            self._size = self._shown
        else:
            self._size = size if self.transposed else size[::-1]
        self.width, self.height = self._size[:: -1 if self.transposed else 1]
        # As in most programs: averages where it shrinks, smooth where it enlarges.
        shrinks = min(self._size) < min(self._shown)
        self._way = Interpolation.AREA | _EXACT if shrinks else _QUALITY
        self._reformatter, self._shrinker = VideoReformatter(), Shrinker()
        # A PlanarFrame may become RGB in a thread beside the one that decodes.
        self._alone = threading.Lock()
        self._kind = self._filters = None
        self.pixel_shape: Fraction | None = None
        self.deep = self.keep_alpha = False

    def fits(self, frame: VideoFrame) -> bool:
        """Whether a decoded frame has the size of the first."""
        return (frame.width, frame.height) == self._first

    def __call__(self, frame: VideoFrame) -> np.ndarray:
        """Return the RGB array `[H, W, 3]` of a decoded frame, uint8 unless `deep`."""
        return self._to_array(self._prepared(frame))

    def planar(self, frame: VideoFrame) -> np.ndarray | PlanarFrame:
        """The same of a decoded frame, as a PlanarFrame where its planes allow it."""
        frame = self._prepared(frame)
        plain = (
            frame.format.name in FORMATS
            and frame.color_range != ColorRange.JPEG
            and (frame.width, frame.height) == self._size
            and not (self.converts or self.deep or any(self._turn))
        )
        if plain:
            return PlanarFrame(frame, self._to_array, self._shrinker)
        return self._to_array(frame)

    def _prepared(self, frame):
        """What is shown of it, with a matrix that swscale can do."""
        frame = self._filtered(frame)
        # swscale goes by what the frame says, and refuses matrices that it cannot do.
        if frame.colorspace not in _KNOWN_MATRICES:
            usual = matrix_for(frame.width, frame.height)
            frame.colorspace = guessed_matrix(frame) or usual
        return frame

    def _to_array(self, frame):
        alpha = self._alpha(frame) if self.keep_alpha else None
        full = frame.color_range == ColorRange.JPEG
        with self._alone:
            frame = self._reformatter.reformat(
                frame,
                *self._size,  # a stream may change its size on the way
                format="rgb48le" if self.converts or self.deep else "rgb24",
                src_colorspace=frame.colorspace,
                src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
                dst_color_range=ColorRange.JPEG,
                interpolation=self._way,
            )
        array = frame.to_ndarray()
        if self.converts:
            array = self._convert(array, self.deep)
        if alpha is not None:
            array = np.dstack([array, alpha])
        return _turn(array, *self._turn)

    def _alpha(self, frame):
        """As it is in a frame, to the bit; swscale would make less than 1 of 1."""
        kind = frame.format
        if not kind.name.startswith(("yuva", "gbrap")) or "f" in kind.name:
            deep = bits(kind.name) > 8
            frame = frame.reformat(format="gbrap16le" if deep else "gbrap")
        plane, depth = frame.planes[3], bits(frame.format.name)
        values = np.frombuffer(plane, np.uint16 if depth > 8 else np.uint8)
        values = values.reshape(plane.height, -1)[:, : plane.width]
        values = _scaled(values, (1 << depth) - 1, 65535 if self.deep else 255)
        return resize(values, *self._size[::-1])

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
            # Where two pixels share a color, the filter rounds down: not below these.
            width = f"max(ceil(iw/hsub)*hsub,round(ih*{shape}/sar))"
            height = f"max(ceil(ih/vsub)*vsub,round(iw*sar/{shape}))"
            yield "pad", f"'{width}':'{height}':(ow-iw)/2:(oh-ih)/2:eval=frame"

    def _cut(self, width, height):
        """Width, height, left and top of what is shown of a frame as stored."""
        left, top, right, bottom = self._margins
        if left + right < width and top + bottom < height:
            width, height = width - left - right, height - top - bottom
            left, top = left // 2 * 2, top // 2 * 2  # where a sample of color is
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


class ToYUV:
    """Upright RGB `[H, W, 3]`, uint8 or uint16, to a frame for the encoder.

    Its range is limited, but full where the encoder takes RGB.

    Args:
        pixel_format: FFmpeg's name, such as "yuv420p"; samples of color are sited
            left, as decoders of H.264 and VP9 take it.
        matrix: BT709, BT601 or BT2020.
    """

    def __init__(self, pixel_format: str, matrix: int) -> None:
        self._pixel_format, self._matrix = pixel_format, matrix
        self._is_rgb = is_rgb(pixel_format)
        self._filters = self._size = None
        self._reformatter = VideoReformatter()

    def __call__(self, picture: np.ndarray | EnlargedPicture) -> VideoFrame:
        """Return the `av.VideoFrame` of an RGB or RGBA array, uint8 or uint16."""
        height, width = picture.shape[:2]
        is_small = isinstance(picture, EnlargedPicture)
        array = np.ascontiguousarray(picture.picture) if is_small else picture
        deep, alpha = array.dtype == np.uint16, array.shape[2] == 4
        kinds = ("rgb24", "rgb48le"), ("rgba", "rgba64le")
        frame = VideoFrame.from_ndarray(array, format=kinds[alpha][deep])
        if self._size != array.shape:
            self._size = array.shape
            self._filters = Filters(frame, ("setparams", "chroma_location=left"))
        frame = self._reformatter.reformat(
            self._filters(frame),
            width,
            height,
            format=self._pixel_format,
            dst_colorspace=self._matrix,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.JPEG if self._is_rgb else ColorRange.MPEG,
            interpolation=_SMOOTH if is_small else _QUALITY,
        )
        if is_small:
            picture.add_detail(frame)
        if alpha and len(frame.planes) == 4:
            self._put_alpha(frame, array[..., 3])
        return frame

    def _put_alpha(self, frame, values):
        plane, depth = frame.planes[3], bits(self._pixel_format)
        values = _scaled(values, np.iinfo(values.dtype).max, (1 << depth) - 1)
        target = np.frombuffer(plane, values.dtype).reshape(plane.height, -1)
        target[:, : plane.width] = values


def _scaled(values, top, new_top):
    """Integers of 0 to `top` as those of 0 to `new_top`."""
    kind = np.uint16 if new_top > 255 else np.uint8
    if top == new_top:
        return values.astype(kind, copy=False)
    return np.rint(np.arange(top + 1) * (new_top / top)).astype(kind)[values]


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
    kind = array.dtype
    size = kind.itemsize * array.shape[2]
    pixels = np.ascontiguousarray(array).view(f"V{size}")[..., 0]
    pixels = pixels.T if transpose else pixels
    pixels = pixels[:: -1 if mirror_y else 1, :: -1 if mirror_x else 1]
    return np.ascontiguousarray(pixels)[..., None].view(kind)


def _turned_back(window, transpose, mirror_x, mirror_y):
    """The part of a frame that `_turn` makes this part of what is displayed."""
    left, top, width, height = window
    left = 1 - left - width if mirror_x else left
    top = 1 - top - height if mirror_y else top
    return (top, left, height, width) if transpose else (left, top, width, height)
