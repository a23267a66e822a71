import numpy as np

from vgan.losses import regularizers


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def test_total_variation_of_slopes_and_of_an_edge():
    rows, columns = np.mgrid[:9, :5].astype("float32")
    slopes = (0.03 * rows - 0.02 * columns)[None, None, :, :, None]
    np.testing.assert_allclose(regularizers.total_variation(slopes), 0.05, rtol=1e-4)
    flat = np.full((1, 2, 9, 5, 3), 0.7, "float32")
    assert float(regularizers.total_variation(flat)) == 0
    flickering = flat * np.array([1, -1], "float32")[:, None, None, None]
    assert float(regularizers.total_variation(flickering)) == 0  # in space alone
    edge = flat.copy()
    edge[:, :, :, 2:] = -0.3  # one step of 1 among 4
    np.testing.assert_allclose(regularizers.total_variation(edge), 0.25, rtol=1e-5)


def test_diversity_rewards_results_that_differ():
    a = noise(2, 3, 8, 8, 3)
    same = float(regularizers.diversity_loss(a, a))
    near = float(regularizers.diversity_loss(a, a + 0.1))
    far = float(regularizers.diversity_loss(a, a - 0.4))
    np.testing.assert_allclose([same, near, far], [0, -0.1, -0.4], atol=1e-6)
