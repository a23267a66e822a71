import numpy as np
import pytest

from vgan.losses import adversarial

SURE = 8.0  # a logit at which sigmoid is 1 to a part in 3000
KINDS = adversarial.Adversarial.kinds
EACH = pytest.mark.parametrize("name", sorted(KINDS))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def logits(value):
    return np.full((2, 3, 4, 4, 1), value, "float32")


def derivative(function, at, step=1e-2):
    """Central difference of a function of one number."""
    return (float(function(at + step)) - float(function(at - step))) / (2 * step)


def g_loss(name, real, fake):
    loss = KINDS[name]()
    return loss.generator(real if loss.relative else None, fake)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        (
            "minimax",
            lambda r, f: -np.log(sigmoid(r)).mean() - np.log(1 - sigmoid(f)).mean(),
            lambda r, f: np.log(1 - sigmoid(f)).mean(),
        ),
        (
            "non_saturating",
            lambda r, f: -np.log(sigmoid(r)).mean() - np.log(1 - sigmoid(f)).mean(),
            lambda r, f: -np.log(sigmoid(f)).mean(),
        ),
        (
            "pair",
            lambda r, f: -(np.log(sigmoid(r)) + np.log(1 - sigmoid(f))).mean(),
            lambda r, f: -np.log(sigmoid(f)).mean(),
        ),
        (
            "relativistic",
            lambda r, f: -np.log(sigmoid(r - f)).mean(),
            lambda r, f: -np.log(sigmoid(f - r)).mean(),
        ),
        (
            "least_squares",
            lambda r, f: ((r - 1) ** 2 + f**2).mean() / 2,
            lambda r, f: ((f - 1) ** 2).mean() / 2,
        ),
        (
            "hinge",
            lambda r, f: (np.maximum(0, 1 - r) + np.maximum(0, 1 + f)).mean(),
            lambda r, f: -f.mean(),
        ),
        (
            "wasserstein",
            lambda r, f: f.mean() - r.mean(),
            lambda r, f: -f.mean(),
        ),
    ],
)
def test_known_values(name, discriminator, generator):
    real, fake = noise(2, 3, 4, 4, 1), noise(2, 3, 4, 4, 1, seed=1)
    value = KINDS[name]().discriminator(real, fake)
    np.testing.assert_allclose(value, discriminator(real, fake), rtol=1e-5, atol=1e-6)
    value = g_loss(name, real, fake)
    np.testing.assert_allclose(value, generator(real, fake), rtol=1e-5, atol=1e-6)


def test_known_values_are_of_all():
    tested = {
        parameters[0]
        for mark in test_known_values.pytestmark
        for parameters in mark.args[1]
    }
    assert tested == set(KINDS)


@EACH
def test_discriminator_gains_by_telling_apart(name):
    loss = KINDS[name]().discriminator
    assert derivative(lambda x: loss(logits(x), logits(0.3)), 0.2) < -0.1
    assert derivative(lambda x: loss(logits(0.3), logits(x)), 0.2) > 0.1


@EACH
def test_generator_gains_by_fooling(name):
    assert derivative(lambda x: g_loss(name, logits(0.3), logits(x)), -0.2) < -0.1


@EACH
def test_toy_pair_pulls_in_the_right_direction(name):
    """D is linear, G a shift of noise: D should turn to the data, and G move there."""
    data = 2.0 + 0.1 * noise(16, 2, 3, 3, 1)
    noises = 0.1 * noise(16, 2, 3, 3, 1, seed=1)

    def d_loss(weight):
        real, fake = weight * data, weight * (noises + 0.5)
        return KINDS[name]().discriminator(real, fake)

    def of_shift(shift):
        return g_loss(name, 0.3 * data, 0.3 * (noises + shift))

    assert derivative(d_loss, 0.0) < -0.1
    assert float(d_loss(0.2)) < float(d_loss(0.0)) < float(d_loss(-0.2))
    assert derivative(of_shift, 0.5) < -0.05
    assert float(of_shift(2.0)) < float(of_shift(0.5)) < float(of_shift(-1.0))


@EACH
def test_one_discriminator_step_and_one_generator_step(name):
    """Each side's own step of gradient descent lowers its own loss."""
    data, noises = 1.5 + noise(64, 1, 2, 2, 1), noise(64, 1, 2, 2, 1, seed=1)
    weight, shift, rate = 0.1, 0.0, 0.05

    def d_loss(weight):
        return KINDS[name]().discriminator(weight * data, weight * (noises + shift))

    learned = weight - rate * derivative(d_loss, weight)
    assert float(d_loss(learned)) < float(d_loss(weight))
    assert learned > weight

    def of_shift(shift):
        return g_loss(name, learned * data, learned * (noises + shift))

    moved = shift - rate * derivative(of_shift, shift)
    assert float(of_shift(moved)) < float(of_shift(shift))
    assert moved > shift


def test_minimax_saturates_and_the_others_do_not():
    def pull(name):
        return derivative(lambda x: g_loss(name, logits(SURE), logits(x)), -SURE)

    assert -1e-3 < pull("minimax") < 0
    for name in set(KINDS) - {"minimax"}:
        assert pull(name) < -0.9, name


def test_pair_is_at_rest_where_nothing_is_told_apart():
    loss = adversarial.Pair()
    assert loss.pair
    rest = logits(0.0)  # D = 0.5
    np.testing.assert_allclose(loss.discriminator(rest, rest), 2 * np.log(2), 1e-6)
    np.testing.assert_allclose(loss.generator(None, rest), np.log(2), 1e-6)
    # Where both pairs look alike, D has one answer for both, and its best is 0.5.
    assert (
        abs(derivative(lambda x: loss.discriminator(logits(x), logits(x)), 0.0)) < 1e-4
    )
    for other in (-1.0, 0.5):
        assert loss.discriminator(logits(other), logits(other)) > 2 * np.log(2) + 0.01


def test_relativistic_compares_and_does_not_center():
    loss = adversarial.Relativistic()
    real, fake = noise(2, 3, 4, 4, 1), noise(2, 3, 4, 4, 1, seed=1)
    for side in (loss.discriminator, loss.generator):
        np.testing.assert_allclose(side(real + 5, fake + 5), side(real, fake), 1e-5)
    # Style clips may be shorter than content clips: then whole clips are compared.
    shorter = real[:, :2]
    difference = fake.mean((1, 2, 3, 4)) - shorter.mean((1, 2, 3, 4))
    np.testing.assert_allclose(
        loss.discriminator(shorter, fake), np.log1p(np.exp(difference)).mean(), 1e-5
    )


def test_penalties_of_a_linear_critic():
    # D(x) = sum of w x: the gradient is w at every clip.
    weights = noise(3, 4, 4, 3)
    norm = np.sqrt(np.sum(weights**2))
    for scale in (0.0, 0.5 / norm, 1.0 / norm, 3.0 / norm):
        gradients = np.stack([scale * weights] * 2)
        np.testing.assert_allclose(
            adversarial.zero_centered_penalty(gradients),
            0.5 * (scale * norm) ** 2,
            rtol=1e-5,
        )
        np.testing.assert_allclose(
            adversarial.one_centered_penalty(gradients),
            (scale * norm - 1) ** 2,
            rtol=1e-5,
            atol=1e-5,
        )


def test_penalties_are_of_each_clip():
    gradients = np.zeros((2, 1, 1, 1, 3), "float32")
    gradients[0, ..., 0] = 2.0  # its norm is 2; the other clip's is 0
    assert float(adversarial.zero_centered_penalty(gradients)) == 1.0
    np.testing.assert_allclose(adversarial.one_centered_penalty(gradients), 1.0, 1e-5)


def test_advantage():
    real, fake = noise(2, 3, 4, 4, 1), noise(2, 3, 4, 4, 1, seed=1)
    expected = 2 * sigmoid(real - fake).mean() - 1
    np.testing.assert_allclose(adversarial.advantage(real, fake), expected, atol=1e-6)
    shifted = adversarial.advantage(real - 7, fake - 7)
    np.testing.assert_allclose(shifted, expected, atol=1e-5)
    assert float(adversarial.advantage(real, real)) == 0
    assert float(adversarial.advantage(logits(SURE), logits(-SURE))) > 0.999
    assert float(adversarial.advantage(logits(-SURE), logits(SURE))) < -0.999
    # Clips of different lengths are compared as wholes.
    means = real[:, :2].mean((1, 2, 3, 4)) - fake.mean((1, 2, 3, 4))
    np.testing.assert_allclose(
        adversarial.advantage(real[:, :2], fake), np.tanh(means / 2).mean(), atol=1e-6
    )
