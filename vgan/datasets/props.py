"""What scenes are made of: landscapes, rooms, and things to put into them."""

import numpy as np

from vgan.datasets import textures
from vgan.datasets.palettes import oklch


def landscape(
    rng: np.random.Generator, rows: int, columns: int, side: float
) -> np.ndarray:
    """Draw a sky with clouds, hills that fade with distance, and ground.

    Args:
        rng: A numpy Generator.
        rows: H.
        columns: W.
        side: Short side of the frames that will show it, in pixels: sets the scale.

    Returns:
        float32 [H, W, 3] in [0, 1].
    """
    x, y = textures.grid(rows, columns)
    sky_hue = rng.choice([235, 250, 220, 60, 25, 300])
    top = oklch(rng.uniform(0.4, 0.75), rng.uniform(0.06, 0.13), sky_hue)
    bottom = oklch(rng.uniform(0.82, 0.95), 0.06, sky_hue + rng.uniform(-60, 40))
    horizon = rows * rng.uniform(0.4, 0.62)
    picture = textures.mix(top, bottom, (y / horizon).clip(0, 1) + 0 * x)
    clouds = textures.noise(rng, rows, columns, side * 0.4, 4)
    cloudy = textures.step(clouds - rng.uniform(0, 1.2), 1.2) * rng.uniform(0.4, 1.0)
    picture = textures.mix(picture, np.float32([1, 0.98, 0.96]), cloudy)
    hue = rng.choice([125, 140, 110, 85, 65, 150])
    grain = textures.noise(rng, rows, columns, side * 0.12, 4)
    for near in np.linspace(0.25, 1.0, rng.integers(2, 5)):
        last = near == 1.0
        roll = textures.noise(rng, 1, columns, side * rng.uniform(0.3, 0.8), 3)
        level = horizon + side * (0.28 * near - 0.12)
        line = level + roll[0] * side * (0.02 if last else 0.07)
        color = oklch(
            0.72 - 0.25 * near + rng.uniform(-0.05, 0.1),
            0.03 + 0.08 * near,
            (1 - near) * sky_hue * 0.3 + hue * (0.7 + 0.3 * near),
        )
        low = max(int(line.min()) - 1, 0)
        light = 1 + 0.13 * near * np.roll(grain[low:], int(near * columns), axis=1)
        if last:
            light = light * (1.05 - 0.35 * ((y[low:] - level) / (rows - level)))
        land = textures.shade(color, light)
        below = textures.step(y[low:] - line, 1.5)
        picture[low:] = textures.mix(picture[low:], land, below)
    return picture.clip(0, 1)


def room(rng: np.random.Generator, rows: int, columns: int, side: float) -> np.ndarray:
    """Draw a patterned wall in soft light, often with a floor; as `landscape`."""
    x, y = textures.grid(rows, columns)
    hue, lightness = rng.uniform(0, 360), rng.uniform(0.5, 0.85)
    tone = rng.uniform(0.02, 0.09)
    colors = oklch(lightness + np.array([0, 0.1, -0.12]), tone, hue + np.r_[0, 15, 40])
    picture = textures.surface(rng, rows, columns, colors, side * rng.uniform(0.1, 0.3))
    if rng.random() < 0.6:
        level = rows * rng.uniform(0.6, 0.72)
        wood = oklch(np.array([0.55, 0.45, 0.65]), 0.07, rng.choice([60, 75, 40, 250]))
        floor = textures.surface(rng, rows, columns, wood, side * rng.uniform(0.1, 0.2))
        picture = textures.mix(picture, floor, textures.step(y - level + 0 * x, 1.5))
        board = np.abs(y - level + side * 0.02) < side * 0.02
        picture[board[:, 0]] = oklch(0.9, 0.02, hue)
    glow_x, glow_y = rng.uniform(0.2, 0.8) * columns, rng.uniform(0, 0.5) * rows
    far = np.hypot(x - glow_x, y - glow_y) / np.hypot(rows, columns)
    return textures.shade(picture, 1.15 - 0.6 * far).clip(0, 1)


def cut_out(
    rng: np.random.Generator, radius: float, middle: int, light: float
) -> np.ndarray:
    """Draw a textured shape: a ball, ellipse, polygon, box, star or blob.

    Args:
        rng: A numpy Generator.
        radius: In pixels; corners reach further.
        middle: m, the row and column of the shape's center.
        light: Direction that light comes from, in radians; y points down.

    Returns:
        float32 [2 m + 1, 2 m + 1, 4]: color in [0, 1], and the distance in pixels
        to the edge, positive inside.
    """
    size = 2 * middle + 1
    x, y = textures.grid(size, size)
    turn = rng.uniform(0, 2 * np.pi)
    stretch = rng.uniform(0.7, 1.0)
    u = (x - middle) * np.cos(turn) + (y - middle) * np.sin(turn)
    v = ((y - middle) * np.cos(turn) - (x - middle) * np.sin(turn)) / stretch
    far, angle = np.hypot(u, v).astype(np.float32), np.arctan2(v, u)
    kind = rng.choice(["ball", "ellipse", "polygon", "box", "star", "blob"])
    if kind == "ball":
        far = np.hypot(x - middle, y - middle)
        edge = radius
    elif kind == "ellipse":
        edge = radius * 1.1
    elif kind == "polygon":
        wedge = 2 * np.pi / rng.integers(3, 8)
        edge = radius * 1.15 * np.cos(wedge / 2) / np.cos(angle % wedge - wedge / 2)
    elif kind == "box":
        far = ((np.abs(u) ** 6 + np.abs(v) ** 6) ** (1 / 6)).astype(np.float32)
        edge = radius
    elif kind == "star":
        wedge = 2 * np.pi / rng.integers(4, 8)
        edge = radius * (0.75 + 1.1 * np.abs((angle / wedge) % 1 - 0.5))
    else:
        bumps = sum(
            np.cos(k * angle + rng.uniform(0, 6.3)) * rng.uniform(0, 0.35 / k)
            for k in (2, 3, 4, 5)
        )
        edge = radius * (1 + bumps)
    inside = edge - far
    hue = rng.uniform(0, 360)
    colors = oklch(
        rng.uniform(0.5, 0.8) + np.array([0, rng.choice([-0.22, 0.2]), 0.08]),
        rng.uniform(0.06, 0.2),
        hue + np.array([0, rng.choice([20, 60, 150, 200]), 40]),
    )
    paint = textures.surface(rng, size, size, colors, radius * rng.uniform(0.35, 0.8))
    lit = (x - middle) * np.cos(light) + (y - middle) * np.sin(light)
    if kind in ("ball", "ellipse", "blob"):
        bulge = np.sqrt((1 - (far / edge) ** 2).clip(0, 1))
        paint = textures.shade(paint, 0.5 + 0.35 * bulge + 0.35 * lit / radius)
        shine = ((lit / radius * 0.6 + bulge * 0.8 - 0.86) / 0.14).clip(0, 1) ** 2
        paint = textures.mix(paint, np.ones(3), 0.35 * shine)
    else:
        bevel = (inside / (0.12 * radius)).clip(0, 1)
        paint = textures.shade(paint, 0.72 + 0.28 * bevel + 0.18 * lit / radius)
    distance = inside[..., None] * min(1.0, stretch)
    return np.concatenate([paint.clip(0, 1), distance], axis=-1, dtype=np.float32)
