"""R1 and R2 and their gradients against finite differences, on both backends."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.tiny import TINY_GAN
from vgan import config
from vgan.losses import adversarial
from vgan.train.build import build_gan

STEP = 2e-3  # small, as leaky ReLUs have kinks
ROOT = pathlib.Path(__file__).resolve().parents[2]


def clips(seed):
    random = np.random.default_rng(seed)
    return random.uniform(-1, 1, (2, 3, 32, 32, 3)).astype("float32")


@pytest.fixture(scope="module")
def gan():
    keras.utils.set_random_seed(0)  # a kink near by makes finite differences differ
    return build_gan(config.load("smoke", TINY_GAN))


@pytest.mark.parametrize("seed", [0, 1], ids=["r1_on_real", "r2_on_generated"])
def test_penalty_is_the_slope_of_the_discriminator(gan, seed):
    judged = clips(seed)
    if seed:
        judged = np.asarray(gan.stylize(judged, clips(2))[0])
    code = np.asarray(gan.generator.encode_style(clips(3)))
    gradient = np.asarray(gan.compile_function(gan.logit_gradient)(judged, code))

    def score(x):
        return np.mean(np.asarray(gan.discriminator(x, code)), axis=(1, 2, 3, 4))

    norm = np.sqrt(np.sum(gradient**2, axis=(1, 2, 3, 4)))
    along = 1e-2 * gradient / norm[:, None, None, None, None]
    risen = (score(judged + along) - score(judged - along)) / 2e-2
    np.testing.assert_allclose(risen, norm, rtol=0.02)
    penalty = float(adversarial.zero_centered_penalty(gradient))
    np.testing.assert_allclose(penalty, 0.5 * np.mean(risen**2), rtol=0.04)


def test_gradient_of_the_penalty(gan):
    """The second derivative, which is what training needs of it."""
    real, code = clips(0), np.asarray(gan.generator.encode_style(clips(3)))
    variables = gan.discriminator.trainable_variables

    def penalty():
        return adversarial.zero_centered_penalty(gan.logit_gradient(real, code)), {}

    value = gan.compile_function(lambda: penalty()[0])
    gradients = gan.compile_function(lambda: gan.gradients(penalty, variables)[0])()
    gradients = [np.asarray(gradient) for gradient in gradients]
    norm = np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))
    weights = [np.asarray(variable.value) for variable in variables]
    values = []
    for sign in (1, -1):
        for variable, weight, gradient in zip(
            variables, weights, gradients, strict=True
        ):
            variable.assign(weight + sign * STEP * gradient / norm)
        values.append(float(value()))
    for variable, weight in zip(variables, weights, strict=True):
        variable.assign(weight)
    np.testing.assert_allclose((values[0] - values[1]) / (2 * STEP), norm, rtol=0.05)


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the other one")
def test_the_same_on_jax():
    pytest.importorskip("jax", reason="needs the extra jax")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "3 passed, 1 skipped" in done.stdout
