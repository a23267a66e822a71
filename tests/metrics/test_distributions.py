import numpy as np
import pytest

from vgan.metrics.distributions import (
    adversarial_balance,
    frechet_distance,
    frechet_distance_of,
    kernel_distance,
)


def rotation(size, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]


def covariance(size, seed, rank=None):
    rows = np.random.default_rng(seed).normal(size=(rank or 2 * size, size))
    return rows.T @ rows / len(rows)


def test_frechet_of_gaussians_on_a_line():
    # N(1, 2^2) and N(4, 5^2): (4 - 1)^2 + (5 - 2)^2.
    assert frechet_distance([1], [[4]], [4], [[25]]) == pytest.approx(18)


def test_frechet_of_diagonal_gaussians():
    a, b = np.array([1.0, 4.0, 0.0, 9.0]), np.array([4.0, 1.0, 1.0, 9.0])
    mean = np.array([1.0, -1.0, 2.0, 0.0])
    expected = np.sum(mean**2) + np.sum((np.sqrt(a) - np.sqrt(b)) ** 2)
    distance = frechet_distance(mean, np.diag(a), np.zeros(4), np.diag(b))
    assert distance == pytest.approx(expected)


def test_frechet_of_full_covariances_in_the_plane():
    # Of 2 x 2: tr sqrt(M) = sqrt(tr M + 2 sqrt(det M)), with M similar to C_a C_b.
    a, b = np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([[1.0, -0.5], [-0.5, 4.0]])
    product = a @ b
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = 13 + np.trace(a) + np.trace(b) - 2 * root
    assert frechet_distance([2, 3], a, [0, 0], b) == pytest.approx(expected)


def test_frechet_of_full_covariances_by_the_textbook():
    """By eigenvalues of C_a C_b, which the code does not use."""
    a, b = covariance(12, 1), covariance(12, 2)
    mean = np.linspace(-1, 1, 12)
    root = np.sqrt(np.linalg.eigvals(a @ b).real).sum()
    expected = np.sum(mean**2) + np.trace(a) + np.trace(b) - 2 * root
    distance = frechet_distance(mean, a, np.zeros(12), b)
    assert distance == pytest.approx(expected, rel=1e-9)
    assert distance == pytest.approx(frechet_distance(np.zeros(12), b, mean, a))
    turn = rotation(12)
    turned = frechet_distance(
        turn @ mean, turn @ a @ turn.T, np.zeros(12), turn @ b @ turn.T
    )
    assert distance == pytest.approx(turned)


@pytest.mark.parametrize("rank", [1, 3, None])
def test_frechet_of_equals_is_zero(rank):
    cov = 1e3 * covariance(200, 5, rank)
    mean = np.arange(200.0)
    assert frechet_distance(mean, cov, mean, cov) == pytest.approx(0, abs=1e-6)


def test_frechet_of_rank_deficient_covariances():
    # Two needles at right angles share nothing; along each other they do.
    x, y = np.diag([4.0, 0.0, 0.0]), np.diag([0.0, 9.0, 0.0])
    zero, turn = np.zeros(3), rotation(3)
    for a, b, expected in ((x, y, 13), (x, 2.25 * x, 1), (x, 0 * x, 4)):
        a, b = turn @ a @ turn.T, turn @ b @ turn.T
        assert frechet_distance(zero, a, zero, b) == pytest.approx(expected)


@pytest.mark.parametrize("rows", [4, 7, 100])
def test_frechet_of_sets_is_that_of_their_moments(rows):
    """With fewer and with more rows than columns."""
    random = np.random.default_rng(rows)
    x, y = random.normal(size=(rows, 7)), random.normal(1, 2, (rows + 3, 7))
    expected = frechet_distance(x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T))
    assert frechet_distance_of(x, y) == pytest.approx(expected)
    assert expected > 1
    assert frechet_distance_of(x, x[::-1]) == pytest.approx(0, abs=1e-12)
    assert frechet_distance_of(x, x + 3) == pytest.approx(9 * 7)


def test_frechet_refuses():
    good = np.zeros(2), np.eye(2)
    for mean, cov, message in (
        (np.zeros(2), np.eye(3), r"got \[2\] and \[3, 3\]"),
        (np.zeros((2, 2)), np.eye(2), r"got \[2, 2\] and \[2, 2\]"),
        (np.zeros(1), np.eye(1), "differ in size"),
        (np.array([0, np.nan]), np.eye(2), "not finite"),
        (np.zeros(2), np.diag([1, np.inf]), "not finite"),
    ):
        with pytest.raises(ValueError, match=message):
            frechet_distance(*good, mean, cov)
        with pytest.raises(ValueError, match=message):
            frechet_distance(mean, cov, *good)


@pytest.mark.parametrize("distance", [frechet_distance_of, kernel_distance])
def test_sets_refused(distance):
    x = np.random.default_rng(0).normal(size=(5, 3))
    with pytest.raises(ValueError, match=r"\[5, 3\] and \[5, 2\]"):
        distance(x, x[:, :2])
    with pytest.raises(ValueError, match="two rows"):
        distance(x, x[:1])
    with pytest.raises(ValueError, match="not finite"):
        distance(x, x * np.nan)


def test_kernel_distance_by_a_double_loop():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(6, 3)), random.normal(0.5, 2, (5, 3))

    def mean(a, b, same):
        values = [
            (sum(p * q for p, q in zip(u, v, strict=True)) / 3 + 1) ** 3
            for i, u in enumerate(a)
            for j, v in enumerate(b)
            if not (same and i == j)
        ]
        return sum(values) / len(values)

    expected = mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y, False)
    assert kernel_distance(x, y) == pytest.approx(expected)
    assert kernel_distance(y, x) == pytest.approx(expected)
    assert kernel_distance(x @ rotation(3), y @ rotation(3)) == pytest.approx(expected)


def test_kernel_distance_of_more_rows_than_a_block():
    random = np.random.default_rng(3)
    x, y = random.normal(size=(2300, 2)), random.normal(0.5, 1, (1100, 2))

    def kernel(a, b):
        return (a @ b.T / 2 + 1) ** 3

    own = [kernel(a, a)[~np.eye(len(a), dtype=bool)].mean() for a in (x, y)]
    expected = sum(own) - 2 * kernel(x, y).mean()
    assert kernel_distance(x, y) == pytest.approx(expected)


def test_kernel_distance_is_unbiased():
    """Zero on average at any size, where the Frechet distance is not."""
    random = np.random.default_rng(1)
    for rows in 4, 16:
        pairs = random.normal(size=(1000, 2, rows, 3))
        values = np.array([kernel_distance(x, y) for x, y in pairs])
        assert abs(values.mean()) < 4 * values.std() / 1000**0.5
        assert np.mean([frechet_distance_of(x, y) for x, y in pairs[:100]]) > 0.2
    apart = [kernel_distance(x, y + 1) for x, y in pairs]
    assert np.mean(apart) > 10 * values.std() / 1000**0.5


def test_adversarial_balance():
    figures = adversarial_balance(np.full((2, 3), 1e4), np.full((4, 1), -1e4))
    assert set(figures.values()) == {1.0}
    figures = adversarial_balance([3.0, 1.0, -1.0, 2.0], [-1.0, 5.0])
    assert figures["d_accuracy_real"] == 0.75
    assert figures["d_accuracy_fake"] == 0.5
    assert figures["d_accuracy"] == 0.625
    sigmoid = [1 / (1 + np.exp(-x)) for x in (3, 1, -1, 2, -1, 5)]
    expected = np.mean(sigmoid[:4]) - np.mean(sigmoid[4:])
    assert figures["d_advantage"] == pytest.approx(expected)
    blind = adversarial_balance(np.zeros(9), np.zeros(4))
    assert blind["d_accuracy"] == 0.5
    assert blind["d_advantage"] == 0
    fooled = adversarial_balance([-9.0], [9.0])
    assert fooled["d_accuracy"] == 0
    assert fooled["d_advantage"] < -0.99
    for bad, message in (([], "no logits"), ([np.nan], "not finite")):
        with pytest.raises(ValueError, match=message):
            adversarial_balance(bad, [1.0])
