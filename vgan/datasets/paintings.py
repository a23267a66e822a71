"""Procedural paintings: style pictures that need no download.

Each style is an old craft reduced to its marks. Where marks are many, every pixel
asks the cells of a jittered grid around it which mark covers it (after Worley, "A
cellular texture basis function", 1996), so that no mark is drawn in a Python loop.
"""

from collections.abc import Sequence

import numpy as np

from vgan.datasets.palettes import palette
from vgan.datasets.textures import grid, mix, noise, shade, step, wave


def painting(name: str, seed: int | Sequence[int], size: int) -> np.ndarray:
    """Paint a picture.

    Args:
        name: One of STYLES.
        seed: Non-negative int, or ints, of palette, composition and marks; the same
            seed at another size gives about the same picture.
        size: Height and width in pixels.

    Returns:
        uint8 [size, size, 3].

    Raises:
        ValueError: There is no such style.
    """
    if name not in PAINTERS:
        raise ValueError(f"no painting style {name!r}; there are {', '.join(STYLES)}")
    rng = np.random.default_rng(seed)
    canvas = PAINTERS[name](rng, palette(rng), size)
    weave = noise(rng, size, size, max(2.0, size / 90), 2) * 0.025
    return np.rint(shade(canvas, 1 + weave).clip(0, 1) * 255).astype(np.uint8)


def mosaic(rng: np.random.Generator, colors: np.ndarray, size: int) -> np.ndarray:
    """Tiles of one color each, with light or dark grout between them."""
    tone = _composition(rng, size)
    cell = size / rng.uniform(13, 22)
    near, second = np.full((2, size, size), np.float32(1e9))
    tile, slope = np.zeros((size, size), int), np.zeros((size, size), np.float32)
    for u, v, index in _neighbors(rng, size, cell, reach=1, jitter=0.8):
        far = np.hypot(u, v)
        closer = far < near
        second = np.where(closer, near, np.minimum(second, far))
        near = np.where(closer, far, near)
        tile = np.where(closer, index, tile)
        slope = np.where(closer, u + v, slope)
    tones = _cells(tone, cell, 1)
    paint = _pick(colors, tones + _jitter(rng, len(tones), 0.12))
    canvas = (paint * (1 + _jitter(rng, len(tones), 0.07))[:, None])[tile]
    canvas = shade(canvas, 1 - 0.2 * slope / cell)
    grout = colors[0] * 0.6 if rng.random() < 0.5 else colors[-1]
    return mix(grout, canvas, step(second - near - 0.16 * cell, 0.05 * cell + 1))


def brush(rng: np.random.Generator, colors: np.ndarray, size: int) -> np.ndarray:
    """Long loaded strokes that follow a flow, over one another."""
    tone = _composition(rng, size)
    angles = noise(rng, size, size, size * 0.6, 2) * 1.2 + rng.uniform(0, np.pi)
    canvas = _pick(colors, tone)
    for fineness in (rng.uniform(12, 15), rng.uniform(19, 26)):
        cell = size / fineness
        radius, turn = 0.42 * cell, _cells(angles, cell, 2)
        cos, sin, order = np.cos(turn), np.sin(turn), rng.permutation(len(turn))
        top, stroke = np.full((2, size, size), -1)
        across = np.zeros((size, size), np.float32)
        for u, v, index in _neighbors(rng, size, cell, reach=2, jitter=1.0):
            side = v * cos[index] - u * sin[index]
            along = np.abs(u * cos[index] + v * sin[index]) - 3 * radius
            covers = along.clip(0) ** 2 + side**2 < radius**2
            over = covers & (order[index] > top)
            top[over], stroke[over] = order[index[over]], index[over]
            across[over] = side[over]
        tones = _cells(tone, cell, 2) + _jitter(rng, len(turn), 0.2)
        paint = _pick(colors, tones[stroke])
        hairs = np.sin(across / cell * 22 + stroke) * 0.07
        ridge = across / radius * 0.12
        paint = shade(paint, 1 + hairs + ridge)
        canvas = np.where((top >= 0)[..., None], paint, canvas)
    return canvas


def hatching(rng: np.random.Generator, colors: np.ndarray, size: int) -> np.ndarray:
    """Ink lines in several directions, denser where it is darker, on toned paper."""
    tone = _composition(rng, size)
    x, y = grid(size, size)
    paper = 0.35 * colors[-1] + 0.65 * np.float32([0.98, 0.95, 0.88])
    wash = _pick(colors[2:], tone)
    canvas = mix(paper, wash, (0.75 - 0.6 * tone).clip(0, 1) * rng.uniform(0.5, 1.0))
    ink, pitch = colors[0] * 0.6, size / rng.uniform(24, 34)
    first = rng.uniform(0, np.pi)
    for layer, turn in enumerate((0, 1.2, 0.6, 2.1)):
        bend = noise(rng, size, size, size * 0.3, 2) * pitch * 0.3
        across = x * np.sin(first + turn) - y * np.cos(first + turn) + bend
        dark = (0.92 - 0.24 * layer) - tone
        width = (0.1 + 0.3 * dark).clip(0, 0.34) * pitch
        away = (wave(across / pitch) + 0.5) * pitch / 2
        line = step(width / 2 - away, 1.2) * step(dark, 0.05)
        canvas = mix(canvas, ink, line)
    return canvas


def dots(rng: np.random.Generator, colors: np.ndarray, size: int) -> np.ndarray:
    """Points of pure color that mix in the eye only."""
    tone = _composition(rng, size)
    canvas = np.broadcast_to(colors[-1] * 0.5 + 0.5, (size, size, 3))
    canvas = mix(canvas, _pick(colors, tone), np.full((size, size), 0.35, np.float32))
    for fineness in (rng.uniform(20, 26), rng.uniform(24, 32)):
        cell = size / fineness
        near = np.full((size, size), np.float32(9))
        dot = np.zeros((size, size), int)
        for u, v, index in _neighbors(rng, size, cell, reach=1, jitter=0.7):
            far = np.hypot(u, v) / cell
            closer = far < near
            near, dot = np.where(closer, far, near), np.where(closer, index, dot)
        tones = _cells(tone, cell, 1)
        paint = _pick(colors, tones + _jitter(rng, len(tones), 0.3))
        radius = rng.uniform(0.34, 0.5, len(tones)).astype(np.float32)
        inside = (radius[dot] - near) * cell
        canvas = mix(canvas, paint[dot], step(inside, 1.2))
    return canvas


def waves(rng: np.random.Generator, colors: np.ndarray, size: int) -> np.ndarray:
    """Bands of color that swirl around a few centers, with dark contours."""
    x, y = grid(size, size)
    u, v = x / size + 0 * y, y / size + 0 * x
    for _ in range(rng.integers(3, 6)):
        center_u, center_v = rng.uniform(0, 1, 2)
        away_u, away_v = u - center_u, v - center_v
        reach = rng.uniform(0.15, 0.35)
        turn = rng.choice([-1, 1]) * rng.uniform(2, 4.5)
        turn = turn * np.exp(-(away_u**2 + away_v**2) / reach**2)
        u, v = (
            center_u + away_u * np.cos(turn) - away_v * np.sin(turn),
            center_v + away_u * np.sin(turn) + away_v * np.cos(turn),
        )
    bend = noise(rng, size, size, size * 0.5, 2) * 0.04
    phase = (v + bend + 0.05 * np.sin(u * rng.uniform(6, 14))) * rng.uniform(9, 14)
    band = np.floor(phase).astype(int)
    height = phase - band
    order = rng.permutation(64) % len(colors)
    canvas = shade(colors[order[band % 64]], 0.8 + 0.35 * height)
    # Distance to the contour in pixels, however much the swirl stretches it.
    steep = np.hypot(*np.gradient(phase)) + 1e-3
    contour = np.minimum(height, 1 - height) / steep
    return mix(colors[0] * 0.5, canvas, step(contour - size / 160, size / 100 + 1))


def cutouts(rng: np.random.Generator, colors: np.ndarray, size: int) -> np.ndarray:
    """Flat paper shapes, leaves and blobs, pasted over colored fields."""
    x, y = grid(size, size)
    canvas = np.empty((size, size, 3), np.float32)
    order = rng.permutation(len(colors))
    cuts = np.sort(rng.uniform(0.2, 0.8, 2)) * size
    fields = (
        (x > cuts[0]).astype(int) + (x > cuts[1]) + (y > rng.uniform(0.3, 0.7) * size)
    )
    canvas[:] = colors[order[fields % len(order)]]
    for _ in range(rng.integers(14, 22)):
        radius = size * rng.uniform(0.06, 0.17)
        at_x, at_y, turn = *rng.uniform(0, size, 2), rng.uniform(0, 2 * np.pi)
        box = tuple(
            slice(max(int(at - 1.5 * radius), 0), int(at + 1.5 * radius) + 2)
            for at in (at_y, at_x)
        )
        away_x, away_y = x[:, box[1]] - at_x, y[box[0]] - at_y
        far, angle = np.hypot(away_x, away_y), np.arctan2(away_y, away_x) + turn
        if rng.random() < 0.6:
            lobes = rng.integers(3, 9)
            edge = 0.72 + rng.uniform(0.15, 0.42) * np.cos(lobes * angle)
        else:
            edge = 0.8 + sum(
                np.cos(k * angle + rng.uniform(0, 6.3)) * 0.4 / k for k in (2, 3, 4)
            ) * rng.uniform(0.3, 0.8)
        inside = radius * edge - far
        color = colors[rng.integers(len(colors))]
        shadow = step(inside + size / 100, size / 40) * 0.25
        canvas[box] = mix(canvas[box], 0.3 * colors[0], shadow)
        canvas[box] = mix(canvas[box], color, step(inside, 1.2))
    return canvas


PAINTERS = {
    "mosaic": mosaic,
    "brush": brush,
    "hatching": hatching,
    "dots": dots,
    "waves": waves,
    "cutouts": cutouts,
}
STYLES = tuple(PAINTERS)


def _composition(rng, size):
    """What is painted: light and dark masses, float32 [size, size] in [0, 1]."""
    x, y = grid(size, size)
    tone = 0.5 + 0.2 * noise(rng, size, size, size * rng.uniform(0.3, 0.6), 2)
    tone = tone + rng.uniform(-0.25, 0.25) * (y / size - 0.5)
    for _ in range(rng.integers(1, 4)):
        at_x, at_y = rng.uniform(0.1, 0.9, 2) * size
        inside = rng.uniform(0.1, 0.28) * size - np.hypot(x - at_x, y - at_y)
        tone = tone + rng.choice([-0.4, 0.4]) * step(inside, size * 0.02)
    return tone.clip(0, 1).astype(np.float32)


def _neighbors(rng, size, cell, reach, jitter):
    """For each cell around each pixel, the way from the cell's point to the pixel.

    Yields:
        u, v: float32 [size, size], in pixels.
        index: int32 [size, size], which cell; `_cells` has a value for each.
    """
    count = _count(size, cell, reach)
    point = (0.5 + rng.uniform(-0.5, 0.5, (2, count * count)) * jitter) * cell
    point = point.astype(np.float32)
    x, y = grid(size, size)
    column, row = (x / cell).astype(np.int32), (y / cell).astype(np.int32)
    x, y = x - column * np.float32(cell), y - row * np.float32(cell)
    for down in range(2 * reach + 1):
        for right in range(2 * reach + 1):
            index = (row + down) * count + column + right
            u = x - np.float32((right - reach) * cell) - point[0][index]
            v = y - np.float32((down - reach) * cell) - point[1][index]
            yield u.astype(np.float32), v.astype(np.float32), index


def _count(size, cell, reach):
    return int((size - 1) / cell) + 1 + 2 * reach


def _cells(picture, cell, reach):
    """The picture's values [cells] at the middles of the cells of `_neighbors`."""
    size = len(picture)
    middle = (np.arange(_count(size, cell, reach)) - reach + 0.5) * cell
    middle = middle.astype(int).clip(0, size - 1)
    return picture[np.ix_(middle, middle)].ravel()


def _jitter(rng, count, amount):
    return rng.normal(0, amount, count).astype(np.float32)


def _pick(colors, tone):
    """The palette's color for each tone in [0, 1], without blending."""
    return colors[(tone * len(colors)).astype(int).clip(0, len(colors) - 1)]
