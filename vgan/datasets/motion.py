"""Smooth movements, and the optical flow that follows from them exactly.

A view is a [3, 3] matrix that takes a pixel (x, y, 1) of a frame to a point of what
the frame shows. Flow is backward: frame t + 1 at pixel p shows what frame t showed
at p + flow[t](p).
"""

import dataclasses
import typing

import cv2
import numpy as np

from vgan.datasets.textures import grid

STILL_PART = 0.2  # of the clips are almost still
STILL, LIVELY = (0.0, 0.06), (0.3, 1.0)  # how much of the speed a clip takes


class Clip(typing.NamedTuple):
    """Frames and what is known of how they move.

    Attributes:
        frames: uint8 [T, H, W, 3].
        flow: float32 [T-1, H, W, 2], backward, (x, y) in pixels.
        occlusion: uint8 [T-1, H, W, 1], 1 where the flow does not hold.
    """

    frames: np.ndarray
    flow: np.ndarray
    occlusion: np.ndarray

    def mirrored(self) -> typing.Self:
        """The clip flipped left to right; the flow's x changes its sign too."""
        flow = self.flow[:, :, ::-1] * np.array([-1, 1], np.float32)
        return Clip(self.frames[:, :, ::-1], flow, self.occlusion[:, :, ::-1])


@dataclasses.dataclass(frozen=True)
class Speed:
    """Upper bounds per frame.

    Attributes:
        shift: Of the frame's short side.
        turn: Degrees.
        zoom: Ratio.
        shear: Ratio.
    """

    shift: float = 0.035
    turn: float = 1.5
    zoom: float = 0.015
    shear: float = 0.0


def liveliness(rng: np.random.Generator) -> float:
    """How much of the speed a clip takes: one clip in five is almost still."""
    return rng.uniform(*(STILL if rng.random() < STILL_PART else LIVELY))


def path(
    rng: np.random.Generator,
    num_frames: int,
    side: int,
    speed: Speed,
    amount: float = 1.0,
) -> np.ndarray:
    """A movement that starts at rest position and never strays far.

    Every component is a slow sine: in a short clip that is a nearly constant
    velocity, in a long one the movement comes back.

    Args:
        rng: A numpy Generator.
        num_frames: T.
        side: Short side of the frame in pixels.
        speed: A Speed.
        amount: Factor on all speeds.

    Returns:
        float64 [T, 3, 3], movements about the origin.
    """
    shift = speed.shift * side
    limits = amount * np.array(
        [shift, shift, np.radians(speed.turn), speed.zoom, speed.shear]
    )
    period = rng.uniform(24, 72, 5)
    phase = rng.uniform(0, 2 * np.pi, 5)
    time = np.arange(num_frames)[:, None]
    # Any component may be absent: pure pans and pure zooms are common in film.
    swing = limits * period / (2 * np.pi) * (rng.random(5) < 0.7)
    x, y, turn, zoom, shear = (
        swing * (np.sin(2 * np.pi * time / period + phase) - np.sin(phase))
    ).T
    cos, sin, zoom = np.cos(turn), np.sin(turn), np.exp(zoom)
    zero, one = np.zeros(num_frames), np.ones(num_frames)
    rows = [
        [zoom * cos, zoom * (shear * cos - sin), x],
        [zoom * sin, zoom * (shear * sin + cos), y],
        [zero, zero, one],
    ]
    return np.array(rows).transpose(2, 0, 1)


def shift(x: float, y: float) -> np.ndarray:
    """The [3, 3] matrix that moves by (x, y)."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def scale(factor: float) -> np.ndarray:
    """The [3, 3] matrix that enlarges by a factor about the origin."""
    return np.diag([factor, factor, 1.0])


def look(picture: np.ndarray, view: np.ndarray, height: int, width: int) -> np.ndarray:
    """Render the frame that a view shows; beyond its border a picture is mirrored.

    Args:
        picture: uint8 or float32 [h, w, C].
        view: [3, 3], frame pixel to picture pixel, about as large as life: to look
            from further away, shrink the picture first.
        height: H.
        width: W.

    Returns:
        [H, W, C] of the picture's type.
    """
    return cv2.warpAffine(
        picture,
        view[:2],
        (width, height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )


def backward(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The [3, 3] matrix M with flow(p) = M p, between two views of one thing."""
    return np.linalg.inv(before) @ after - np.eye(3)


def flow_of(matrix: np.ndarray, height: int, width: int) -> np.ndarray:
    """The flow float32 [H, W, 2] of one `backward` matrix, (x, y) in pixels."""
    x, y = grid(height, width)
    (a, b, c), (d, e, f) = matrix[:2].astype(np.float32)
    return np.stack([a * x + b * y + c, d * x + e * y + f], axis=-1)


def outside(flow: np.ndarray) -> np.ndarray:
    """Where a flow [H, W, 2] points out of the frame: bool [H, W]."""
    height, width = flow.shape[:2]
    x, y = grid(height, width)
    x, y = flow[..., 0] + x, flow[..., 1] + y
    slack = 1e-3  # rounding of a flow that should be zero
    return (
        (x < -slack) | (x > width - 1 + slack) | (y < -slack) | (y > height - 1 + slack)
    )
