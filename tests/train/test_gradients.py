"""Gradients and optimizers, alike under both backends.

As a program, prints what `trajectories` gives under the backend of KERAS_BACKEND.
"""

import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from vgan.train.gan import gradients

ROOT = pathlib.Path(__file__).resolve().parents[2]
DUE = [True, True, False, True, False, True, True, True]
STEPS = range(len(DUE))
CLIP, ACCUMULATE = 0.01, 2
KINDS = {
    "plain": {},
    "clipped": {"global_clipnorm": CLIP},
    "accumulated": {"gradient_accumulation_steps": ACCUMULATE},
    "both": {"global_clipnorm": CLIP, "gradient_accumulation_steps": ACCUMULATE},
}
INPUT = np.random.default_rng(0).normal(size=(len(DUE), 5, 3)).astype("float32")


class Toy(gradients.Gradients, keras.Model):
    """A linear layer, an optimizer, and one weight that nothing depends on."""

    def __init__(self, optimizer):
        super().__init__()
        self.layer = keras.layers.Dense(2)
        self.layer.build((None, 3))
        self.layer.set_weights([INPUT[0, :3, :2], INPUT[1, 0, :2]])
        self.idle = self.add_weight(shape=(), initializer="ones", name="idle")
        self.seen = keras.Variable(0.0, trainable=False)
        self.impatient = False
        self.built = True
        optimizer.build(self.trainable_variables)
        self.compile(optimizer=optimizer, auto_scale_loss=False)

    def step(self, x, due, poison):
        def loss():
            value = ops.mean(ops.square(ops.sin(self.layer(x))))
            self.seen.assign(self.seen + 1.0)
            return value * poison, {"loss": value}

        variables = self.trainable_variables
        gradients, logs = self.gradients(loss, variables, self.optimizer)
        self.apply_if(due, self.optimizer, gradients, variables)
        return logs["loss"]

    def update(self, batch, pictures=None):
        """As `fit` calls it; Ctrl-C comes while the first step is traced."""
        if self.impatient:
            self.impatient = False
            raise KeyboardInterrupt
        return {"loss": self.step(batch, True, 1.0)}

    def state(self):
        return [np.asarray(v.value) for v in self.optimizer.variables]

    def weights_now(self):
        return np.concatenate([np.ravel(v.value) for v in self.trainable_variables])


def make(kind, scaled=False, optimizer=keras.optimizers.Adam, **arguments):
    inner = optimizer(0.1, **KINDS[kind], **arguments)
    if scaled:
        inner = keras.optimizers.LossScaleOptimizer(inner, dynamic_growth_steps=3)
    return Toy(inner)


def run(toy, steps=STEPS, due=DUE, poison=1.0):
    """The weights after each step, and the optimizer's state."""
    step, path = toy.compile_function(toy.step), []
    for i in steps:
        step(INPUT[i], np.array(due[i]), np.float32(poison))
        path.append((toy.weights_now(), toy.state()))
    return path


def every_path():
    """{(kind, scaled): what `run` gives} of every kind of optimizer."""
    kinds = itertools.product(KINDS, (False, True))
    return {kind: run(make(*kind)) for kind in kinds}


def trajectories(paths):
    """{name: weights after each step}."""
    found = {}
    for (kind, scaled), path in paths.items():
        found[f"{kind} {scaled}"] = [weights.tolist() for weights, _ in path]
    toy = make("plain", scaled=True)
    poisoned = run(toy, [0, 1], poison=np.inf)
    found["poisoned"] = [weights.tolist() for weights, _ in poisoned]
    found["scale"] = [float(toy.optimizer.dynamic_scale)]
    found["seen"] = [float(toy.seen)]
    return found


def interrupted():
    """Steps that `fit` has kept of a first step, and of an endless run, at Ctrl-C."""

    def press(batch, logs):
        if batch % 10_000 == 3:  # Python drops what is raised in a weakref's callback
            threading.Timer(0.1, signal.raise_signal, [signal.SIGINT]).start()

    toy, kept = make("plain"), []
    data = tf.data.Dataset.from_tensors(INPUT[0]).repeat()
    ctrl_c = keras.callbacks.LambdaCallback(on_train_batch_end=press)
    for toy.impatient in (True, False):
        try:
            toy.fit(data, steps_per_epoch=100_000, verbose=0, callbacks=[ctrl_c])
        except KeyboardInterrupt:
            kept.append(float(toy.seen.value))
    return kept


@pytest.fixture(scope="module")
def paths():
    return every_path()


@pytest.fixture(scope="module")
def found(paths):
    return trajectories(paths)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scaled", [False, True])
def test_what_is_not_due_changes_nothing(kind, scaled, paths):
    path = paths[kind, scaled]
    for i, due in enumerate(DUE):
        if not due:
            np.testing.assert_array_equal(path[i][0], path[i - 1][0])
            for now, before in zip(path[i][1], path[i - 1][1], strict=True):
                np.testing.assert_array_equal(now, before)
    moved = [not np.array_equal(a[0], b[0]) for a, b in itertools.pairwise(path)]
    assert any(moved)


@pytest.mark.parametrize("kind", KINDS)
def test_a_scaled_loss_gives_the_same_weights(kind, found):
    np.testing.assert_allclose(found[f"{kind} True"], found[f"{kind} False"], 1e-5)


def test_clipping_bounds_the_step():
    every = [True] * len(DUE)
    start = make("plain").weights_now()
    free = run(make("plain", optimizer=keras.optimizers.SGD), [0], every)[0][0]
    bound = run(make("clipped", optimizer=keras.optimizers.SGD), [0], every)[0][0]
    assert np.linalg.norm(free - start) > 2 * 0.1 * CLIP
    np.testing.assert_allclose(np.linalg.norm(bound - start), 0.1 * CLIP, 1e-3)


def test_accumulation_takes_the_mean():
    every = [True] * len(DUE)
    start = make("plain").weights_now()
    steps = [
        run(make("plain", optimizer=keras.optimizers.SGD), [i], every)[0][0] - start
        for i in (0, 1)
    ]
    toy = make("accumulated", optimizer=keras.optimizers.SGD)
    (first, _), (second, _) = run(toy, [0, 1], every)
    np.testing.assert_array_equal(first, start)
    np.testing.assert_allclose(second - start, np.mean(steps, axis=0), rtol=1e-4)


def test_gradients_that_are_not_finite_are_left_out(found):
    start = make("plain").weights_now()
    np.testing.assert_array_equal(found["poisoned"], [start, start])
    assert found["scale"] == [2.0**13]  # halved twice
    assert found["seen"] == [2.0]


@pytest.mark.parametrize("scaled", [False, True])
def test_state_goes_over_to_another_run(scaled):
    whole, first, second = (make("both", scaled) for _ in range(3))
    expected = run(whole)[-1]
    run(first, range(3))  # the third is not due, the second was an update
    run(first, range(3, 4))  # ends with something accumulated
    for new, old in (
        (second.optimizer.variables, first.optimizer.variables),
        (second.trainable_variables, first.trainable_variables),
    ):
        for one, other in zip(new, old, strict=True):
            one.assign(np.asarray(other.value))
    weights, state = run(second, range(4, len(DUE)))[-1]
    np.testing.assert_array_equal(weights, expected[0])
    for now, before in zip(state, expected[1], strict=True):
        np.testing.assert_array_equal(now, before)


@pytest.mark.slow
def test_jax_does_the_same(found):
    pytest.importorskip("jax", reason="needs the extra jax")
    result = subprocess.run(
        [sys.executable, "-m", "tests.train.test_gradients"],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    other = json.loads(result.stdout.splitlines()[-1])
    first, endless = other.pop("interrupted")
    assert first == 0 < endless < 100_000
    assert other.keys() == found.keys()
    for name, values in found.items():
        np.testing.assert_allclose(other[name], values, 1e-4, 1e-6, err_msg=name)


if __name__ == "__main__":
    print(json.dumps({**trajectories(every_path()), "interrupted": interrupted()}))
