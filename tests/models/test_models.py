import itertools

import keras
import numpy as np
import pytest
from keras import ops

from tests.tiny import TINY
from vgan.models import Discriminator, Generator
from vgan.models.layers import enlarge, local_contrast
from vgan.models.recurrent import RecursiveFilter

VARIANTS = list(itertools.product(("lstm", "gru"), ("weight", "adain")))


def clip(batch=2, frames=4, height=24, width=32, seed=0):
    random = np.random.default_rng(seed)
    return random.uniform(-1, 1, (batch, frames, height, width, 3)).astype("float32")


def run(generator, content, code):
    state = generator.initial_state(content.shape[0], *content.shape[2:4])
    frames, state = generator(content, code, state)
    return np.asarray(frames), state


@pytest.mark.parametrize(("cell", "modulation"), VARIANTS)
@pytest.mark.parametrize("size", [(24, 32), (64, 40)])
def test_stream_equals_clip(cell, modulation, size):
    generator = Generator(**TINY, cell=cell, modulation=modulation)
    content = clip(height=size[0], width=size[1])
    code = generator.encode_style(clip(seed=1))
    whole, last = run(generator, content, code)
    state = generator.initial_state(2, *size)
    assert set(state) == set(last)
    for t in range(content.shape[1]):
        frame, state = generator(content[:, t : t + 1], code, state)
        np.testing.assert_allclose(np.asarray(frame)[:, 0], whole[:, t], atol=1e-5)
    for name, value in state.items():
        np.testing.assert_allclose(value, last[name], atol=1e-5)


@pytest.mark.parametrize(("cell", "modulation"), VARIANTS)
def test_save_and_load(cell, modulation, tmp_path):
    styles = {"rain": [0.5] * 16}
    generator = Generator(**TINY, cell=cell, modulation=modulation, named_styles=styles)
    code = generator.encode_noise(np.ones((2, 8), "float32"))
    before, _ = run(generator, clip(), code)
    generator.save(tmp_path / "generator.keras")
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    assert loaded.named_styles == styles
    np.testing.assert_array_equal(run(loaded, clip(), code)[0], before)


@pytest.mark.parametrize("patch_size", [1, 2])
def test_a_recursive_generator_streams_and_is_saved(patch_size, tmp_path):
    keras.utils.set_random_seed(0)
    generator = Generator(**TINY, recursive=True, patch_size=patch_size)
    content = clip(height=32, width=48)
    code = generator.encode_style(clip(seed=1))
    whole, last = run(generator, content, code)
    _, middle = run(generator, content[:, :3], code)
    frame, state = generator(content[:, 3:], code, middle)
    np.testing.assert_allclose(np.asarray(frame)[:, 0], whole[:, 3], atol=1e-5)
    for name, value in state.items():
        np.testing.assert_allclose(value, last[name], atol=1e-5)
    generator.save(tmp_path / "generator.keras")
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    np.testing.assert_array_equal(run(loaded, content, code)[0], whole)


def filtered(pictures, lumas, logits):
    """Run a RecursiveFilter that chooses by these constants over frames [T, ...]."""
    layer = RecursiveFilter(stride=2)
    layer.choose.kernel.assign(ops.zeros_like(layer.choose.kernel))
    layer.choose.bias.assign(logits)
    _, height, width, _ = pictures.shape
    state = layer.initial_state(1, height // 2, width // 2)
    result, state = layer(pictures, lumas, state, num_frames=len(pictures))
    return np.asarray(result), state


def test_the_recursive_filter_averages_and_does_not_drift():
    random = np.random.default_rng(0)
    still = random.normal(size=(1, 8, 12, 3)).astype("float32")
    noisy = still + random.normal(size=(40, 8, 12, 3)).astype("float32")
    luma = np.zeros((40, 8, 12, 1), "float32")
    here = np.full(10, -50.0)
    here[[0, 5]] = 0.0  # half the picture, half what stood there
    result, _ = filtered(noisy, luma, here)
    np.testing.assert_allclose(result[0], noisy[0], atol=1e-5)  # there was no past
    # An average with weights 1/2, 1/4, ... has a third of the variance.
    spread = np.var(result[8:] - still) / np.var(noisy - still)
    assert spread == pytest.approx(1 / 3, abs=0.04)
    steady, _ = filtered(np.repeat(still, 40, axis=0), luma, here)
    np.testing.assert_allclose(steady[-1], still[0], atol=1e-5)


def test_the_recursive_filter_finds_the_past_at_the_place_it_chooses():
    random = np.random.default_rng(0)
    first = random.normal(size=(8, 12, 3)).astype("float32")
    wide = 10 * (-1.0) ** np.sum(np.indices(first.shape[:2]), axis=0)  # no clamping
    pictures = np.stack(
        [first, np.repeat(wide[..., None], 3, axis=-1)], dtype="float32"
    )
    left = np.full(10, -50.0)
    left[1 + 3] = 50.0  # places row by row: the left one in the middle row
    result, _ = filtered(pictures, pictures[..., :1], left)
    np.testing.assert_allclose(result[1][:, 1:], first[:, :-1], atol=1e-5)


def test_the_recursive_filter_leaves_no_ghosts():
    """What is in the past alone goes at once, however much the past weighs."""
    random = np.random.default_rng(0)
    ground = random.uniform(-1, 1, size=(12, 16, 3)).astype("float32")
    ghost = ground.copy()
    ghost[4:8, 4:8] = 5
    here = np.full(10, -50.0)
    here[5] = 50.0
    pictures = np.stack([ghost, ground])
    result, _ = filtered(pictures, pictures[..., :1], here)
    assert result[0].max() == 5
    assert result[1].max() <= 1
    np.testing.assert_allclose(result[1][:3], ground[:3], atol=1e-5)


def test_fine_blocks_may_join_a_trained_network():
    keras.utils.set_random_seed(0)
    before = Generator(**TINY)
    after = Generator(**TINY, fine_blocks=1)
    old = before.get_weights()
    after.set_weights(old + after.get_weights()[len(old) :])
    code = before.encode_style(clip(seed=1))
    (first, _), (second, state) = (run(g, clip(), code) for g in (before, after))
    assert 1e-4 < np.abs(first - second).mean() < 0.1 * np.std(first)
    _, middle = run(after, clip()[:, :2], code)
    frames, last = after(clip()[:, 2:], code, middle)
    np.testing.assert_allclose(frames, second[:, 2:], atol=1e-5)
    assert set(last) == set(state)


def test_the_style_and_the_past_matter():
    generator = Generator(**TINY)
    content = clip()
    first, _ = run(generator, content, generator.encode_style(clip(seed=1)))
    second, _ = run(generator, content, generator.encode_style(-0.5 + 0 * content))
    assert np.abs(first - second).mean() > 1e-2
    fresh, _ = run(generator, content[:, 2:], generator.encode_style(clip(seed=1)))
    assert np.abs(first[:, 2:] - fresh).max() > 1e-4


def test_codes_have_unit_spread():
    generator = Generator(**TINY)
    for code in (
        generator.encode_style(clip(frames=1)),
        generator.encode_noise(np.random.default_rng(0).normal(size=(2, 8))),
    ):
        assert code.shape == (2, 16)
        np.testing.assert_allclose(np.mean(np.square(code), axis=-1), 1, rtol=1e-3)


def test_a_flat_picture_stays_flat():
    # neither a bright border nor a grid of sub-pixels
    generator = Generator(**TINY)
    flat = np.full((1, 1, 32, 32, 3), 0.3, "float32")
    frames, _ = run(generator, flat, generator.encode_style(clip(batch=1)))
    assert np.ptp(frames, axis=(2, 3)).max() < 1e-5


@pytest.mark.parametrize(
    ("arguments", "limit"),
    [
        ({}, 2e9),
        ({"filters": (8, 16, 32, 64), "hidden_filters": 32, "blocks": 1}, 0.6e9),
    ],
)
def test_cost_of_a_frame(arguments, limit):
    tf = pytest.importorskip("tensorflow")
    generator = Generator(**arguments)
    spec = {
        name: tf.TensorSpec(value.shape)
        for name, value in generator.initial_state(1, 256, 256).items()
    }
    function = tf.function(generator.__call__).get_concrete_function(
        tf.TensorSpec((1, 1, 256, 256, 3)), tf.TensorSpec((1, 64)), spec
    )
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    profile = tf.compat.v1.profiler.profile(function.graph, options=options)
    assert 0.1e9 < profile.total_float_ops / 2 < limit


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"cell": "rnn"}, "cell"),
        ({"modulation": "none"}, "modulation"),
        ({"filters": (8,)}, "filters"),
        ({"filters": 8}, "filters"),
        ({"filters": (8, 0)}, "filters"),
        ({"cell": ["lstm"]}, "cell"),
        ({"blocks": -1}, "blocks"),
        ({"blocks": 100_000}, "blocks"),
        ({"hidden_filters": 10**9}, "hidden_filters"),
        ({"filters": (8,) * 100}, "filters"),
        ({"recursive": "yes"}, "recursive"),
        ({"fine_blocks": 1.5}, "fine_blocks"),
        ({"code_size": 0}, "code_size"),
        ({"style_size": 0}, "style_size"),
        ({"style_filters": ()}, "style_filters"),
    ],
)
def test_bad_arguments_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        Generator(**arguments)


@pytest.mark.parametrize("pair", [False, True])
def test_discriminator(pair, tmp_path):
    discriminator = Discriminator(filters=(8, 16), code_size=16, pair=pair)
    inputs = [clip(), np.ones((2, 16), "float32")] + [clip(seed=2)] * pair
    logits = discriminator(*inputs)
    assert logits.shape == (2, 4, 6, 8, 1)
    assert np.abs(discriminator(inputs[0], -inputs[1], *inputs[2:]) - logits).max() > 0
    discriminator.save(tmp_path / "d.keras")
    loaded = keras.models.load_model(tmp_path / "d.keras")
    np.testing.assert_array_equal(loaded(*inputs), logits)
    with pytest.raises(ValueError, match="pair"):
        discriminator(*(inputs[:2] if pair else [*inputs, clip()]))


def test_discriminator_sees_motion():
    discriminator = Discriminator(filters=(8,), code_size=16)
    code = np.ones((2, 16), "float32")
    forward = ops.mean(discriminator(clip(), code))
    backward = ops.mean(discriminator(clip()[:, ::-1], code))
    assert abs(float(forward - backward)) > 1e-6


def test_enlarging_is_bilinear():
    x = np.random.default_rng(0).normal(size=(2, 5, 7, 3)).astype("float32")
    wanted = keras.ops.image.resize(x, (10, 14), interpolation="bilinear")
    np.testing.assert_allclose(
        *(np.asarray(enlarge(x)), np.asarray(wanted)), rtol=0, atol=1e-6
    )


def test_patches_keep_luma_at_full_size():
    """A single bright pixel stays one, though the network sees patches of four."""
    generator = Generator((8, 8), 8, 0, code_size=16, noise_size=8, patch_size=2)
    assert generator.stride == 4
    dark = np.full((1, 1, 16, 16, 3), -0.5, "float32")
    lit = dark.copy()
    lit[0, 0, 7, 8] = 0.9
    code = np.ones((1, 16), "float32")
    state = generator.initial_state(1, 16, 16)
    one, two = (np.asarray(generator(x, code, state)[0]) for x in (dark, lit))
    change = np.abs(two - one)[0, 0].mean(axis=-1)
    assert np.unravel_index(change.argmax(), change.shape) == (7, 8)
    with pytest.raises(ValueError, match="patch_size must be 1 or 2"):
        Generator(patch_size=4)


def test_local_contrast_lifts_faint_texture_to_the_strength_of_a_clear_one():
    random = np.random.default_rng(0)
    pattern = random.choice([-1.0, 1.0], (1, 24, 32, 1)).astype("float32")
    clear, faint = (
        np.asarray(local_contrast(0.3 + strength * pattern)) for strength in (0.6, 0.1)
    )
    assert np.abs(clear).mean() == pytest.approx(1, abs=0.1)
    assert np.abs(faint).mean() > 0.8 * np.abs(clear).mean()
    invisible = np.asarray(local_contrast(0.3 + 0.002 * pattern))
    assert np.abs(invisible).max() < 0.1  # noise stays noise
    flat = np.asarray(local_contrast(np.full((1, 8, 8, 1), 0.7, "float32")))
    np.testing.assert_allclose(flat, 0, atol=1e-4)
