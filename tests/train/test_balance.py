"""What keeps the two networks in balance: turns, skips, warm-up, precision."""

import numpy as np
import pytest
import tensorflow as tf

from tests.make_dataset import make_dataset
from tests.tiny import ADVERSARIAL_ALONE, EDGES_ALONE, TINY_GAN
from vgan import config
from vgan.train.build import build_gan
from vgan.train.forward import Forward
from vgan.train.gan import make_deterministic

SMOKE = config.load("smoke", TINY_GAN)


@pytest.fixture(scope="module")
def batches():
    dataset = make_dataset(SMOKE, "train").take(4)
    return [{name: tf.constant(x) for name, x in b.items()} for b in dataset]


def play(batches, *changes):
    """Train a step on each batch; return model, logs and who learned at each step."""
    make_deterministic(0)
    gan = build_gan(config.override(SMOKE, changes))
    step = gan.compile_function(gan.train_step)
    logs, learned = [], []
    for batch in batches:
        before = [weights(gan.generator), weights(gan.discriminator)]
        logs.append({name: float(x) for name, x in step(batch).items()})
        after = [weights(gan.generator), weights(gan.discriminator)]
        learned.append(
            tuple(np.any(a != b) for a, b in zip(before, after, strict=True))
        )
    gan.step_function = step
    return gan, logs, learned


def weights(network):
    return np.concatenate([np.ravel(v.value) for v in network.trainable_variables])


@pytest.mark.slow
def test_each_network_has_its_turns(batches):
    _, _, learned = play(
        batches, "train.g_every=2", "train.d_every=3", *ADVERSARIAL_ALONE
    )
    assert learned == [(True, True), (False, False), (True, False), (False, True)]


@pytest.mark.slow
def test_weights_of_terms_that_are_held_follow_how_far_off_they_are(batches):
    held = ["losses.content.target=1e-6", "losses.style.target=1e6"]
    held += ["losses.temporal=0", "losses.gan=0"]
    gan, _, _ = play(batches, *held)
    logarithms = gan.multipliers.logarithms
    np.testing.assert_allclose(logarithms.value, [0.02, -0.02], atol=1e-6)
    logarithms.assign([2.302, -2.302])
    for batch in batches:
        logs = gan.step_function(batch)
    np.testing.assert_allclose(np.exp(logarithms.value), [10, 0.1], rtol=1e-5)
    # The loss is that of the weights as they stand.
    factors = {"content": 10, "style": 0.1}
    total = sum(
        term.weight * factors.get(term.name, 1) * float(logs[f"g/{term.name}"])
        for term in gan.terms
    )
    np.testing.assert_allclose(logs["g/loss"] - logs["g/mapping"], total, rtol=1e-3)


@pytest.mark.slow
def test_rates_fall_at_the_end(batches):
    cooling = ("train.steps=4", "train.cooldown=0.5")
    gan, _, learned = play(batches, *cooling, *ADVERSARIAL_ALONE)
    wanted = SMOKE.train.g_learning_rate / 2  # of the last step: one of two left
    assert float(gan.g_optimizer.learning_rate) == pytest.approx(wanted)
    assert learned == [(True, True)] * 4
    gan.rates.update(gan.step)
    assert float(gan.g_optimizer.learning_rate) == 0


@pytest.mark.slow
def test_half_of_the_clips_begin_with_an_old_state(batches):
    aging = ("train.burn_in=2", "losses.state_consistency=1", *EDGES_ALONE)
    gan, logs, _ = play(batches, *aging)
    assert all(np.isfinite(x["g/state_consistency"]) for x in logs)
    count, first = 64, {name: x[:1] for name, x in batches[0].items()}
    many = {name: tf.repeat(x, count, axis=0) for name, x in first.items()}
    noise = np.random.default_rng(0).standard_normal(many["noise"].shape)
    forward = Forward(gan, {**many, "noise": noise.astype("float32")})
    # One content, one style: results differ by the state alone, of 0, 1 or 2 laps.
    frames = np.asarray(forward.frames).reshape(count, -1)
    same = np.abs(frames[:, None] - frames).max(axis=-1) < 1e-4
    kinds, ages = np.unique(same, axis=0, return_counts=True)
    assert len(kinds) == 3
    assert 0.35 < np.mean(forward.aged) < 0.65
    assert sorted(ages)[0] + sorted(ages)[1] == pytest.approx(32, abs=12)
    fresh = frames[~np.asarray(forward.aged)]
    np.testing.assert_allclose(
        fresh[0], np.asarray(forward.fresh)[0].ravel(), atol=1e-5
    )
    (loss,) = [term for term in gan.terms if term.name == "state_consistency"]
    assert float(loss(forward)) > 0


@pytest.mark.slow
def test_a_discriminator_that_is_ahead_rests(batches):
    gan, logs, learned = play(batches, "train.d_skip_above=-0.9", *ADVERSARIAL_ALONE)
    assert learned == [(True, False)] * 4
    followed = np.mean([x["d/advantage"] for x in logs])
    np.testing.assert_allclose(gan.advantage.mean.value, followed, atol=1e-5)
    spread = np.var([x["d/advantage"] for x in logs])
    np.testing.assert_allclose(gan.advantage.variance.value, spread, atol=1e-5)


@pytest.mark.slow
def test_gradients_are_averaged_and_clipped(batches):
    """Twice the same batch, accumulated, is that batch."""
    twice = [batches[0], batches[0]]
    alone = ("losses.gan=0", "losses.content=0", "losses.temporal=0")
    accumulated, _, learned = play(twice, "train.accumulate=2", *alone)
    assert learned == [(False, False), (True, False)]
    once, _, _ = play(twice[:1], *alone)
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


@pytest.fixture(scope="module")
def exact(batches):
    """What two steps in float32 log."""
    return play(batches[:2], "losses.adversarial.warmup=4", "losses.gan=1")[1]


@pytest.mark.slow
def test_the_adversarial_loss_is_faded_in(exact):
    for number, values in enumerate(exact, start=1):
        rest = (
            0.5 * values["g/content"]
            + 10 * values["g/style"]
            + 20 * values["g/temporal"]
            + values["g/mapping"]
        )
        expected = rest + number / 4 * values["g/adversarial"]
        np.testing.assert_allclose(values["g/loss"], expected, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_comes_near(batches, exact, precision):
    # The loss scale starts too high, on purpose: until it fits, a step changes nothing.
    steps = 3 * batches if precision == "float16" else batches[:2]
    gan, logs, learned = play(steps, f"train.precision={precision}")
    assert learned[-1] == (True, True)
    for name in ("g/content", "g/style", "g/temporal", "d/loss"):
        np.testing.assert_allclose(logs[0][name], exact[0][name], rtol=0.03)
        assert np.all(np.isfinite([x[name] for x in logs]))
    assert gan.generator.stem.compute_dtype == precision
    assert gan.ema_generator.stem.compute_dtype == "float32"
    names = {v.name for v in gan.saved_variables()["g_optimizer"]}
    assert ("dynamic_scale" in names) == (precision == "float16")
