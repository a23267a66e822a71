"""A still picture becomes a clip: a window moves over it, so the flow is exact."""

import cv2
import numpy as np

from vgan import InputError
from vgan.datasets import motion

# A window this much smaller than the clip would be mostly blur.
LEAST_SIDE = 0.25


def check_size(name: object, height: int, width: int, size: int) -> None:
    """Refuse a picture that would have to be enlarged beyond recognition.

    Raises:
        InputError: The short side is under a quarter of the clip's size.
    """
    if min(height, width) < LEAST_SIDE * size:
        raise InputError(
            f"{name}: {width}x{height} pixels is too small for clips of {size}; give "
            f"at least {int(np.ceil(LEAST_SIDE * size))} or lower image_size"
        )


def clip_of_still(
    picture: np.ndarray,
    rng: np.random.Generator,
    num_frames: int,
    size: int,
    training: bool,
    name: object = "picture",
    scaled_to: int = 0,
) -> motion.Clip:
    """Let a square window pan, zoom and turn over a picture.

    Args:
        picture: uint8 [h, w, 3].
        rng: A numpy Generator.
        num_frames: T.
        size: Height and width of the clip in pixels.
        training: Whether scale, place and tilt are random; else the window starts
            upright, centered and as large as fits.
        name: What to call the picture in an error.
        scaled_to: Short side in pixels that the picture is scaled to, before a window
            is cut; in training give or take a third. 0: see `training`.

    Returns:
        A motion.Clip. The window never leaves the picture.

    Raises:
        InputError: The picture is too small; see check_size.
    """
    height, width = picture.shape[:2]
    check_size(name, height, width, size)
    moves = motion.path(rng, num_frames, size, motion.Speed(), motion.liveliness(rng))
    part = size / scaled_to if scaled_to else 1.0
    tilt, place = 0.0, np.array([0.5, 0.5])
    if training:
        if scaled_to:
            part = min(1.0, part * rng.uniform(0.75, 4 / 3))
        else:
            short = min(height, width)
            part = rng.uniform(max(0.5, min(1.0, size / short)), 1.0)
        tilt, place = np.radians(rng.uniform(-5, 5)), rng.random(2)
    middle = (size - 1) / 2
    turn = np.array(
        [[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]]
    )
    views = turn @ moves @ motion.shift(-middle, -middle)
    # The whole movement, window included, is scaled and laid inside of the picture.
    corners = np.array(
        [[0, size - 1, 0, size - 1], [0, 0, size - 1, size - 1], [1, 1, 1, 1]]
    )
    reached = (views @ corners)[:, :2]
    low, high = reached.min(axis=(0, 2)), reached.max(axis=(0, 2))
    room = np.array([width - 1, height - 1])
    factor = min(part * min(height, width) / size, *(room / (high - low)))
    zoom = np.sqrt(np.abs(np.linalg.det(views[:, :2, :2]))).max()
    shrink = factor * zoom
    if shrink > 1:
        # Averaging now, so that the windows below never skip pixels.
        shape = np.maximum(np.rint(np.array([width, height]) / shrink), 2).astype(int)
        picture = cv2.resize(picture, tuple(shape), interpolation=cv2.INTER_AREA)
        shrunk = np.array(picture.shape[1::-1]) - 1
        factor = min(factor / shrink, *(shrunk / (high - low)))
        room = shrunk
    corner = place * (room - factor * (high - low)) - factor * low
    views = motion.shift(*corner) @ motion.scale(factor) @ views
    frames = np.stack([motion.look(picture, view, size, size) for view in views])
    flow = np.empty((num_frames - 1, size, size, 2), np.float32)
    for t in range(num_frames - 1):
        matrix = motion.backward(views[t], views[t + 1])
        flow[t] = motion.flow_of(matrix, size, size)
    unseen = [motion.outside(step) for step in flow]
    occlusion = np.array(unseen, np.uint8).reshape(num_frames - 1, size, size, 1)
    return motion.Clip(frames, flow, occlusion)
