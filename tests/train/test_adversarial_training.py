"""Every adversarial loss trains for a while, on rendered clips, and stays in bounds."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tests.make_dataset import make_dataset
from tests.tiny import TINY_GAN
from vgan import InputError, config
from vgan.losses import Adversarial
from vgan.train.build import build_gan
from vgan.train.gan import make_deterministic

STEPS = {"wasserstein": 200}  # its critic falls behind for the first hundred
SMOKE = config.load("smoke", TINY_GAN[:-1])  # the generator


@pytest.fixture(scope="module")
def batches():
    dataset = make_dataset(SMOKE, "train").take(20).cache()
    return [{name: tf.constant(x) for name, x in b.items()} for b in dataset]


@pytest.mark.slow
@pytest.mark.parametrize("name", Adversarial.kinds)
def test_all_stays_finite(name, batches):
    make_deterministic(1)  # of 0 to 3, only 0 starts with a critic far ahead by luck
    changes = [f"losses.adversarial={name}", "losses.content=0", "losses.temporal=0"]
    gan = build_gan(config.override(SMOKE, changes))
    step = gan.compile_function(gan.train_step)
    steps = STEPS.get(name, 60)
    history = [step(b) for b in itertools.islice(itertools.cycle(batches), steps)]
    for key in history[0]:
        values = np.array([float(logs[key]) for logs in history])
        assert np.all(np.isfinite(values)), key
    penalties = {"d/gradient_penalty"} if name == "wasserstein" else {"d/r1", "d/r2"}
    assert penalties == set(history[0]) & {"d/r1", "d/r2", "d/gradient_penalty"}
    # Both sides play: the discriminator learns, and the generator is not left behind.
    advantage = [float(logs["d/advantage"]) for logs in history]
    assert np.mean(advantage[-steps // 4 :]) > np.mean(advantage[:5])
    assert float(history[-1]["g/style"]) < float(history[0]["g/style"])
    frames, _ = gan.stylize(batches[0]["content"], batches[0]["style"])
    assert float(tf.math.reduce_std(frames)) > 0.05  # no single color


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (["losses.adversarial=wasserstein", "losses.adversarial.r1=1"], "takes no r1"),
        (["losses.adversarial=pair", "train.batch_size=1"], "at least 2"),
        (["losses.adversarial=pair", "data.style_length=3"], "clips of one length"),
        (["losses.adversarial=wasserstein", "data.clip_length=3"], "of one length"),
        (["losses.reconstruction_l1=1"], "data.target"),
        (["discriminator.pair=true"], "must be False"),
        (["discriminator.temporal_size=2"], "must be odd"),
    ],
)
def test_losses_that_cannot_be_trained(changes, says):
    with pytest.raises(InputError, match=says):
        build_gan(config.override(SMOKE, changes))
