"""Looks of a result: tones of the film that come back, film grain, less of the past."""

import typing
from fractions import Fraction

import cv2
import numpy as np

from vgan import InputError
from vgan.runtime.compose import in_8_bits
from vgan.runtime.upsampling import even_size, working_scale
from vgan.video.planes import EnlargedPicture

_BRIGHT = 180, 240  # luma where highlights begin, and where they are wholly that
# Skin (Chai and Ngan, Face Segmentation Using Skin-Color Map, 1999) has Cb from 77 to
# 127 and Cr from 133 to 173 in ITU-R BT.601; these are soft edges of that.
_CB, _CR = (72, 82, 126, 132), (131, 137, 171, 179)
_GRAIN = 10  # standard deviation in gray values of grain of 1
_PLACES = 128  # that a frame's grain may begin at in the field, a side
_HALF = 0.06  # change of brightness, of 2, at which a filter takes half of its past
_NOTHING = 10.0  # at which it takes none


class KeptTones:
    """How much of the style each pixel gets, where tones of the film come back.

    Args:
        highlights: Share of the film in bright tones, 0 to 1.
        skin: Share of it in tones of skin, 0 to 1: by color alone, so that wood and
            sand come back, too.
    """

    def __init__(self, highlights: float = 0.0, skin: float = 0.0) -> None:
        level = np.arange(256, dtype=np.float32)
        bright = np.clip((level - _BRIGHT[0]) / (_BRIGHT[1] - _BRIGHT[0]), 0, 1)
        self._bright = 1 - float(highlights) * bright**2 * (3 - 2 * bright)
        self._skin = 1 - float(skin) * level / 255 if skin else None
        chroma = 128 + (level - 128) * (224 / 255)  # BT.601's from OpenCV's full range
        self._cb, self._cr = (
            np.interp(chroma, edges, [0, 255, 255, 0]).astype(np.uint8)
            for edges in (_CB, _CR)
        )

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return a mask float32 [H, W, 1] in [0, 1] for `compose.blend`.

        Args:
            frame: Of the film, uint8 or uint16 RGB [H, W, 3].
        """
        frame = in_8_bits(frame)
        share = cv2.LUT(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), self._bright)
        if self._skin is not None:
            skin = cv2.LUT(self._like_skin(frame), self._skin)
            share = cv2.multiply(share, skin, dst=share)
        return share[..., None]

    def _like_skin(self, frame):
        """uint8 [H, W]; found in a small picture, without the noise of chroma."""
        height, width = frame.shape[:2]
        size = even_size(height, width, working_scale(height, width))
        small = cv2.resize(frame, size[::-1])
        _, cr, cb = cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb))
        like = cv2.multiply(cv2.LUT(cr, self._cr), cv2.LUT(cb, self._cb), scale=1 / 255)
        return cv2.resize(cv2.GaussianBlur(like, (0, 0), 1.5), (width, height))


class Grain:
    """Fine film grain, of luma alone: the same for the same seed and second.

    One field of noise is made; each frame takes another part of it.

    Args:
        amount: 0 to 1, which is a standard deviation of 10 gray values.
        seed: Which grain.
    """

    def __init__(self, amount: float, seed: int = 0) -> None:
        self._amount, self._seed = amount, seed
        self._field = np.zeros((0, 0), np.uint8)  # 128 is none

    def __call__(
        self, picture: np.ndarray | EnlargedPicture, timestamp: Fraction | float
    ) -> np.ndarray | EnlargedPicture:
        """Lay grain over RGB [H, W, 3], uint8 or uint16, or an EnlargedPicture.

        Args:
            picture: It stays as it is.
            timestamp: Second at which it is shown.
        """
        noise = self._noise(*picture.shape[:2], timestamp)
        if isinstance(picture, EnlargedPicture):
            gain = 219 / 255  # of luma in limited range
            detail = cv2.addWeighted(picture.detail, 1, noise, gain, -128 * gain)
            return EnlargedPicture(picture.picture, detail)
        noise = cv2.cvtColor(noise, cv2.COLOR_GRAY2RGB)
        unit = 1
        if picture.dtype == np.uint16:
            noise, unit = noise.astype(np.uint16), 257
        return cv2.addWeighted(picture, 1, noise, unit, -128 * unit)

    def _noise(self, height, width, timestamp):
        sides = height + _PLACES, width + _PLACES
        if self._field.shape != sides:
            noise = np.random.default_rng(self._seed).standard_normal(
                sides, dtype=np.float32
            )
            noise = cv2.GaussianBlur(noise, (0, 0), max(0.5, min(height, width) / 1440))
            gain = self._amount * _GRAIN / noise.std()
            noise = np.rint(np.clip(128 + gain * noise, 0, 255))
            self._field = noise.astype(np.uint8)
        moment = abs(round(float(timestamp) * 10_000))
        random = np.random.default_rng((self._seed, moment))
        y, x = random.integers(_PLACES, size=2)
        return self._field[y : y + height, x : x + width]


def less_past(state: typing.Any, share: float) -> typing.Any:
    """Return a state of which a network's filter takes a share of the past.

    A `MotionAdaptiveFilter` weighs the past by how much the brightness has changed: it
    is told of a change that there was not. Where nothing moves, the models that ship
    take 0.88 of the past by themselves, 0.45 at a share of 0.5, 0.02 at 0. Of a
    `RecursiveFilter`, the weights are the share of what they were.

    Args:
        state: Of the frames before, as the engine gave it; it stays as it is.
        share: 0 to 1, where all is as the network has it.

    Raises:
        InputError: The network has no such filter.
    """
    if share == 1:
        return state
    if isinstance(state, list):  # of tiles
        return [less_past(one, share) for one in state]
    if "past_light" in state:
        change = min(_HALF * (1 - share) / share, _NOTHING) if share else _NOTHING
        light = np.asarray(state["past_light"])
        return {**state, "past_light": light + np.float32(change)}
    if "filter_past" in state:
        past = np.array(state["filter_past"])
        past[..., 4::5] *= np.float32(share)  # whether there is one
        return {**state, "filter_past": past}
    raise InputError(
        f"temporal={share:g}: the model has no filter that takes the past; leave it out"
    )
