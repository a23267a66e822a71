"""The colors of a picture, and results that take them.

Colors are compared before the last tanh, where none can leave the gamut: what is said
here is of 2 atanh(R, G, B), turned so that the first axis is gray. A palette is their
mean [3], the Cholesky factor L of their covariance [6: rows of the lower triangle], and
how far they go along the other two axes [2 lowest, 2 highest].

Colors of covariance C = K K' that are mapped by L inverse(K) have the palette's
covariance. Both factors are triangular and gray comes first, so light stays in its
order, and dark, middle and light parts take the colors that they have in the picture.
Hues that the picture has not are brought to the nearest that it has: a red textile has
no cyan. (Colors by mean and spread: Reinhard et al., 2001; by covariance: Pitie and
Kokaram, "The Linear Monge-Kantorovitch Linear Colour Mapping", 2007, who compare it
with the triangular map.)
"""

import numpy as np
from keras import KerasTensor, ops

from vgan.models.layers import running_average

SIZE = 13  # numbers of a palette
DEFAULT = (  # of codes that come from noise
    *(0.0, 0.0, 0.0),
    *(1.5, 0.0, 0.4, 0.0, 0.0, 0.3),
    *(-1.2, -0.9, 1.2, 0.9),
)
MOMENTUM = 0.9  # weight of the past in the running statistics
EPSILON = 1e-2  # added to variances, which are of 1 to 1000: black frames stay calm
# Share of the palette's own covariance in the result's, before it is mapped: a gray
# result is colored no more than five times as strongly as it was.
RIDGE = 1 / 25
FAR = 3.0  # the end of a range: where three standard deviations are for a Gaussian
BLACK = 0.03  # of 2: colors nearer to black or white than this count as this near

# Rows: gray, blue to yellow, and green to magenta; orthonormal.
AXES = np.float32([[1, 1, 1], [1, 1, -2], [1, -1, 0]])
AXES /= np.linalg.norm(AXES, axis=1, keepdims=True)
LOWER = ((0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2))
ON_DIAGONAL = np.float32([row == column for row, column in LOWER])


def palette(picture: KerasTensor) -> KerasTensor:
    """Picture or clip [B, T', h, w, 3] in [-1, 1] -> its palette [B, 13]."""
    shape = ops.shape(picture)
    colors = ops.reshape(picture, (shape[0], -1, 3))
    colors = ops.clip(colors, BLACK - 1.0, 1.0 - BLACK)
    colors = ops.log((1.0 + colors) / (1.0 - colors))
    mean, covariance = _moments(colors)
    factor = _cholesky(covariance + 1e-3 * ON_DIAGONAL)
    along = ops.matmul(colors, AXES[1:].T)
    ends = [_end(along, sign * FAR) for sign in (-1, 1)]
    return ops.concatenate([mean, *factor, *ends], axis=-1)


def _end(along, tilt):
    """Means [B, 2] weighted by exp(tilt z), z in standard deviations of each axis.

    Of a Gaussian that is `tilt` standard deviations from its mean; of colors that end
    sooner on that side it is less. (Exponential tilting: Esscher, 1932.)
    """
    spread = ops.std(along, axis=1, keepdims=True)
    weight = tilt * along / (spread + 1e-3)
    weight = ops.exp(weight - ops.max(weight, axis=1, keepdims=True))
    return ops.sum(weight * along, axis=1) / ops.sum(weight, axis=1)


def recolor(
    patches: KerasTensor,
    code: KerasTensor,
    state: dict[str, KerasTensor],
    ages: list[KerasTensor],
) -> tuple[KerasTensor, dict[str, KerasTensor]]:
    """Give a result the colors of a palette, by running statistics.

    Args:
        patches: [B T, h, w, 12], 2 x 2 pixels of R, G and B of any scale.
        code: The palette [B, 13].
        state: With "color_mean" [B, 3] and "color_covariance" [B, 6].
        ages: How many frames there are with each, T of [B, 1].

    Returns:
        What tanh(x / 2) makes the result of, in the shape of `patches`, and the new
        state.
    """
    num_frames, shape = len(ages), ops.shape(patches)
    rows = ops.reshape(patches, (shape[0], -1, 12))
    mean, covariance = _moments(rows)
    mean, last_mean = running_average(mean, state["color_mean"], ages, MOMENTUM)
    covariance, last = running_average(
        covariance, state["color_covariance"], ages, MOMENTUM
    )
    if num_frames > 1:
        code = ops.repeat(code, num_frames, 0)
    wanted = _columns(code[:, 3:9])
    # Of any scale: the ridge is measured by the result's own light.
    light = (covariance[:, :1] + EPSILON) / (ops.square(wanted[0]) + EPSILON)
    ridge = RIDGE * light * ops.concatenate(_squared(wanted), axis=-1)
    factor = _cholesky(covariance + EPSILON * ON_DIAGONAL + ridge)
    gain = (1.0 + RIDGE) ** 0.5
    matrix = _product(wanted, [gain * x for x in _inverse(factor)])
    zero = ops.zeros_like(matrix[0])
    a, b, c, d, e, f = matrix
    matrix = ops.concatenate([a, zero, zero, b, c, zero, d, e, f], axis=-1)
    # Rows of R, G and B -> along AXES: x AXES' M'.
    matrix = ops.transpose(ops.reshape(matrix, (-1, 3, 3)), (0, 2, 1))
    shift = code[:, None, :3] - ops.matmul(mean[:, None], matrix)
    matrix = ops.matmul(AXES.T, matrix)
    # Four pixels at once: products with few columns are slow.
    each = np.float32(np.kron(np.eye(4), np.ones((3, 3))))
    rows = ops.matmul(rows, ops.tile(matrix, (1, 4, 4)) * each)
    rows = rows + ops.tile(shift, (1, 1, 4))
    for clip, start, unbounded in ((ops.maximum, 9, -99.0), (ops.minimum, 11, 99.0)):
        end = ops.pad(
            code[:, None, start : start + 2],
            ((0, 0), (0, 0), (1, 0)),
            constant_values=unbounded,
        )
        rows = clip(rows, ops.tile(end, (1, 1, 4)))
    rows = ops.matmul(rows, np.tile(AXES, (4, 4)) * each)
    return ops.reshape(rows, shape), {
        "color_mean": last_mean,
        "color_covariance": last,
    }


def initial_state(batch_size: int) -> dict[str, KerasTensor]:
    """State before the first frame, as `recolor` takes it."""
    return {
        "color_mean": ops.zeros((batch_size, 3)),
        "color_covariance": ops.zeros((batch_size, 6)),
    }


def _moments(rows):
    """Mean [N, 3] and covariance [N, 6] along AXES, of [N, rows, colors of pixels]."""
    # Products of many short rows are slow: the pixels of a row stay together.
    pixels = rows.shape[-1] // 3
    mean = ops.reshape(ops.mean(rows, axis=1), (-1, pixels, 3))
    mean = ops.mean(mean, axis=1, keepdims=True)
    # Of deviations: as a difference of products it would be noise in flat frames.
    away = rows - ops.tile(mean, (1, 1, pixels))
    products = ops.matmul(ops.transpose(away, (0, 2, 1)), away)
    own = [slice(3 * i, 3 * i + 3) for i in range(pixels)]
    square = sum(products[:, each, each] for each in own)
    square = square / ops.cast(pixels * ops.shape(rows)[1], "float32")
    square = ops.matmul(ops.matmul(AXES, square), AXES.T)
    lower = [square[:, row, column : column + 1] for row, column in LOWER]
    return ops.matmul(mean[:, 0], AXES.T), ops.concatenate(lower, axis=-1)


def _columns(lower):
    """[N, 6] -> six [N, 1]."""
    return [lower[:, i : i + 1] for i in range(6)]


def _cholesky(covariance):
    """Six [N, 1] of covariance [N, 6]; written out, since no export knows the op."""
    yy, cy, cc, ty, tc, tt = _columns(covariance)
    a = ops.sqrt(yy)
    b, d = cy / a, ty / a
    c = ops.sqrt(ops.maximum(cc - b * b, 1e-6))
    e = (tc - b * d) / c
    f = ops.sqrt(ops.maximum(tt - d * d - e * e, 1e-6))
    return [a, b, c, d, e, f]


def _inverse(lower):
    a, b, c, d, e, f = lower
    return [
        1 / a,
        -b / (a * c),
        1 / c,
        (b * e - c * d) / (a * c * f),
        -e / (c * f),
        1 / f,
    ]


def _product(left, right):
    a, b, c, d, e, f = left
    u, v, w, x, y, z = right
    return [a * u, b * u + c * v, c * w, d * u + e * v + f * x, e * w + f * y, f * z]


def _squared(lower):
    """L L', six [N, 1]."""
    a, b, c, d, e, f = lower
    return [
        *(a * a, a * b, b * b + c * c),
        *(a * d, b * d + c * e, d * d + e * e + f * f),
    ]
