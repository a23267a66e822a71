"""The distance that all figures of features are made of."""

import numpy as np


def relative_distance(a: np.ndarray, b: np.ndarray) -> float:
    """||a - b|| / (||a|| + ||b||), Euclidean over all elements; lower is nearer.

    Has no unit and lies in [0, 1]: 0 for equal arrays, 1 for opposite ones or where
    one is 0; |1 - s| / (1 + s) for b = s a, s >= 0. Two arrays of zeros are equal.

    Args:
        a: Array of any shape.
        b: Array of the same shape.

    Raises:
        ValueError: The shapes differ.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {list(a.shape)} and {list(b.shape)}")
    whole = np.linalg.norm(a) + np.linalg.norm(b)
    return 0.0 if whole == 0 else float(np.linalg.norm(a - b) / whole)
