"""Choosing few of many, so that they cover all."""

import numpy as np
import pytest

from tools.youtube8m import selection


def _clusters(seed, dimensions=64):
    """500 points around 20 centers, most of them in a few clusters."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(20, 0.3))
    kinds = np.concatenate([np.arange(20), rng.choice(20, 480, p=shares)])
    centers = rng.normal(size=(20, dimensions)) * 5
    noise = rng.normal(size=(500, dimensions)) * 0.3
    return (centers[kinds] + noise).astype(np.float32), kinds


def _radius(points, chosen):
    apart = np.linalg.norm(points[:, None] - points[chosen][None], axis=-1)
    return apart.min(axis=1).max()


@pytest.mark.parametrize("seed", range(3))
def test_k_center_covers_clusters_that_random_choice_misses(seed):
    points, kinds = _clusters(seed)
    chosen, radius = selection.k_center(points, 20)
    assert sorted(kinds[chosen]) == list(range(20))
    assert radius == pytest.approx(_radius(points, chosen), rel=1e-2)
    rng = np.random.default_rng(seed)
    drawn = [_radius(points, rng.choice(500, 20, replace=False)) for _ in range(20)]
    assert radius < min(drawn) / 3


def test_k_center_is_within_twice_the_least_radius():
    points = np.random.default_rng(0).normal(size=(14, 2)).astype(np.float32)
    least = min(
        _radius(points, [a, b, c])
        for a in range(14)
        for b in range(a)
        for c in range(b)
    )
    assert least <= selection.k_center(points, 3).radius * 1.001 <= 2.002 * least


def test_k_center_takes_one_point_of_an_owner():
    points = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    owners = np.arange(30) // 3
    chosen = selection.k_center(points, 10, owners=owners).chosen
    assert sorted(owners[chosen]) == list(range(10))
    with pytest.raises(ValueError, match="cannot choose 11 of 10"):
        selection.k_center(points, 11, owners=owners)


def test_k_center_chooses_points_that_are_all_alike():
    chosen, radius = selection.k_center(np.ones((5, 3), np.float32), 5)
    assert sorted(chosen) == [0, 1, 2, 3, 4]
    assert radius == 0


def test_a_sample_is_fair_and_knows_no_order():
    counts = np.zeros(50)
    for seed in range(400):
        one, other = selection.Sample(10), selection.Sample(10)
        for k in range(50):
            one.add(selection.rank(seed, k), k)
            other.add(selection.rank(seed, 49 - k), 49 - k)
        assert one.items() == other.items()
        assert one.full
        counts[[item for _, item in one.items()]] += 1
    assert counts.sum() == 4000
    assert np.abs(counts - 80).max() < 5 * 8  # standard deviation: 8
