"""Every loss, and its gradient, is the same on TensorFlow and on JAX.

Run as a program, this file prints what the backend of KERAS_BACKEND computes.
"""

import importlib.util
import inspect
import json
import os
import pkgutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

import vgan.losses
from vgan.losses import adversarial, distillation, perceptual, reconstruction, temporal

TOO_SHORT = "too_short"  # ends the names of losses of a single frame


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def losses():
    """{name: (function of one array, that array)}."""
    real, fake = 3 * noise(2, 3, 4, 4, 1), 3 * noise(2, 3, 4, 4, 1, seed=1)
    found = {}
    for name, kind in adversarial.Adversarial.kinds.items():
        loss = kind()
        g_real = real if loss.relative else None
        found |= {
            f"{name}_d_real": (lambda x, f=loss: f.discriminator(x, fake), real),
            f"{name}_d_fake": (lambda x, f=loss: f.discriminator(real, x), fake),
            f"{name}_g": (lambda x, f=loss, r=g_real: f.generator(r, x), fake),
        }
    found["advantage"] = (lambda x: adversarial.advantage(x, fake), real)
    gradients = 0.1 * noise(2, 3, 4, 4, 3)
    found["zero_centered"] = (adversarial.zero_centered_penalty, gradients)
    found["one_centered"] = (adversarial.one_centered_penalty, gradients)
    found["one_centered_at_0"] = (adversarial.one_centered_penalty, 0 * gradients)
    for length, suffix in ((4, ""), (1, f"_{TOO_SHORT}")):
        found |= {name + suffix: loss for name, loss in of_clips(length).items()}
    a, b = noise(2, 3, 8, 8, 3), noise(2, 3, 8, 8, 3, seed=1)
    found["l1"] = (lambda x: reconstruction.reconstruction_l1(x, b), a)
    found["l2"] = (lambda x: reconstruction.reconstruction_l2(x, b), a)
    found["code"] = (lambda x: reconstruction.code_loss(x, b[0, 0, 0]), a[0, 0, 0])
    found["pyramid"] = (lambda x: distillation.pyramid_loss(x, b), a)
    found["content"] = (lambda x: perceptual.content_loss([x], [b]), a)
    found["style"] = (lambda x: perceptual.style_loss([x], [b]), a)
    found["texture"] = (lambda x: perceptual.texture_loss([x], [b], tile=4), a)
    found["layout"] = (lambda x: perceptual.layout_loss(x, b, patch=2), a)
    found["edges"] = (lambda x: perceptual.edge_loss(x, b), a)
    return found


def of_clips(length):
    frames = noise(2, length, 8, 12, 3)
    flow = 2 * noise(2, length - 1, 8, 12, 2, seed=2)
    hidden = (noise(2, length - 1, 8, 12, 1, seed=3) > 0.7).astype("float32")
    return {
        "warp": (lambda x: temporal.warp_loss(x, flow, hidden), frames),
        "long_range": (lambda x: temporal.long_range_loss(x, flow, hidden), frames),
    }


def value_and_gradient(function, x):
    x = ops.convert_to_tensor(x)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(jax.value_and_grad(function))(x)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return value, tape.gradient(value, x)


def compute():
    """{name: [value, gradient along a fixed random direction, norm of gradient]}."""
    found = {}
    for name, (function, x) in losses().items():
        value, gradient = value_and_gradient(function, x)
        assert tuple(value.shape) == (), name
        gradient = np.asarray(gradient, "float64")
        along = np.sum(gradient * noise(*x.shape, seed=9))
        found[name] = [float(value), float(along), float(np.linalg.norm(gradient))]
    return found


@pytest.fixture(scope="module")
def here():
    return compute()


def test_values_and_gradients_are_finite(here):
    bad = [name for name, numbers in here.items() if not np.all(np.isfinite(numbers))]
    assert not bad


def test_single_frames_cost_nothing(here):
    short = {name: x for name, x in here.items() if name.endswith(TOO_SHORT)}
    assert len(short) == 2
    assert all(numbers == [0, 0, 0] for numbers in short.values())


def test_all_else_has_a_gradient(here):
    still = [name for name, numbers in here.items() if numbers[2] == 0]
    assert all(name.endswith((TOO_SHORT, "at_0")) for name in still), still


@pytest.mark.parametrize("name", sorted(losses()))
def test_gradient_is_the_slope_of_the_value(name, here):
    """Along a random direction; where losses have kinks, differences are averages."""
    function, x = losses()[name]
    direction, step = noise(*x.shape, seed=9), 1e-3
    ends = [float(function(x + sign * step * direction)) for sign in (1, -1)]
    derivative = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(here[name][1], derivative, rtol=0.02, atol=2e-3)


@pytest.mark.slow
def test_both_backends_agree(here):
    other = "tensorflow" if keras.backend.backend() == "jax" else "jax"
    if importlib.util.find_spec(other) is None:
        pytest.skip(f"{other} is not installed")
    output = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "KERAS_BACKEND": other, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    backend, there = json.loads(output.splitlines()[-1])
    assert backend == other
    assert there.keys() == here.keys()
    for name, numbers in here.items():
        np.testing.assert_allclose(there[name], numbers, 1e-4, 1e-5, err_msg=name)


def test_every_loss_is_compared():
    """A loss that is added to `vgan.losses`, in whatever file, is added here."""
    source = inspect.getsource(losses) + inspect.getsource(of_clips)
    for found in pkgutil.iter_modules(vgan.losses.__path__):
        module = importlib.import_module(f"vgan.losses.{found.name}")
        for name, member in vars(module).items():
            if inspect.isfunction(member) and name.endswith(("_loss", "_penalty")):
                assert name in source, name


if __name__ == "__main__":
    print(json.dumps([keras.backend.backend(), compute()]))
