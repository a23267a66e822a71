import numpy as np

from vgan.losses import reconstruction


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def test_reconstruction_is_the_mean_error():
    target = noise(2, 3, 8, 8, 3)
    result = target.copy()
    assert float(reconstruction.reconstruction_l1(result, target)) == 0
    assert float(reconstruction.reconstruction_l2(result, target)) == 0
    result[:, :, :4] += 0.5  # half of the picture
    l1 = reconstruction.reconstruction_l1(result, target)
    l2 = reconstruction.reconstruction_l2(result, target)
    np.testing.assert_allclose([l1, l2], [0.25, 0.125], rtol=1e-5)


def test_code_loss_is_the_mean_error():
    code = noise(4, 16)
    target = code.copy()
    target[0] -= 2.0
    np.testing.assert_allclose(reconstruction.code_loss(code, target), 0.5, rtol=1e-5)
