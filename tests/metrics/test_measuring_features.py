import numpy as np
import pytest

from vgan import InputError
from vgan.losses.features import FeatureNetwork
from vgan.metrics.features import MeasuringFeatures, scale_to

TRUE, DISTILLED = "vgg19_keras_block1-3.npz", "vgg19_cd16x_5SE.npz"


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def vgg(path, blocks, channels, seed=0):
    """A small VGG of random weights, one convolution a block."""
    random = np.random.default_rng(seed)
    weights, before = {}, 3
    for block in range(1, blocks + 1):
        kernel = random.normal(size=(3, 3, before, channels)) / np.sqrt(9 * before)
        weights[f"conv{block}_1/kernel"] = kernel.astype("float32")
        weights[f"conv{block}_1/bias"] = np.zeros(channels, "float32")
        before = channels
    np.savez(path, **weights)
    return str(path)


def test_layers_by_name_are_the_features_that_losses_read():
    network = FeatureNetwork("random")
    clip = np.random.default_rng(0).uniform(-1, 1, (2, 3, 32, 40, 3)).astype("float32")
    layers, features = network.layers(clip), network(clip)
    assert list(layers)[:4] == ["texture0", "color0", "edges1", "texture1"]
    assert layers["edges1"].shape == (2, 3, 16, 20, 24)
    for role in ("content", "style"):
        named = [layers[name] for name, roles in network.roles.items() if role in roles]
        for x, y in zip(named, features[role], strict=True):
            np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(layers["color0"], clip)
    assert list(network.layers(clip, last="edges1")) == list(layers)[:3]


def test_each_layer_is_of_the_first_network_that_has_it(tmp_path):
    shallow = vgg(tmp_path / "shallow.npz", blocks=2, channels=8)
    deep = vgg(tmp_path / "deep.npz", blocks=5, channels=4, seed=1)
    features = MeasuringFeatures([shallow, deep])
    assert features.sources == {
        "relu1_1": "shallow.npz",
        "relu2_1": "shallow.npz",
        "relu3_1": "deep.npz",
        "relu4_1": "deep.npz",
        "relu5_1": "deep.npz",
    }
    assert features.content_layers == ["relu3_1", "relu4_1"]
    assert features.style_layers == list(features.sources)

    frames = noise(6, 64, 48, 3)
    found = features(frames, scaled=False)
    assert found["relu1_1"].shape == (6, 64, 48, 8)
    assert found["relu3_1"].shape == (6, 16, 12, 4)
    clip = frames[None].astype("float32") / 127.5 - 1
    for name, path in (("relu2_1", shallow), ("relu5_1", deep)):
        alone = np.asarray(FeatureNetwork(path).layers(clip)[name])[0]
        np.testing.assert_allclose(found[name], alone, rtol=1e-3, atol=1e-3)


def test_random_network_measures_at_a_short_side_of_256():
    features = MeasuringFeatures()
    assert features.content_layers == ["edges1", "edges2", "edges3"]
    assert features.style_layers[:2] == ["texture0", "color0"]
    assert set(features.sources.values()) == {"random"}
    found = features(noise(1, 64, 96, 3))
    assert found["texture0"].shape == (1, 256, 384, 24)
    assert all(layer.dtype == np.float32 for layer in found.values())


def test_frames_come_in_small_batches_of_the_same_values():
    features = MeasuringFeatures()
    frames = noise(9, 40, 40, 3)
    batches = list(features.batches(frames, scaled=False))
    assert [len(batch["edges1"]) for batch in batches] == [4, 4, 1]
    last = features(frames[8:], scaled=False)
    np.testing.assert_allclose(batches[2]["edges1"], last["edges1"], atol=1e-5)


def test_scaling_averages_down_and_keeps_what_fits():
    checks = np.kron([[0, 1], [1, 0]], np.ones((1, 1)))
    checks = np.uint8(255 * np.tile(checks, (8, 16)))[None, :, :, None].repeat(3, -1)
    smaller = scale_to(checks, 8)
    assert smaller.shape == (1, 8, 16, 3)
    assert np.abs(smaller.astype(float) - 127.5).max() <= 1
    assert scale_to(checks, 16) is checks
    assert scale_to(checks, 24).shape == (1, 24, 48, 3)


def test_bad_networks_and_frames(tmp_path):
    with pytest.raises(InputError, match=r"^features: no network"):
        MeasuringFeatures([])
    with pytest.raises(InputError, match=r"^net: no file .*none\.npz"):
        MeasuringFeatures([str(tmp_path / "none.npz")], argument="net")
    (tmp_path / "text.npz").write_text("text")
    with pytest.raises(InputError, match=r"^features: .*text\.npz is not"):
        MeasuringFeatures([str(tmp_path / "text.npz")])
    deep = vgg(tmp_path / "deep.npz", blocks=3, channels=4)
    for useless in (deep, "random"):
        with pytest.raises(InputError, match="adds no layer to relu1_1"):
            MeasuringFeatures([deep, useless])
    features = MeasuringFeatures()
    for frames in (noise(8, 8, 3), noise(1, 8, 8, 4), noise(1, 8, 8, 3) / 255):
        with pytest.raises(ValueError, match=r"expected uint8 \[N, H, W, 3\]"):
            features(frames)
    with pytest.raises(ValueError, match="at least one frame"):
        features(noise(0, 8, 8, 3))


def test_true_vgg_up_to_block_3_and_distilled_below(shared_data):
    paths = [str(shared_data / "weights" / name) for name in (TRUE, DISTILLED)]
    features = MeasuringFeatures(paths)
    assert features.sources == {
        **dict.fromkeys(["relu1_1", "relu2_1", "relu3_1"], TRUE),
        **dict.fromkeys(["relu4_1", "relu5_1"], DISTILLED),
    }
    found = features(noise(1, 64, 64, 3), scaled=False)
    channels = [layer.shape[-1] for layer in found.values()]
    assert channels == [64, 128, 256, 128, 128]
    assert list(MeasuringFeatures(paths[1:]).sources.values()) == [DISTILLED] * 5
    with pytest.raises(InputError, match="adds no layer"):
        MeasuringFeatures(paths[::-1])
