"""How far apart two sets of features lie, and who wins.

Features are rows of any network or statistic: Inception's make them FID and KID.
"""

import numpy as np


def frechet_distance(
    mean_a: np.ndarray, cov_a: np.ndarray, mean_b: np.ndarray, cov_b: np.ndarray
) -> float:
    """Squared Frechet distance of two Gaussians; lower is closer, 0 is equal.

    |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a^1/2 C_b C_a^1/2)^1/2), from 0 without a
    bound, in squared units of the features (Dowson and Landau, 1982; Heusel et al.,
    2017, who call it FID on Inception features).

    Args:
        mean_a: [D].
        cov_a: Symmetric, [D, D], of any rank.
        mean_b: [D].
        cov_b: [D, D].

    Raises:
        ValueError: Shapes do not fit, or something is not finite.
    """
    gaussians = []
    for mean, cov in ((mean_a, cov_a), (mean_b, cov_b)):
        mean, cov = (np.asarray(array, np.float64) for array in (mean, cov))
        if mean.ndim != 1 or cov.shape != 2 * mean.shape:
            raise ValueError(
                "expected a mean [D] and a covariance [D, D], "
                f"got {list(mean.shape)} and {list(cov.shape)}"
            )
        _check_finite(mean, cov)
        values, vectors = np.linalg.eigh(cov)
        # Rounding leaves zeros slightly negative.
        root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
        gaussians.append((mean, root))
    return _frechet(*gaussians[0], *gaussians[1])


def frechet_distance_of(x: np.ndarray, y: np.ndarray) -> float:
    """`frechet_distance` of the Gaussians with the mean and covariance of two sets.

    Biased upwards while a set has few more rows than columns: compare only values
    from equally large sets.

    Args:
        x: [N, D], N at least 2; the covariance divides by N - 1.
        y: [M, D].

    Raises:
        ValueError: Shapes do not fit, or something is not finite.
    """
    x, y = _check_sets(x, y)
    gaussians = []
    for rows in (x, y):
        mean = rows.mean(axis=0)
        # R with R'R = X'X is as good as the covariance, and as small as it can be.
        root = np.linalg.qr(rows - mean, mode="r") / np.sqrt(len(rows) - 1)
        gaussians.append((mean, root))
    return _frechet(*gaussians[0], *gaussians[1])


def _frechet(mean_a, root_a, mean_b, root_b):
    """From roots [K, D] with root' root = covariance.

    The trace of (C_a^1/2 C_b C_a^1/2)^1/2 is the sum of the singular values of
    root_a root_b': no square root of an eigenvalue that is rounding alone.
    """
    if mean_a.shape != mean_b.shape:
        raise ValueError(f"features differ in size: {len(mean_a)} and {len(mean_b)}")
    overlap = np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum()
    trace = np.sum(root_a**2) + np.sum(root_b**2) - 2 * overlap
    return float(max(np.sum((mean_a - mean_b) ** 2) + trace, 0))


def kernel_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Squared maximum mean discrepancy of two sets; lower is closer.

    Unbiased estimate with the kernel (x.y / D + 1)^3 (Binkowski et al., 2018, who call
    it KID on Inception features): 0 on average for sets of one distribution whatever
    their size, so single values may be negative. No upper bound.

    Args:
        x: [N, D], N at least 2.
        y: [M, D].

    Raises:
        ValueError: Shapes do not fit, or something is not finite.
    """
    x, y = _check_sets(x, y)

    def kernel(products):
        return (products / x.shape[1] + 1) ** 3

    def total(a, b):
        # By blocks: all pairs of many rows do not fit into memory.
        blocks = np.array_split(a, len(a) // 1000 + 1)
        return sum(kernel(block @ b.T).sum() for block in blocks)

    def mean_of_others(rows):
        same = kernel(np.sum(rows**2, axis=1)).sum()
        return (total(rows, rows) - same) / (len(rows) * (len(rows) - 1))

    crossed = total(x, y) / (len(x) * len(y))
    return float(mean_of_others(x) + mean_of_others(y) - 2 * crossed)


def adversarial_balance(
    real_logits: np.ndarray, fake_logits: np.ndarray
) -> dict[str, float]:
    """How well a discriminator tells real from fake; the middle is the healthy place.

    Accuracies are shares of logits on the right side of 0, real above and fake below
    (0 itself counts half), in [0, 1]: 0.5 is guessing, 1 always right.
    The advantage is mean sigmoid(real) - mean sigmoid(fake), in [-1, 1]: 0 says that it
    cannot tell, 1 that it always can and teaches nothing any more (Goodfellow et al.,
    2014, with D = sigmoid(logit)).

    Args:
        real_logits: Array of any shape.
        fake_logits: Array of any shape.

    Returns:
        {"d_accuracy_real", "d_accuracy_fake", "d_accuracy" (their mean),
        "d_advantage"}.

    Raises:
        ValueError: One is empty or not finite.
    """
    real, fake = (np.asarray(a, np.float64) for a in (real_logits, fake_logits))
    if not real.size or not fake.size:
        raise ValueError("no logits to compare")
    _check_finite(real, fake)
    on_real = float(np.mean(np.heaviside(real, 0.5)))
    on_fake = float(np.mean(np.heaviside(-fake, 0.5)))
    # sigmoid(x) = (1 + tanh(x / 2)) / 2, which does not overflow.
    advantage = 0.5 * (np.mean(np.tanh(real / 2)) - np.mean(np.tanh(fake / 2)))
    return {
        "d_accuracy_real": on_real,
        "d_accuracy_fake": on_fake,
        "d_accuracy": (on_real + on_fake) / 2,
        "d_advantage": float(advantage),
    }


def _check_sets(x, y):
    x, y = (np.asarray(a, np.float64) for a in (x, y))
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(
            "expected features [N, D] and [M, D], "
            f"got {list(x.shape)} and {list(y.shape)}"
        )
    if min(len(x), len(y)) < 2:
        raise ValueError(f"expected at least two rows, got {len(x)} and {len(y)}")
    _check_finite(x, y)
    return x, y


def _check_finite(*arrays):
    if not all(np.all(np.isfinite(array)) for array in arrays):
        raise ValueError("there is a value that is not finite")
