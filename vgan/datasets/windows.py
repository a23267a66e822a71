"""Clips out of pictures that lie on the accelerator, made there, in Keras operations.

    pictures ─► window that pans, zooms and turns ─┐
    pictures ─► another, cut out by a soft mask ───┴─► content, flow, occlusion
    styles ───► window at the size of the strokes ───► style

What `stills` does one clip at a time on the host, for a whole batch at once: a view
takes a pixel of a frame to a point of its picture, so flow follows exactly. All that is
random comes in as numbers (`draws`), the same on every backend.
"""

import math
import typing

import numpy as np
from keras import KerasTensor, ops

from vgan.datasets.motion import LIVELY, STILL, STILL_PART, Speed
from vgan.datasets.palettes import YIQ
from vgan.datasets.spec import ClipSpec
from vgan.datasets.views import View, similar

DRAWS = 96  # uniform numbers that a clip takes, and a few to spare
OCCLUDED = 0.5  # part of the clips in which something passes in front
BLOBS = 3  # waves that a mask is made of
COVER = 0.5  # their sum where the mask begins: a third of the frame
SURE = 0.02  # a mask that is this near to 0 or 1 shows one layer only
TILT = math.radians(5)
GRAINS = 4  # pixels of the coarsest noise


class Pictures(typing.NamedTuple):
    """Pictures on one canvas each.

    Attributes:
        pixels: float32 [N, H, W], R * 65536 + G * 256 + B, which it holds exactly: one
            number is gathered for a pixel, and every backend gathers floats.
        sizes: float32 [N, 2], height and width of the picture as one sees it.
        turned: bool [N], whether rows and columns are swapped on the canvas.
        odds: float32 [N], running sum of how often each is drawn, up to 1.
    """

    pixels: typing.Any
    sizes: typing.Any
    turned: typing.Any
    odds: typing.Any


class Stored(typing.NamedTuple):
    """What lies on the accelerator.

    Attributes:
        content: Pictures.
        style: Pictures.
        grain: float32 [G, G, 3], standard normal, which noise is cut out of.
    """

    content: Pictures
    style: Pictures
    grain: typing.Any


class Window(typing.NamedTuple):
    """A window's way over a picture.

    Attributes:
        index: Which picture, int [B].
        view: From a frame's pixels to the picture as one sees it.
        rest: From there to where the window lies at rest, in parts of its side.
    """

    index: typing.Any
    view: View
    rest: View


def make_batch(
    draws: dict[str, KerasTensor],
    stored: Stored,
    spec: ClipSpec,
    batch_size: int,
    unroll: int = 1,
) -> dict[str, KerasTensor]:
    """Make a batch of clips.

    A clip goes on for `unroll` steps; so does its window, from each to the next.

    Args:
        draws: What `vgan.datasets.device.draws` gives, a dict:
            clip: [B, DRAWS], uniform, all that is random in a clip.
            age: int32 [B], steps since it began.
            frames: [B, T, 2], uniform, of this step: where noise is cut out.
            noise: [B, NOISE], standard normal, handed on.
        stored: A Stored.
        spec: A ClipSpec; its sizes, `style_hues`, `flip` and `noise` count.
        batch_size: B.
        unroll: As `draws` was given.

    Returns:
        What `vgan.datasets.clips` gives, "age", and "clean", the content
        without noise.
    """
    size, length = spec.image_size, spec.clip_length
    draws = {  # of shapes that are known, which `fit` on TensorFlow forgets
        name: ops.reshape(x, (batch_size, *x.shape[1:])) for name, x in draws.items()
    }
    uniform = _columns(draws["clip"])
    whole, start = length * unroll, draws["age"] * length
    back, front = (
        _window(uniform, stored.content, size, whole, spec, 0) for _ in range(2)
    )
    views = back.view.frames(start, length), front.view.frames(start, length)
    mask = _mask(uniform, front.rest.frames(start, length), size)
    x, y = _grid(size)
    frames = [
        _sample(stored.content, window.index, view, size)
        for window, view in zip((back, front), views, strict=True)
    ]
    covered = mask(slice(None), x, y)[..., None]
    content = frames[0] + covered * (frames[1] - frames[0])
    flow, occlusion = _motion(*views, mask, size)
    clean = content
    if spec.noise:
        content += _noise(uniform, stored.grain, draws["frames"], size, spec.noise)
    style = _window(uniform, stored.style, size, spec.style_length, spec, 1)
    painted = _sample(stored.style, style.index, style.view, size)
    return {
        "content": ops.clip(content, -1.0, 1.0),
        "clean": clean,
        "style": _recolored(uniform, painted, spec.style_hues),
        "flow": flow,
        "occlusion": occlusion,
        "noise": draws["noise"],
        "age": draws["age"],
    }


def _columns(numbers):
    """Function that gives [B] from low to high, the next column at each call."""
    columns = iter(range(numbers.shape[1]))

    def uniform(low=0.0, high=1.0):
        return low + (high - low) * numbers[:, next(columns)]

    return uniform


def _grid(size):
    """Coordinates of pixels: x [1, 1, 1, size] and y [1, 1, size, 1]."""
    pixels = ops.arange(size, dtype="float32")
    return pixels[None, None, None], pixels[None, None, :, None]


def _path(uniform, num_frames, size):
    """What `motion.path` draws: slow sines from a place of rest, [B, T]."""
    speed, time = Speed(), ops.arange(num_frames, dtype="float32")[None]
    still = uniform() < STILL_PART
    amount = ops.where(still, uniform(*STILL), uniform(*LIVELY))

    def swing(limit):
        period, phase = uniform(24, 72)[:, None], uniform(0, 2 * math.pi)[:, None]
        moves = ops.cast(uniform() < 0.7, "float32") * amount * limit
        wave = ops.sin(2 * math.pi * time / period + phase) - ops.sin(phase)
        return moves[:, None] * period / (2 * math.pi) * wave

    shift = speed.shift * size
    x, y, turn = swing(shift), swing(shift), swing(math.radians(speed.turn))
    return similar(ops.exp(swing(speed.zoom)), turn, x, y)


def _window(uniform, pictures, size, num_frames, spec, styles):
    """Draw a picture, and a window that never leaves it; see `stills.clip_of_still`."""
    index = ops.searchsorted(pictures.odds, uniform(), side="right")
    index = ops.minimum(ops.cast(index, "int32"), pictures.odds.shape[0] - 1)
    room = ops.take(pictures.sizes, index, axis=0)
    short = ops.min(room, axis=1)
    chance, scaled_to = uniform(), spec.style_size if styles else 0
    if scaled_to:
        part = ops.minimum(size / scaled_to * (0.75 + (4 / 3 - 0.75) * chance), 1.0)
    else:
        least = ops.clip(size / short, 0.5, 1.0)
        part = least + (1.0 - least) * chance
    moves = _path(uniform, num_frames, size)
    zero = 0 * moves.a
    tilt = similar(zero + 1.0, uniform(-TILT, TILT)[:, None] + zero)
    middle = (size - 1) / 2
    mirror = uniform() < (0.5 if spec.flip else 0.0)
    side = ops.where(mirror, -1.0, 1.0)[:, None] + zero
    centered = View(side, zero, -middle * side, zero, zero + 1.0, zero - middle)
    rest = tilt.after(moves).after(centered)

    ends = ops.convert_to_tensor([0.0, size - 1.0], dtype="float32")
    reached = rest(ends[None, None, None], ends[None, None, :, None])
    low, high = (
        ops.stack([limit(v, axis=(1, 2, 3)) for v in reached], axis=1)
        for limit in (ops.min, ops.max)
    )
    room = room[:, ::-1] - 1.0  # of x, and of y
    factor = ops.minimum(part * short / size, ops.min(room / (high - low), axis=1))
    factor = factor[:, None]
    place = ops.stack([uniform(), uniform()], axis=1)
    corner = place * (room - factor * (high - low)) - factor * low
    laid = similar(factor + zero, zero, corner[:, :1], corner[:, 1:])
    return Window(index, laid.after(rest), similar(1 / size + zero, zero).after(rest))


def _mask(uniform, rest, size):
    """Function (frames, x, y) -> [B, T, ...], 1 where a clip's front layer shows.

    Where a sum of a few waves is high, in the layer's own place: it moves with it.
    """
    present = ops.cast(uniform() < OCCLUDED, "float32")
    waves = [
        (2 * math.pi * uniform(0.4, 1.2), uniform(0, math.pi), uniform(0, 2 * math.pi))
        for _ in range(BLOBS)
    ]

    def mask(frames, x, y):
        u, v = View(*(number[:, frames] for number in rest))(x, y)
        total = 0.0
        for wave in waves:
            often, way, phase = (number[:, None, None, None] for number in wave)
            total += ops.sin(often * (ops.cos(way) * u + ops.sin(way) * v) + phase)
        edge = ops.sigmoid(size / 2.5 * (total - COVER))  # about two pixels wide
        return present[:, None, None, None] * edge

    return mask


def _motion(back, front, mask, size):
    """Flow [B, T-1, S, S, 2] and occlusion [B, T-1, S, S, 1] of the two layers."""
    x, y = _grid(size)
    before, after = slice(None, -1), slice(1, None)

    def earlier(view):
        first, second = (View(*(v[:, part] for v in view)) for part in (before, after))
        return first.inverse().after(second)(x, y)

    now = mask(after, x, y)
    shown = now > 0.5
    from_x, from_y = (
        ops.where(shown, f, b)
        for f, b in zip(earlier(front), earlier(back), strict=True)
    )
    then = mask(before, from_x, from_y)
    wanted = ops.cast(shown, "float32")
    mixed = ops.maximum(ops.abs(now - wanted), ops.abs(then - wanted)) > SURE
    slack, last = 1e-3, size - 1
    outside = (from_x < -slack) | (from_x > last + slack)
    outside = outside | (from_y < -slack) | (from_y > last + slack)
    occlusion = ops.cast(ops.logical_or(mixed, outside), "float32")
    return ops.stack([from_x - x, from_y - y], axis=-1), occlusion[..., None]


def _sample(pictures, index, view, size):
    """Frames [B, T, S, S, 3] in [-1, 1], bilinear; beyond its border it is mirrored."""
    canvas = ops.take(pictures.pixels, index, axis=0)
    turned = ops.take(pictures.turned, index)[:, None, None, None]
    sizes = ops.take(pictures.sizes, index, axis=0)[:, :, None, None, None]
    x, y = view(*_grid(size))
    x, y = _mirrored(x, sizes[:, 1]), _mirrored(y, sizes[:, 0])
    left = ops.clip(ops.floor(x), 0.0, sizes[:, 1] - 2)
    top = ops.clip(ops.floor(y), 0.0, sizes[:, 0] - 2)
    right_part, low_part = (x - left)[..., None], (y - top)[..., None]
    count, height, width = canvas.shape
    # Floats hold such whole numbers exactly, and TensorFlow adds integers on the host.
    kind = "float32" if count * height * width < 2**24 else "int32"
    turned = ops.cast(turned, kind)
    across, down = 1 + turned * (width - 1), width - turned * (width - 1)
    first = ops.arange(count, dtype=kind)[:, None, None, None] * (height * width)
    first += ops.cast(top, kind) * down + ops.cast(left, kind) * across
    flat = ops.reshape(canvas, (-1,))

    def colors(place):
        packed = ops.take(flat, ops.cast(place, "int32"))
        red = ops.floor(packed / 65536)
        green = ops.floor(packed / 256) - 256 * red
        return ops.stack([red, green, packed - 65536 * red - 256 * green], axis=-1)

    upper, lower = (
        a + right_part * (b - a)
        for a, b in (
            (colors(first), colors(first + across)),
            (colors(first + down), colors(first + down + across)),
        )
    )
    return (upper + low_part * (lower - upper)) / 127.5 - 1.0


def _mirrored(x, size):
    """A coordinate that is reflected at 0 and at size - 1."""
    x = ops.mod(ops.abs(x), 2 * size - 2)
    return ops.minimum(x, 2 * size - 2 - x)


def _noise(uniform, grain, places, size, most):
    """What `sources.Noisy` adds, [B, T, S, S, 3]: grain of 1 to 4 pixels."""
    std = uniform(0, most / 127.5)[:, None, None, None, None]
    coarse = ops.floor(uniform(1, GRAINS + 1))[:, None, None]
    side = grain.shape[0]
    pixels = ops.arange(size, dtype="float32")[None, None]
    flat = ops.reshape(grain, (-1, 3))

    def line(place):
        """Of an axis: knots before and after, and how far between them, [B, T, S]."""
        at = (pixels + 0.5) / coarse + 0.5 + ops.floor(place * side)[..., None]
        knot = ops.floor(at)
        return ops.mod(knot, side), ops.mod(knot + 1, side), at - knot

    left, right, across = line(places[..., 0])
    top, low, down = line(places[..., 1])
    across, down = across[:, :, None, :, None], down[:, :, :, None, None]

    def knots(row, column):
        place = row[..., None] * side + column[:, :, None]
        return ops.take(flat, ops.cast(place, "int32"), axis=0)

    upper = knots(top, left) * (1 - across) + knots(top, right) * across
    lower = knots(low, left) * (1 - across) + knots(low, right) * across
    return std * (upper * (1 - down) + lower * down)


def _recolored(uniform, clips, part):
    """Part of the clips in other colors; see `sources.Recolored`."""
    drawn, turn, purity = uniform(), uniform(-math.pi, math.pi), uniform(0.5, 1.5)
    if not part:
        return clips

    def mixed(matrix, channels):
        pairs = (zip(row.tolist(), channels, strict=True) for row in matrix)
        return [sum(weight * channel for weight, channel in row) for row in pairs]

    cos, sin = (
        (purity * part_of(turn))[:, None, None, None] for part_of in (ops.cos, ops.sin)
    )
    luma, i, q = mixed(YIQ, ops.unstack(clips, axis=-1))
    turned = luma, i * cos - q * sin, i * sin + q * cos
    changed = ops.stack(mixed(np.linalg.inv(YIQ), turned), axis=-1)
    changed = ops.clip(changed, -1.0, 1.0)
    return ops.where(drawn[:, None, None, None, None] < part, changed, clips)
