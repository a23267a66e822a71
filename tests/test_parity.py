"""TensorFlow and JAX: one file, one checkpoint, one training step, the same numbers."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from vgan import config
from vgan.training import checkpoint
from vgan.training.gan import VideoGAN

pytest.importorskip("jax", reason="needs the extra jax")
ROOT = pathlib.Path(__file__).resolve().parents[1]
STEPS = 1

# Trains from a checkpoint on batches that depend on the step alone; prints the losses.
PROGRAM = """
import json, sys
import numpy as np
import tensorflow as tf
from vgan import config
from vgan.training import checkpoint
from vgan.training.gan import VideoGAN

random = np.random.default_rng(0)
clips = random.uniform(-1, 1, (2, 100, 2, 2, 32, 32, 3)).astype("float32")
flow = random.normal(size=(100, 2, 1, 32, 32, 2)).astype("float32")
batches = tf.data.Dataset.from_tensor_slices({
    "content": clips[0], "style": clips[1], "flow": flow, "occlusion": 0 * flow[..., :1]
})
folder, steps = sys.argv[1], int(sys.argv[2])
gan = VideoGAN(config.load("smoke"))
checkpoint.restore(folder, gan)
history = gan.fit(batches, steps_per_epoch=steps, verbose=0).history
checkpoint.save(folder, gan)
gan.ema_generator.save(folder + "/generator.keras")
print(json.dumps({name: values[-1] for name, values in history.items()}))
"""


def run(backend, folder):
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(STEPS)],
        cwd=ROOT,
        env={
            "KERAS_BACKEND": backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            # one step is not worth a minute of XLA's optimisation
            "XLA_FLAGS": "--xla_backend_optimization_level=0",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    with np.load(folder / f"step_{STEPS:08d}.npz", allow_pickle=False) as file:
        weights = {name: file[name] for name in file.files}
    return json.loads(result.stdout.splitlines()[-1]), weights


def test_both_backends_train_alike(tmp_path, in_root):
    gan = VideoGAN(config.load("smoke"))
    trained = {}
    for backend in ("tensorflow", "jax"):
        checkpoint.save(tmp_path / backend, gan)
        trained[backend] = run(backend, tmp_path / backend)
    (logs, weights), (other_logs, other_weights) = trained.values()
    # Codes from noise differ: each backend has random numbers of its own.
    for name in logs.keys() - {"g/mapping", "g/loss"}:
        assert other_logs[name] == pytest.approx(logs[name], rel=1e-3, abs=1e-5), name
    assert weights.keys() == other_weights.keys()
    # After one step Adam's momentum is the gradient, up to a factor. (The weights say
    # less: Adam's first step is the gradient's sign, which may be noise.)
    gradients = [
        name
        for name in weights
        if name.endswith("_momentum") and "dense" not in name  # from noise
    ]
    assert len(gradients) > 50
    for name in gradients:
        error = np.linalg.norm(other_weights[name] - weights[name])
        assert error <= 1e-3 * np.linalg.norm(weights[name]) + 1e-7, name
