import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from tests.tiny import TINY_PAINTER
from vgan.models import Painter
from vgan.train import noise_field
from vgan.train.teacher import generate


def test_the_field_moves_with_the_flow():
    keras.utils.set_random_seed(0)
    painter = Painter(**TINY_PAINTER)
    state = painter.initial_state(1, 64, 96)
    flow = np.zeros((1, 2, 64, 96, 2), np.float32)
    flow[..., 0] = 4  # the film moves to the left by a cell a frame
    fields = noise_field.moving(painter, state, flow)
    one, two, three = (np.asarray(ops.depth_to_space(f, 2)) for f in fields[0][:, None])
    for moved, shift in ((two, 1), (three, 2)):
        pair = moved[:, :, :-shift].ravel(), one[:, :, shift:].ravel()
        assert np.corrcoef(*pair)[0, 1] > 0.99
    content = np.zeros((1, 3, 64, 96, 3), np.float32)
    code = np.ones((1, painter.code_size), np.float32)
    frames, after = generate(painter, content, code, flow=flow)
    np.testing.assert_allclose(after["noise_field"], fields[:, -1], atol=1e-6)
    still, _ = generate(painter, content, code)
    assert np.abs(np.asarray(frames) - np.asarray(still))[:, 1:].max() > 0.001


@pytest.mark.slow
def test_the_same_on_the_other_backend():
    other = "tensorflow" if keras.backend.backend() == "jax" else "jax"
    if importlib.util.find_spec(other) is None:
        pytest.skip(f"{other} is not installed")
    test = f"{__file__}::{test_the_field_moves_with_the_flow.__name__}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        env={**os.environ, "KERAS_BACKEND": other, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
