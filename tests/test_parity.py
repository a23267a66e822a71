"""TensorFlow and JAX: one file, one checkpoint, ten steps, the same numbers."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.make_dataset import make_dataset
from vgan import config
from vgan.train import checkpoint
from vgan.train.build import build_gan

pytest.importorskip("jax", reason="needs the extra jax")
ROOT = pathlib.Path(__file__).resolve().parents[1]
STEPS = 10
# All kinds of branches: R1 and R2 at some steps only, clipping, a relativistic loss.
CHANGES = [
    "generator.filters=[8, 8]",
    "discriminator.filters=[8]",
    "losses.adversarial=relativistic",
    "losses.r2=1",
    "losses.penalty_interval=4",
    "train.clip_norm=5",
]

# Trains from a checkpoint on given batches; prints the losses of every step.
PROGRAM = """
import json, pathlib, sys
import keras, numpy as np, tensorflow as tf
from vgan import config
from vgan.train import checkpoint
from vgan.train.build import build_gan

folder, batches, steps, *changes = sys.argv[1:]
gan = build_gan(config.load("smoke", changes))
checkpoint.restore(folder, gan)
logged = []
keep = keras.callbacks.LambdaCallback(
    on_train_batch_end=lambda batch, logs: logged.append(
        {name: float(value) for name, value in logs.items()}
    )
)
with np.load(batches) as file:
    dataset = tf.data.Dataset.from_tensor_slices(dict(file))
gan.fit(
    dataset, steps_per_epoch=int(steps), shuffle=False, verbose=0, callbacks=[keep]
)
checkpoint.save(folder, gan)
checkpoint.save_generator(pathlib.Path(folder) / "generator.keras", gan, {})
print(json.dumps(logged))
"""


def start(backend, folder, batches):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, folder, batches, str(STEPS), *CHANGES],
        cwd=ROOT,
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            # ten small steps are not worth a minute of XLA's optimization
            "XLA_FLAGS": "--xla_backend_optimization_level=0",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process, folder):
    printed, errors = process.communicate()
    assert process.returncode == 0, errors
    return json.loads(printed.splitlines()[-1]), state(folder, STEPS)


def state(folder, step):
    with np.load(folder / f"step_{step:08d}.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


@pytest.mark.slow
def test_both_backends_train_alike(tmp_path, in_root):
    experiment = config.load("smoke", CHANGES)
    keras.utils.set_random_seed(3)  # chance starts may amplify rounding
    gan, clips = build_gan(experiment), make_dataset(experiment, "train")
    clips = list(clips.take(STEPS).as_numpy_iterator())
    batches = {name: np.stack([batch[name] for batch in clips]) for name in clips[0]}
    np.savez(tmp_path / "batches.npz", **batches)
    folders = [tmp_path / backend for backend in ("tensorflow", "jax")]
    for folder in folders:
        checkpoint.save(folder, gan)
    before = state(folders[0], 0)
    processes = [start(f.name, f, tmp_path / "batches.npz") for f in folders]
    (logs, weights), (other_logs, other_weights) = map(finish, processes, folders)
    assert len(logs) == len(other_logs) == STEPS
    for step, (one, other) in enumerate(zip(logs, other_logs, strict=True)):
        assert one.keys() == other.keys()
        for name in one:
            # Differences that may come to 0 are held to what they are taken from.
            scale = {"g/mapping": 1e-2, "d/advantage": 1e-1}.get(name, 1e-5)
            error = abs(other[name] - one[name])
            assert error <= 1e-3 * max(abs(one[name]), scale), (step, name)
    assert weights.keys() == other_weights.keys()
    for name in weights:
        # Against what training has changed: weights themselves are far larger.
        change = np.linalg.norm(weights[name] - before[name])
        error = np.linalg.norm(other_weights[name] - weights[name])
        assert error <= 1e-3 * change + 1e-6, name

    # What JAX has written goes on here, and ships from here.
    assert checkpoint.restore(folders[1], gan) == STEPS
    shipped = keras.saving.load_model(folders[1] / "generator.keras")
    for one, other in zip(shipped.weights, gan.ema_generator.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
