"""Rendered clips: textured shapes that move over a textured background.

Every layer is a picture with its own view per frame, so optical flow and occlusion
follow from geometry and are exact. No two seeds give the same scene.
"""

import dataclasses
import functools
from collections.abc import Sequence

import cv2
import numpy as np

from vgan.datasets import motion, props, textures
from vgan.datasets.paintings import STYLES, painting

__all__ = ["STYLES", "painting", "scene"]

CAMERA = motion.Speed(shift=0.02, turn=0.6, zoom=0.008)
OBJECT = motion.Speed(shift=0.03, turn=3.0, zoom=0.02, shear=0.01)
MIXED = 255  # label of a pixel that shows more than one layer


@dataclasses.dataclass(frozen=True)
class Layer:
    """A picture that moves.

    Attributes:
        picture: float32 [h, w, 3] in [0, 1], or [h, w, 4] where the last channel is
            the distance in pixels to the shape's edge, positive inside.
        views: [T, 3, 3], frame pixel to picture pixel.
    """

    picture: np.ndarray
    views: np.ndarray

    @functools.cached_property
    def inverses(self) -> np.ndarray:
        """[T, 3, 3], picture pixel to frame pixel."""
        return np.linalg.inv(self.views)


def scene(
    seed: int | Sequence[int], num_frames: int, height: int, width: int
) -> motion.Clip:
    """Render a clip of a scene with its exact optical flow.

    Args:
        seed: Non-negative int, or ints; the same seed gives the same clip.
        num_frames: T, at least 1. Long clips keep moving and never leave the scene.
        height: H.
        width: W.

    Returns:
        A motion.Clip: frames uint8 [T, H, W, 3]; flow float32 [T-1, H, W, 2],
        backward, (x, y) in pixels: frames[t + 1] at p shows what frames[t] showed at
        p + flow[t](p); occlusion uint8 [T-1, H, W, 1]: 1 where frames[t] did not
        show it, where it lies outside of frames[t], and along the edges of shapes.
    """
    rng = np.random.default_rng(seed)
    side = min(height, width)
    amount = motion.liveliness(rng)
    camera = motion.path(rng, num_frames, side, CAMERA, amount)
    light = rng.uniform(-0.9, 0.9) - np.pi / 2  # from above, left or right
    layers = [_background(rng, camera, height, width)]
    sizes = np.sort(rng.uniform(0.1, 0.26, rng.integers(2, 6)))
    for size in sizes:
        layers.append(_shape(rng, camera, size * side, amount, light, height, width))
    frames, labels, mixed = _render(layers, num_frames, height, width)
    flow, occlusion = _flow(layers, labels, mixed)
    return motion.Clip(_develop(rng, frames), flow, occlusion)


def _background(rng, camera, height, width):
    # A margin all around for the camera; beyond it the world is mirrored.
    rows, columns = int(height * 1.5), int(width * 1.5)
    draw = props.landscape if rng.random() < 0.6 else props.room
    side = min(height, width)
    picture = draw(rng, rows, columns, side)
    # No surface of the world is as smooth as a drawn one.
    grain = textures.noise(
        rng, rows, columns, rng.uniform(0.04, 0.12) * side, octaves=4
    )
    picture = textures.shade(picture, 1 + grain * rng.uniform(0.04, 0.14)).clip(0, 1)
    rest = motion.shift((columns - width) / 2, (rows - height) / 2)
    return Layer(picture, rest @ _about_center(camera, height, width))


def _shape(rng, camera, radius, amount, light, height, width):
    middle = int(radius * 1.6) + 2
    picture = props.cut_out(rng, radius, middle, light)
    place = motion.shift(
        rng.uniform(0.05, 0.95) * width, rng.uniform(0.2, 0.95) * height
    )
    side = min(height, width)
    moves = motion.path(rng, len(camera), side, OBJECT, amount)
    # What it does in the world, then what the camera does.
    world = np.linalg.inv(_about_center(camera, height, width)) @ place @ moves
    return Layer(picture, motion.shift(middle, middle) @ np.linalg.inv(world))


def _about_center(moves, height, width):
    x, y = (width - 1) / 2, (height - 1) / 2
    return motion.shift(x, y) @ moves @ motion.shift(-x, -y)


def _render(layers, num_frames, height, width):
    """Lay the layers over each other.

    Returns:
        frames float32 [T, H, W, 3] in [0, 1], labels uint8 [T, H, W] of the top
        layer, and mixed, bool [T, H, W], where an edge blends two layers.
    """
    frames = np.empty((num_frames, height, width, 3), np.float32)
    labels = np.zeros((num_frames, height, width), np.uint8)
    mixed = np.zeros((num_frames, height, width), bool)
    for t in range(num_frames):
        frames[t] = motion.look(layers[0].picture, layers[0].views[t], height, width)
        for label, layer in enumerate(layers[1:], start=1):
            box, view = _visible(layer, t, height, width)
            if box is None:
                continue
            rows, columns = frames[(t, *box)].shape[:2]
            drawn = cv2.warpAffine(
                layer.picture,
                view[:2],
                (columns, rows),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=(0, 0, 0, -9),
            )
            alpha = (drawn[..., 3] + 0.5).clip(0, 1)
            color = np.ascontiguousarray(drawn[..., :3])
            frames[(t, *box)] = textures.mix(frames[(t, *box)], color, alpha)
            labels[(t, *box)][alpha > 0.5] = label
            edge = mixed[(t, *box)]
            edge[alpha == 1] = False
            edge[(alpha > 0) & (alpha < 1)] = True
    return frames, labels, mixed


def _visible(layer, t, height, width):
    """The part of frame t, as two slices, that a layer can reach, and its view."""
    rows, columns = layer.picture.shape[:2]
    corners = np.array([[0, columns, 0, columns], [0, 0, rows, rows], [1, 1, 1, 1]])
    x, y, _ = layer.inverses[t] @ corners
    left, right = max(int(x.min()), 0), min(int(x.max()) + 1, width)
    top, bottom = max(int(y.min()), 0), min(int(y.max()) + 1, height)
    if left >= right or top >= bottom:
        return None, None
    view = layer.views[t] @ motion.shift(left, top)
    return (slice(top, bottom), slice(left, right)), view


def _flow(layers, labels, mixed):
    """Exact backward flow, and where it does not hold."""
    steps = len(labels) - 1
    height, width = labels.shape[1:]
    flow = np.empty((steps, height, width, 2), np.float32)
    occlusion = np.empty((steps, height, width, 1), np.uint8)
    x, y = textures.grid(height, width)
    for t in range(steps):
        # Each pixel moves as the layer that it shows.
        table = np.float32([layer.inverses[t] @ layer.views[t + 1] for layer in layers])
        table = (table - np.eye(3, dtype=np.float32))[:, :2].reshape(-1, 6).T
        a, b, c, d, e, f = np.take(table, labels[t + 1], axis=1)
        flow[t] = np.stack([a * x + b * y + c, d * x + e * y + f], axis=-1)
        # The four pixels that interpolation reads must all show the same layer.
        pure = np.where(mixed[t], np.uint8(MIXED), labels[t])
        pure = np.pad(pure, ((0, 1), (0, 1)), mode="edge")
        quad = np.stack([pure[:-1, :-1], pure[1:, :-1], pure[:-1, 1:], pure[1:, 1:]])
        same = np.where((quad == quad[0]).all(axis=0), quad[0], np.uint8(MIXED))
        column = np.floor(flow[t, ..., 0] + x + 1e-3).astype(int).clip(0, width - 1)
        row = np.floor(flow[t, ..., 1] + y + 1e-3).astype(int).clip(0, height - 1)
        lost = mixed[t + 1] | (same[row, column] != labels[t + 1])
        occlusion[t, ..., 0] = lost | motion.outside(flow[t])
    return flow, occlusion


def _develop(rng, frames):
    """Exposure, contrast and white balance of the whole clip, to uint8."""
    gain = rng.uniform(0.85, 1.05) * rng.uniform(0.95, 1.03, 3)
    gamma = rng.uniform(0.85, 1.25)
    tone = np.linspace(0, 1, 1024)[:, None] ** gamma * gain + rng.uniform(0, 0.04)
    tone = np.rint(tone.clip(0, 1) * 255).astype(np.uint8)
    index = (frames * 1023).clip(0, 1023).astype(np.uint16)
    return np.stack([tone[index[..., c], c] for c in range(3)], axis=-1)
