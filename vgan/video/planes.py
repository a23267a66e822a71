"""Pictures that are never RGB at full size: planes of a film in, planes of a film out.

A network sees large frames small. To make RGB of all their pixels, and planes of all
pixels of the result, would take longer than to decode and to encode them.
"""

from collections.abc import Callable

import cv2
import numpy as np
from av import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

FORMATS = ("yuv420p", "yuv422p", "yuv444p", "nv12")  # luma of 8 bits lies apart
_EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def luma_of(frame: VideoFrame) -> np.ndarray:
    """The luma of a frame in one of FORMATS, uint8 [H, W]: its own memory, no copy."""
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]


class Shrinker:
    """Decoded frames, in limited range, to small RGB in one pass over them."""

    def __init__(self) -> None:
        self._shrink, self._convert = VideoReformatter(), VideoReformatter()

    def __call__(
        self, frame: VideoFrame, height: int, width: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return uint8 RGB [height, width, 3], and its luma uint8 [height, width].

        Areas are averaged. Luma is in limited range.
        """
        small = self._shrink.reformat(
            frame,
            width,
            height,
            "yuv444p",
            src_colorspace=frame.colorspace,
            dst_colorspace=frame.colorspace,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.AREA | _EXACT,
        )
        rgb = self._convert.reformat(
            small,
            format="rgb24",
            src_colorspace=frame.colorspace,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BICUBIC | _EXACT,
        )
        return rgb.to_ndarray(), luma_of(small)


class PlanarFrame:
    """A decoded frame that becomes RGB at the size that is asked for.

    Where an array is taken, as by `np.asarray`, it is uint8 RGB [H, W, 3].

    Args:
        frame: In one of FORMATS and limited range, as it is shown.
        to_array: Function of it that returns uint8 RGB [H, W, 3].
        shrinker: The Shrinker for frames of this kind.

    Attributes:
        shape: (H, W, 3).
    """

    def __init__(
        self,
        frame: VideoFrame,
        to_array: Callable[[VideoFrame], np.ndarray],
        shrinker: Shrinker,
    ) -> None:
        self._frame, self._to_array, self._shrinker = frame, to_array, shrinker
        self.shape = frame.height, frame.width, 3

    @property
    def luma(self) -> np.ndarray:
        """uint8 [H, W], limited range, to be read only."""
        return luma_of(self._frame)

    def shrunk(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Return uint8 RGB [height, width, 3] and its luma, limited range."""
        return self._shrinker(self._frame, height, width)

    def __array__(
        self, dtype: np.dtype | None = None, copy: bool | None = None
    ) -> np.ndarray:
        return np.asarray(self._to_array(self._frame), dtype)


class EnlargedPicture:
    """A small picture at full size, with detail of luma laid over it.

    Where an array is taken, as by `np.asarray`, it is uint8 RGB [H, W, 3].

    Args:
        picture: uint8 RGB [h, w, 3].
        detail: uint8 [H, W]: what is added to luma in limited range, plus 128.

    Attributes:
        picture: As given.
        detail: As given.
        shape: (H, W, 3).
    """

    def __init__(self, picture: np.ndarray, detail: np.ndarray) -> None:
        self.picture, self.detail = picture, detail
        self.shape = *detail.shape, 3

    def __array__(
        self, dtype: np.dtype | None = None, copy: bool | None = None
    ) -> np.ndarray:
        height, width = self.detail.shape
        whole = cv2.resize(
            self.picture, (width, height), interpolation=cv2.INTER_LINEAR
        )
        detail = cv2.cvtColor(self.detail, cv2.COLOR_GRAY2RGB)
        gain = 255 / 219  # of luma in full range
        return np.asarray(cv2.addWeighted(whole, 1, detail, gain, -128 * gain), dtype)

    def add_detail(self, frame: VideoFrame) -> None:
        """Lay the detail over a frame [H, W] in one of FORMATS, in its own memory."""
        luma = luma_of(frame)
        cv2.addWeighted(luma, 1, self.detail, 1, -128, dst=luma)
