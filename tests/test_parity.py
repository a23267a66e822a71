"""TensorFlow and JAX: one file, one checkpoint, ten steps, the same numbers."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests import short_runs
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


def train(folder, batches):
    """Train on batches from the checkpoint in a folder; return the losses of steps."""
    gan = build_gan(config.load("smoke", CHANGES))
    checkpoint.restore(folder, gan)
    logged = []
    keep = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: logged.append(
            {name: float(value) for name, value in logs.items()}
        )
    )
    gan.fit(batches, steps_per_epoch=STEPS, shuffle=False, verbose=0, callbacks=[keep])
    checkpoint.save(folder, gan)
    checkpoint.save_generator(folder / "generator.keras", gan, {})
    return logged


def main(folder, path):
    """Print the losses of training on the batches in a file."""
    short_runs.few_features(pytest.MonkeyPatch())
    with np.load(path) as file:
        arrays = dict(file)
    batches = (({name: x[i] for name, x in arrays.items()},) for i in range(STEPS))
    print(json.dumps(train(pathlib.Path(folder), batches)))


def state(folder, step):
    with np.load(folder / f"step_{step:08d}.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


@pytest.mark.slow
def test_both_backends_train_alike(tmp_path, in_root, plain_graphs, monkeypatch):
    import tensorflow as tf

    from tests.make_dataset import make_dataset

    short_runs.few_features(monkeypatch)
    experiment = config.load("smoke", CHANGES)
    keras.utils.set_random_seed(3)  # chance starts may amplify rounding
    gan, clips = build_gan(experiment), make_dataset(experiment, "train")
    clips = list(clips.take(STEPS).as_numpy_iterator())
    batches = {name: np.stack([batch[name] for batch in clips]) for name in clips[0]}
    path = tmp_path / "batches.npz"
    np.savez(path, **batches)
    folders = [tmp_path / backend for backend in ("tensorflow", "jax")]
    for folder in folders:
        checkpoint.save(folder, gan)
    before = state(folders[0], 0)
    on_jax = subprocess.Popen(
        [sys.executable, "-m", "tests.test_parity", folders[1], path],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    logs = train(folders[0], tf.data.Dataset.from_tensor_slices(batches))
    printed, errors = on_jax.communicate()
    assert on_jax.returncode == 0, errors
    other_logs = json.loads(printed.splitlines()[-1])
    weights, other_weights = (state(folder, STEPS) for folder in folders)
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


if __name__ == "__main__":
    main(*sys.argv[1:])
