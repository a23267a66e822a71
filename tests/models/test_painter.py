import keras
import numpy as np
import pytest
from keras import ops

from tests.tiny import TINY_PAINTER
from vgan.models import Painter, palette
from vgan.models.recurrent import MotionAdaptiveFilter
from vgan.runtime.engines import describe
from vgan.runtime.styles import blend


def clip(batch=2, frames=4, height=24, width=32, seed=0):
    random = np.random.default_rng(seed)
    return random.uniform(-1, 1, (batch, frames, height, width, 3)).astype("float32")


def painter(**arguments):
    keras.utils.set_random_seed(0)
    return Painter(**{**TINY_PAINTER, **arguments})


def run(network, content, code, state=None):
    state = state or network.initial_state(content.shape[0], *content.shape[2:4])
    frames, state = network(content, code, state)
    return np.asarray(frames), state


def style(batch=2):
    return clip(batch, 1, 32, 48, seed=1)


@pytest.mark.parametrize("separable", [False, True])
def test_stream_equals_clip(separable):
    network, content = painter(separable=separable), clip()
    code = network.encode_style(style())
    whole, last = run(network, content, code)
    state = None
    for t in range(content.shape[1]):
        frame, state = run(network, content[:, t : t + 1], code, state)
        np.testing.assert_allclose(frame[:, 0], whole[:, t], atol=1e-5)
    assert set(state) == set(last)
    for name, value in state.items():
        np.testing.assert_allclose(value, last[name], atol=1e-5)


@pytest.mark.parametrize("separable", [False, True])
def test_save_load_and_describe(tmp_path, separable):
    network = painter(separable=separable)
    network.named_styles = {"rain": [0.5] * network.code_size}
    path = tmp_path / "generator.keras"
    network.save(path)
    info = describe(path)
    assert info.code_size == network.code_size == 2 * (2 * 8 + 8) + 8 + 13
    assert info.stride == network.stride
    assert info.named_styles == network.named_styles
    loaded = keras.models.load_model(path)
    codes = [g.encode_style(style()) for g in (network, loaded)]
    np.testing.assert_array_equal(*codes)
    frames = [run(g, clip(), codes[0])[0] for g in (network, loaded)]
    np.testing.assert_array_equal(*frames)


def colors(frames):
    """Mean and covariance of what the last tanh was given."""
    found = 2 * np.arctanh(np.asarray(frames, "float64").reshape(-1, 3))
    return found.mean(axis=0), np.cov(found.T)


def test_results_have_the_palette_of_the_style():
    """Whatever the content; not quite, since gray results are not colored at will."""
    network, random = painter(recursive=False), np.random.default_rng(0)
    mixed = random.normal(size=(32 * 32, 3)) @ [
        [0.6, 0.4, 0],
        [0, 0.3, 0.2],
        [0, 0, 0.3],
    ]
    picture = np.tanh(0.5 * (mixed + np.float32([0.5, -0.2, 0.1]))).astype("float32")
    picture = picture.reshape(1, 1, 32, 32, 3)
    mean, covariance = colors(picture)
    network.to_rgb.kernel.assign(9 * network.to_rgb.kernel)  # as much as when trained
    code = network.encode_style(picture)
    for content in (clip(1, 1), 0.05 * clip(1, 1, seed=3) + 0.8):
        found = colors(run(network, content, code)[0])
        np.testing.assert_allclose(found[0], mean, atol=0.02)
        np.testing.assert_allclose(found[1], covariance, atol=0.07)


def test_light_keeps_its_order():
    """Dark, middle and light take the colors that the style has there."""
    random = np.random.default_rng(0)
    light = random.uniform(-2, 2, (1, 1, 64, 64, 1))
    picture = np.tanh(0.5 * light * [1, 1, -0.3]).astype("float32")  # blue to yellow
    patches = random.normal(size=(1, 16, 16, 1)) + random.normal(size=(16, 16, 12)) / 9
    patches = np.float32(3 + 7 * patches)
    recolored, _ = palette.recolor(
        *(patches, palette.palette(picture), palette.initial_state(1)),
        [ops.ones((1, 1))],
    )
    before, after = (np.reshape(x, (-1, 3)) for x in (patches, recolored))
    order = np.corrcoef(before.sum(axis=1), after.sum(axis=1))[0, 1]
    assert order > 0.999
    yellow = after[:, 0] + after[:, 1] - 2 * after[:, 2]
    assert np.corrcoef(before.sum(axis=1), yellow)[0, 1] > 0.95


def test_a_gray_result_is_not_colored_at_will():
    """Faint noise in its colors would be confetti."""
    random = np.random.default_rng(0)
    picture = random.uniform(-1, 1, (1, 1, 64, 64, 3)).astype("float32")
    gray = random.normal(size=(1, 16, 16, 4, 1)) + np.zeros(3)
    faint = gray + 1e-3 * random.normal(size=gray.shape)
    recolored, _ = palette.recolor(
        np.float32(faint.reshape(1, 16, 16, 12)),
        *(palette.palette(picture), palette.initial_state(1), [ops.ones((1, 1))]),
    )
    pixels = np.reshape(recolored, (-1, 3))
    pixels = pixels - pixels.mean(axis=0)
    assert pixels.std() > 0.5
    away = pixels - pixels.mean(axis=1, keepdims=True)
    _, strengths, _ = np.linalg.svd(away)
    assert strengths[1] < 0.02 * np.linalg.norm(pixels)


def test_hues_that_the_style_lacks_are_left_out():
    """Red and gray: what is not red is gray, and nothing is cyan."""
    random = np.random.default_rng(0)
    red = (random.uniform(size=(64, 64, 1)) < 0.3) * np.float32([0.9, -0.6, -0.6])
    picture = red[None, None] + 0.05 * random.normal(size=(64, 64, 1))
    patches = np.float32(random.normal(size=(1, 16, 16, 12)))
    recolored, _ = palette.recolor(
        *(patches, palette.palette(np.float32(picture)), palette.initial_state(1)),
        [ops.ones((1, 1))],
    )
    pixels = np.reshape(recolored, (-1, 3))
    redness = pixels[:, 0] - pixels[:, 1:].mean(axis=1)
    assert redness.max() > 1
    assert redness.min() > -0.1


def test_files_of_before_learnt_their_palette():
    config = painter(recursive=False).get_config()
    del config["recolors"]
    network = Painter.from_config(config)
    code = np.array(network.encode_noise(clip().reshape(-1, 8)[:1]))
    means, spreads = np.float32([0.5, -0.2, 0.1]), np.float32([0.3, 0.1, 0.2])
    code[:, -14:-8] = np.concatenate([spreads, means])
    for content in (clip(1, 1), 0.05 * clip(1, 1, seed=3) + 0.8):
        mean, covariance = colors(run(network, content, code)[0])
        np.testing.assert_allclose(mean, means, atol=1e-2)
        np.testing.assert_allclose(covariance.diagonal() ** 0.5, spreads, atol=1e-2)


def test_statistics_are_running_averages():
    """One dark frame among many hardly moves what all are normalized by."""
    network = painter()
    network.recall.kernel.assign(0 * network.recall.kernel)  # frames by themselves
    code = network.encode_style(style(1))
    steady = np.repeat(clip(1, 1), 30, axis=1)
    _, before = run(network, steady, code)
    _, after = run(network, 0 * steady[:, :1] - 1, code, before)
    for name in ("mean", "variance"):
        _, alone = run(network, 0 * steady[:, :1] - 1, code)
        moved = ops.convert_to_numpy(after[name] - before[name])
        whole = ops.convert_to_numpy(alone[name] - before[name])
        # The first normalization alone sees the same features in both.
        np.testing.assert_allclose(moved[:, :8], 0.1 * whole[:, :8], atol=1e-4)


def test_a_flat_picture_stays_flat():
    network = painter(noise_channels=0)
    flat = np.full((1, 1, 32, 32, 3), 0.3, "float32")
    frames, _ = run(network, flat, network.encode_style(style(1)))
    within = frames.reshape(-1, 3)
    assert np.ptp(within, axis=0).max() < 0.2  # rounding, enlarged by normalizing


def test_the_style_and_the_past_matter():
    network, content = painter(), clip()
    network.recall.kernel.assign(10 * network.recall.kernel)
    first, _ = run(network, content, network.encode_style(style()))
    second, _ = run(network, content, network.encode_style(-0.5 + 0 * style()))
    assert np.abs(first - second).mean() > 1e-3
    fresh, _ = run(network, content[:, 2:], network.encode_style(style()))
    assert np.abs(first[:, 2:] - fresh).max() > 1e-3


def test_blends_are_linear():
    network = painter()
    noise = np.random.default_rng(0).normal(size=(2, 1, 8)).astype("float32")
    codes = [np.asarray(network.encode_noise(z)) for z in noise]
    np.testing.assert_allclose(
        blend(codes, [3, 1]), 0.75 * codes[0] + 0.25 * codes[1], rtol=1e-5
    )


def test_weights_of_a_vgg_are_taken():
    network = painter()
    encoder = network.style_encoder
    random = np.random.default_rng(0)
    names = ["preprocess", *(f"conv{name}" for name in encoder.convolutions)]
    layers = [encoder.to_bgr, *encoder.convolutions.values()]
    weights = {}
    for name, layer in zip(names, layers, strict=True):
        for part, variable in (("kernel", layer.kernel), ("bias", layer.bias)):
            weights[f"{name}/{part}"] = random.normal(size=variable.shape) * 0.3
    before = np.asarray(encoder.statistics(style()))
    encoder.load_vgg(weights)
    np.testing.assert_allclose(
        encoder.convolutions["5_1"].kernel, weights["conv5_1/kernel"], rtol=1e-6
    )
    assert np.abs(encoder.statistics(style()) - before).max() > 0.1
    names = [v.path for v in network.trainable_variables]
    assert not any("conv5_1" in name or "preprocess" in name for name in names)


def test_works_in_bfloat16_with_statistics_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = painter()
    finally:
        keras.config.set_dtype_policy("float32")
    plain = painter()
    plain.set_weights(network.get_weights())
    code = plain.encode_style(style())
    frames, state = run(network, clip(), code)
    for name in ("mean", "variance", "age"):
        assert ops.dtype(state[name]) == "float32"
    assert np.abs(frames - run(plain, clip(), code)[0]).mean() < 0.02


def test_cost_of_a_frame():
    pytest.importorskip("tensorflow")
    from vgan.runtime.engines.keras_engine import KerasEngine

    whole, separable = (
        KerasEngine(Painter(separable=given)).count_macs(256, 256)
        for given in (False, True)
    )
    assert 0.5e9 < whole < 1.2e9
    assert separable < 0.4 * whole


class TestNoiseField:
    """Walls without anything on them, in styles that take all of the noise or none."""

    wall = np.zeros((1, 3, 32, 48, 3), np.float32)

    def code(self, network, amount):
        code = np.array(network.encode_style(style(1)))
        start = 2 * sum(network.normalized)
        code[:, start : start + 8] = amount
        return code

    def test_a_style_takes_as_much_as_it_wants(self):
        network = painter()
        plain, dabbed = (run(network, self.wall, self.code(network, a)) for a in (0, 1))
        assert np.ptp(plain[0], axis=(2, 3)).max() < 1e-3
        assert np.ptp(dabbed[0], axis=(2, 3)).max() > 0.05

    def test_marks_move_with_the_field(self):
        network = painter(recursive=False, recolors=False)  # its scale is the bounds'
        wall = np.zeros((1, 1, 32, 96, 3), "float32")
        code = self.code(network, 1)
        _, state = run(network, wall, code)
        moved = {**state, "noise_field": ops.roll(state["noise_field"], 4, axis=2)}
        still, moved = (run(network, wall, code, s)[0][0, 0] for s in (state, moved))
        here, there = still[:, 32:48], moved[:, 64:80]
        # Statistics of whole frames differ by what lies at the borders.
        np.testing.assert_allclose(there, here, atol=0.05)
        assert np.abs(still[:, 64:80] - here).max() > 0.2

    def test_fields_of_a_clip(self):
        network = painter()
        code = self.code(network, 1)
        field = network.noise_field(network.initial_state(1, 32, 48))
        fields = ops.stack([ops.roll(field, t, axis=1) for t in range(3)], axis=1)
        state = network.initial_state(1, 32, 48)
        clip, last = network(self.wall, code, state, noise_fields=fields)
        for t in range(3):
            frame, state = network(
                self.wall[:, :1], code, state, noise_fields=fields[:, t : t + 1]
            )
            np.testing.assert_allclose(frame[:, 0], clip[:, t], atol=1e-5)
        np.testing.assert_array_equal(last["noise_field"], fields[:, -1])

    def test_a_frame_larger_than_the_field(self):
        network = painter()
        field = np.asarray(network.noise_field(network.initial_state(1, 16, 1024)))
        np.testing.assert_array_equal(field[:, :, :64], field[:, :, 64:])
        assert abs(field[:, :, :64].std() - 1) < 0.3

    def test_a_file_of_before_has_none(self):
        config = {
            k: v for k, v in painter().get_config().items() if "channels" not in k
        }
        network = Painter.from_config(config)
        assert network.code_size == 2 * (2 * 8 + 8) + 13
        assert "noise_field" not in network.initial_state(1, 32, 48)
        run(network, self.wall, network.encode_style(style(1)))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"noise_channels": -1}, "noise_channels"),
        ({"noise_channels": True}, "noise_channels"),
        ({"filters": (8, 8)}, "filters"),
        ({"filters": 8}, "filters"),
        ({"blocks": 0}, "blocks"),
        ({"blocks": 100_000}, "blocks"),
        ({"latent_size": 0}, "latent_size"),
        ({"style_filters": (8,)}, "style_filters"),
        ({"named_styles": []}, "named_styles"),
    ],
)
def test_bad_arguments_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        painter(**arguments)


def filtered(pictures, brightness, bias):
    """Run a MotionAdaptiveFilter whose weight is constant over frames [T, h, w, C]."""
    layer = MotionAdaptiveFilter(pictures.shape[-1], stride=2)
    layer.choose.kernel.assign(ops.zeros_like(layer.choose.kernel))
    layer.choose.bias.assign([bias])
    state = layer.initial_state(1, *(size // 2 for size in pictures.shape[1:3]))
    ages = [np.full((1, 1), t, "float32") for t in range(len(pictures))]
    return np.asarray(layer(pictures, brightness, state, ages)[0])


def test_the_filter_averages_what_stands_still():
    random = np.random.default_rng(0)
    still = random.normal(size=(1, 8, 12, 3)).astype("float32")
    noisy = still + 0.1 * random.normal(size=(40, 8, 12, 3)).astype("float32")
    result = filtered(noisy, noisy[..., :1], 0.0)
    np.testing.assert_allclose(result[0], noisy[0], atol=1e-6)  # there was no past
    # An average with weights 1/2, 1/4, ... has a third of the variance.
    spread = np.var(result[8:] - still) / np.var(noisy - still)
    assert 0.3 < spread < 0.5  # clamping takes some of it
    same = filtered(np.repeat(still, 9, axis=0), noisy[:9, ..., :1], 3.0)
    np.testing.assert_allclose(same[-1], still[0], atol=1e-5)


def test_the_filter_leaves_no_ghosts():
    random = np.random.default_rng(0)
    ground = random.uniform(-1, 1, size=(12, 16, 3)).astype("float32")
    ghost = ground.copy()
    ghost[4:8, 4:8] = 5
    pictures = np.stack([ghost, ground])
    result = filtered(pictures, pictures[..., :1], 50.0)
    assert result[0].max() == 5
    assert result[1].max() <= 1
