"""What keeps the game in balance: turns, rests, warm-up, gradients, precision."""

import numpy as np
import pytest
import tensorflow as tf

from vgan import config
from vgan.datasets.clips import make_dataset
from vgan.training.gan import VideoGAN, make_deterministic

SMOKE = config.load("smoke")


@pytest.fixture(scope="module")
def batches():
    dataset = make_dataset(SMOKE, "train").take(4)
    return [{name: tf.constant(x) for name, x in b.items()} for b in dataset]


def play(batches, *changes):
    """Train a step on each batch; return model, logs and who learned at each step."""
    make_deterministic(0)
    gan = VideoGAN(config.override(SMOKE, changes))
    step = gan.compile_function(gan.train_step)
    logs, learned = [], []
    for batch in batches:
        before = [weights(gan.generator), weights(gan.discriminator)]
        logs.append({name: float(x) for name, x in step(batch).items()})
        after = [weights(gan.generator), weights(gan.discriminator)]
        learned.append(
            tuple(np.any(a != b) for a, b in zip(before, after, strict=True))
        )
    return gan, logs, learned


def weights(network):
    return np.concatenate([np.ravel(v.value) for v in network.trainable_variables])


def test_each_network_has_its_turns(batches):
    _, _, learned = play(batches, "train.g_every=2", "train.d_every=3")
    assert learned == [(True, True), (False, False), (True, False), (False, True)]


def test_a_discriminator_that_is_ahead_rests(batches):
    gan, logs, learned = play(batches, "train.balance=-0.9")
    assert learned == [(True, False)] * 4
    followed = np.mean([x["d/advantage"] for x in logs])
    np.testing.assert_allclose(gan.advantage.value, followed, atol=1e-5)
    spread = np.var([x["d/advantage"] for x in logs])
    np.testing.assert_allclose(gan.advantage_variance.value, spread, atol=1e-5)


def test_gradients_are_averaged_and_clipped(batches):
    """Twice the same batch, accumulated, is that batch."""
    twice = [batches[0], batches[0]]
    accumulated, _, learned = play(twice, "train.accumulate=2", "losses.gan=0")
    assert learned == [(False, False), (True, False)]
    once, _, _ = play(twice[:1], "losses.gan=0")
    # Adam's first step is the sign of a gradient, of which some are but rounding; the
    # mapping network has another memory of codes at the second batch.
    near = [
        np.isclose(one.value, two.value, rtol=0, atol=1e-5)
        for one, two in zip(
            once.generator.trainable_variables,
            accumulated.generator.trainable_variables,
            strict=True,
        )
        if "mapping" not in one.path
    ]
    assert np.mean(np.concatenate([x.ravel() for x in near])) > 0.98


def test_the_game_is_faded_in(batches):
    _, logs, _ = play(batches[:2], "losses.gan_warmup=4", "losses.gan=1")
    for number, values in enumerate(logs, start=1):
        rest = (
            0.5 * values["g/content"]
            + 10 * values["g/style"]
            + 20 * values["g/temporal"]
            + values["g/mapping"]
        )
        expected = rest + number / 4 * values["g/gan"]
        np.testing.assert_allclose(values["g/loss"], expected, rtol=1e-4)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_comes_near(batches, precision):
    gan, logs, learned = play(3 * batches, f"train.precision={precision}")
    _, exact, _ = play(batches[:1])
    # The loss scale starts too high, on purpose: until it fits, a step changes nothing.
    assert learned[-1] == (True, True)
    for name in ("g/content", "g/style", "g/temporal", "d/loss"):
        np.testing.assert_allclose(logs[0][name], exact[0][name], rtol=0.03)
        assert np.all(np.isfinite([x[name] for x in logs]))
    assert gan.generator.stem.compute_dtype == precision
    assert gan.ema_generator.stem.compute_dtype == "float32"
    names = {v.name for v in gan.saved_variables()["g_optimizer"]}
    assert ("dynamic_scale" in names) == (precision == "float16")
