"""What is no network, no loss, no batch or out of range is refused in one line."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import vgan
from vgan import InputError, losses, models
from vgan.train.gan import VideoGAN

TERMS = (losses.Content(0.5), losses.Temporal(1.0))


@pytest.fixture(scope="module")
def networks(make_generator):
    return make_generator(), models.Discriminator(filters=(4, 4), code_size=16)


def compiled(networks, **arguments):
    gan = VideoGAN(*networks)
    given = {"g_optimizer": "adam", "d_optimizer": "adam", "losses": TERMS}
    gan.compile(**{**given, **arguments})
    return gan


@pytest.fixture(scope="module")
def gan(networks):
    return compiled(networks, adversarial=losses.Relativistic(0.2))


def batch(**changes):
    random = np.random.default_rng(0)
    clips = {
        name: random.uniform(-1, 1, (2, 2, 32, 32, 3)).astype("float32")
        for name in ("content", "style")
    }
    flow = np.zeros((2, 1, 32, 32, 2), "float32")
    return {**clips, "flow": flow, "occlusion": flow[..., :1], **changes}


SHARED = keras.optimizers.Adam(1e-3)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ema_decay", ("x", float("nan"), 1, None, True)),
        ("g_every", (0, "x", -1, 1.5)),
        ("d_every", (0, True)),
        ("burn_in", ("x", -1, 9, 1.5)),
        ("d_skip_above", ("x", float("nan"), -1, 2)),
        ("cooldown", ("x", 2, -1)),
        ("steps", ("x", 0, -1, 1.5)),
        ("teacher", (3, "x")),
        ("adversarial", (losses.Style(1), losses.Hinge, "hinge")),
        ("g_optimizer", (None, "adamant", keras.optimizers.Adam, 3)),
        ("d_optimizer", (None, [])),
        ("losses", (None, losses.Style(1), "style", {"style": 1}, [losses.Style], [3])),
        ("features", (3, None, "", "none.npz")),
        ("carry", (3, (1, 2), "x", (2, -1, 3), (2, 34, 34), ())),
        ("seed", ("x", 1.5, -1, 2**32)),
    ],
)
def test_arguments_of_compile(networks, name, values):
    for value in values:
        with pytest.raises(InputError, match=f"^{name}: ") as caught:
            compiled(networks, **{name: value})
        assert "\n" not in str(caught.value)


def test_arguments_of_compile_that_need_one_another(networks):
    with pytest.raises(InputError, match=r"^steps: is needed with cooldown=0.5"):
        compiled(networks, cooldown=0.5)
    with pytest.raises(InputError, match=r"^d_optimizer: is the generator's"):
        compiled(networks, g_optimizer=SHARED, d_optimizer=SHARED)


def test_numbers_of_numpy_are_numbers(networks):
    gan = compiled(networks, ema_decay=np.float32(0.5), g_every=np.int64(2))
    assert (gan.ema_decay, gan.g_every) == (0.5, 2)
    assert losses.Style(np.float32(2)).weight == losses.Style(np.int64(2)).weight == 2


def test_networks_of_another_kind(networks):
    generator, discriminator = networks
    chain = keras.Sequential([keras.layers.Dense(3)])
    for pair, name in (
        ((None, discriminator), "generator"),
        (("painterly", discriminator), "generator"),
        ((models.Generator, discriminator), "generator"),
        ((discriminator, generator), "generator"),
        ((chain, discriminator), "generator"),
        ((generator, None), "discriminator"),
        ((generator, generator), "discriminator"),
        ((generator, models.Discriminator), "discriminator"),
        ((generator, chain), "discriminator"),
    ):
        with pytest.raises(InputError, match=f"^{name}: takes a Keras model"):
            VideoGAN(*pair)


def without(name):
    return {key: value for key, value in batch().items() if key != name}


BAD_BATCHES = [
    (without("style"), "batch: has no style, only content, flow"),
    (without("flow"), "losses.temporal: needs flow"),
    (batch(content=batch()["content"][0]), "content: takes .* \\[2, 32, 32, 3\\]"),
    (batch(content=batch()["content"][..., :1]), "content: takes float32 .* 1\\]"),
    (batch(style=batch()["style"][..., :1]), "style: takes float32"),
    (batch(content=np.zeros((2, 2, 32, 32, 3), "uint8")), "content: .* got uint8"),
    (batch(content=batch()["content"][:, :0]), "content: takes .*, 0, 32, 32, 3"),
    (
        batch(
            content=batch()["content"][:, :, :30],
            **{name: batch()[name][:, :, :30] for name in ("flow", "occlusion")},
        ),
        "content: 30 does not divide by the generator's stride 4",
    ),
    (batch(flow=batch()["flow"][..., :1]), "flow: takes float32 .2, 1, 32, 32, 2"),
]
ODD = [({}, "batch: has no content"), (batch(style=batch()["style"][:1]), "style: ")]


@pytest.mark.parametrize(("given", "says"), [*BAD_BATCHES, *ODD])
def test_batches_that_do_not_fit(gan, given, says):
    with pytest.raises(InputError, match=f"^{says}") as caught:
        gan.update(given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("given", "says"), BAD_BATCHES[::3])
def test_fit_refuses_them_as_well(gan, given, says):
    with pytest.raises(InputError, match=f"^{says}") as caught:
        gan.fit(tf.data.Dataset.from_tensors(given), verbose=0)
    assert "\n" not in str(caught.value)


def test_fit_refuses_sizes_that_it_cannot_know(gan):
    with pytest.raises(InputError, match=r"^content: its shape \[None, 2, 32, 32, 3"):
        gan.fit(batch(), verbose=0)


@pytest.mark.parametrize("given", [None, [], "x", 3, (1, 2)])
def test_what_is_no_batch_at_all(gan, given):
    with pytest.raises(InputError, match=r"^batch: takes {'content'"):
        gan.update(given)
    with pytest.raises(InputError, match=r"^x: takes batches {'content'"):
        gan.fit(given)


def test_before_compile(networks):
    gan = VideoGAN(*networks)
    for method in (gan.update, gan.fit):
        with pytest.raises(InputError, match="VideoGAN: is not compiled"):
            method(batch())


@pytest.mark.parametrize("name", ["__call__", "evaluate", "predict", "save"])
def test_what_the_averaged_generator_is_for(gan, name):
    with pytest.raises(InputError, match="take its ema_generator"):
        getattr(gan, name)("x")


def test_a_step_without_fit_is_that_of_fit(make_generator):
    def trained(step):
        keras.utils.set_random_seed(1)
        discriminator = models.Discriminator(filters=(4, 4), code_size=16)
        gan = compiled((make_generator(), discriminator), losses=[losses.Edges(1.0)])
        step(gan)
        return [np.array(weight) for weight in gan.ema_generator.weights]

    one = trained(lambda gan: gan.update(batch()))
    clips = tf.data.Dataset.from_tensors(batch())
    two = trained(lambda gan: gan.fit(clips, verbose=0))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.filterwarnings("error")
def test_clips_are_trained_on_without_a_warning(gan):
    clips = vgan.datasets.clips(
        "synthetic", "synthetic", image_size=32, clip_length=2, style_length=2
    )
    gan.fit(clips, steps_per_epoch=1, verbose=0)
