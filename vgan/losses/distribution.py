"""Distances between sets of codes."""

from keras import KerasTensor, ops


def energy_distance(x: KerasTensor, y: KerasTensor) -> KerasTensor:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| (Székely and Rizzo, 2013).

    Zero where both sets come from one distribution; unbiased, so that small batches
    average to the truth and can be below zero. It teaches the mapping network to turn
    noise into codes that are distributed as the codes of real styles are.

    Args:
        x: [N, D], N > 1.
        y: [M, D], M > 1.
    """
    return 2.0 * ops.mean(_distances(x, y)) - _within(x) - _within(y)


def _distances(x, y):
    square = ops.sum(ops.square(x[:, None, :] - y[None, :, :]), axis=-1)
    return ops.sqrt(square + 1e-8)


def _within(x):
    count = ops.cast(ops.shape(x)[0], "float32")
    return ops.sum(_distances(x, x)) / (count * (count - 1.0))
