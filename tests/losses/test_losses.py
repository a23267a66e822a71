import numpy as np
import pytest
from keras import ops

from vgan import InputError, losses
from vgan.losses import distribution, perceptual
from vgan.losses.features import FeatureNetwork
from vgan.metrics.content import edge_correlation


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def test_gram_matrix_and_moments():
    features = noise(2, 3, 4, 5, 6)
    gram = np.einsum("bthwi,bthwj->btij", features, features) / 20
    np.testing.assert_allclose(
        perceptual.gram_matrix(features), gram.reshape(2, 3, 36), atol=1e-6
    )
    moments = np.asarray(perceptual.mean_and_std(features))
    np.testing.assert_allclose(moments[..., :6], features.mean((2, 3)), atol=1e-6)
    np.testing.assert_allclose(moments[..., 6:], features.std((2, 3)), atol=1e-4)


def test_content_loss_is_relative():
    content = [noise(1, 2, 8, 8, 4), 100 * noise(1, 2, 4, 4, 8)]
    assert float(perceptual.content_loss(content, content)) == 0
    gone = [np.zeros_like(x) for x in content]
    np.testing.assert_allclose(perceptual.content_loss(gone, content), 1, rtol=1e-4)


def test_style_loss_ignores_places_and_knows_colors():
    features = FeatureNetwork("random")
    style = noise(1, 1, 128, 128, 3)

    def loss(clip):
        return float(
            perceptual.style_loss(features(clip)["style"], features(style)["style"])
        )

    moved = loss(np.roll(style, 64, axis=2))
    other = loss(0.3 + 0.5 * style)
    assert loss(style) < 1e-6
    assert moved < 0.05 * other


def test_style_loss_is_bounded_where_the_style_is_nearly_nothing():
    faint = [1e-3 * noise(2, 1, 8, 8, 4)]
    loss = float(perceptual.style_loss([noise(2, 3, 8, 8, 4, seed=1)], faint))
    assert 1.9 < loss <= 2
    back = float(perceptual.style_loss(faint, [noise(2, 3, 8, 8, 4, seed=1)]))
    assert 1.9 < back <= 2


def test_layout_is_free_of_color_and_contrast_but_not_of_relief():
    content = ops.average_pool(noise(1, 64, 64, 3), 9, 1, "same")[None]
    loss = perceptual.layout_loss
    tinted = 0.3 * content + np.array([0.3, -0.3, 0.1], "float32")
    assert float(loss(tinted, content)) < 0.02
    np.testing.assert_allclose(loss(-content, content), 2, atol=0.02)
    flat = ops.average_pool(content[0], 25, 1, "same")[None]
    assert float(loss(content - flat, content)) > 0.1
    np.testing.assert_allclose(loss(0 * content, content), 1, atol=1e-3)


def test_edges_are_compared_as_the_evaluation_does():
    content = ops.average_pool(noise(1, 64, 64, 3), 5, 1, "same")[None]
    other = ops.average_pool(noise(1, 64, 64, 3, seed=1), 5, 1, "same")[None]
    content, other = (np.asarray(x) / np.abs(x).max() for x in (content, other))
    assert float(perceptual.edge_loss(-0.5 * content, content)) < 0.02
    for result in (other, 0.5 * (content + other)):
        frames = [np.uint8(127.5 * (x[0, 0] + 1)) for x in (result, content)]
        wanted = 1 - edge_correlation(*frames)
        loss = float(perceptual.edge_loss(result, content))
        assert loss == pytest.approx(wanted, abs=0.05), wanted


def test_random_content_follows_edges_and_not_color_or_contrast():
    features = FeatureNetwork("random")
    content = ops.average_pool(noise(1, 64, 64, 3), 4, 1, "same")[None]

    def loss(clip):
        return float(
            perceptual.content_loss(
                features(clip)["content"], features(content)["content"]
            )
        )

    recolored = 0.5 * content + np.array([0.3, -0.3, 0.1], "float32")
    assert loss(recolored) < 0.3
    assert loss(noise(1, 1, 64, 64, 3, seed=3)) > 1


def test_energy_distance_tells_distributions_apart():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 400, 4)).astype("float32")
    near = float(distribution.energy_distance(x, y))
    far = float(distribution.energy_distance(x, y + 1))
    assert abs(near) < 0.05 < far


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("vgg19_normalised_to_conv3_1", 3),
        ("vgg19_keras_block1-3", 3),
        ("vgg19_cd16x_5SE", 5),
        ("squeezenet1.1_caffe", 4),
    ],
)
def test_feature_files_of_every_layout(shared_data, name, layers):
    features = FeatureNetwork(str(shared_data / "weights" / f"{name}.npz"))
    clip = noise(1, 2, 64, 64, 3)
    result = features(clip)
    assert len(result["style"]) == layers
    assert len(result["content"]) == (2 if layers == 5 else 1)
    assert result["style"][0].shape[:2] == (1, 2)
    assert float(perceptual.content_loss(result["content"], result["content"])) == 0
    changed = features(clip[:, :, ::-1])["content"]
    assert float(perceptual.content_loss(changed, result["content"])) > 0.02


def test_both_vgg_files_see_the_same(shared_data):
    """Two exports of one network: activations correlate away from the border."""
    clip = ops.image.resize(noise(1, 8, 8, 3), (64, 64), "bicubic")[None]
    one, two = (
        FeatureNetwork(str(shared_data / "weights" / f"{name}.npz"))(clip)["style"]
        for name in ("vgg19_normalised_to_conv3_1", "vgg19_keras_block1-3")
    )
    for a, b in zip(one, two, strict=True):
        margin = a.shape[2] // 4
        inner = np.s_[:, :, margin:-margin, margin:-margin]
        a, b = np.asarray(a)[inner], np.asarray(b)[inner]
        scale = (a * b).sum((0, 1, 2, 3)) / ((a * a).sum((0, 1, 2, 3)) + 1e-6)
        assert np.corrcoef((a * scale).ravel(), b.ravel())[0, 1] > 0.99


def test_bad_feature_files(tmp_path):
    with pytest.raises(InputError, match="no file"):
        FeatureNetwork(str(tmp_path / "none.npz"))
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(InputError, match="is not an"):
        FeatureNetwork(str(tmp_path / "text.npz"))
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(InputError, match="neither VGG nor SqueezeNet"):
        FeatureNetwork(str(tmp_path / "other.npz"))


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        (None, "losses: takes {name: weight}"),
        ([], "losses: takes {name: weight}"),
        (3, "losses: takes {name: weight}"),
        ("style", "losses: takes {name: weight}"),
        ({"adversarial": None}, "losses.adversarial.weight: takes a number"),
        ({"adversarial": []}, "losses.adversarial.weight: takes a number"),
        ({"adversarial": {"name": []}}, r"losses.adversarial: there is no loss \[\]"),
        ({3: 1}, "losses.3: there is no loss 3"),
        ({"style": 10**400}, "losses.style.weight: .*, got 1(0{49})$"),
        ({"style": 10**5000}, "losses.style.weight: .*, got a huge int"),
        ({"style": float("inf")}, "losses.style.weight: .*, got inf"),
        ({"style": True}, "losses.style.weight: .*, got True"),
    ],
)
def test_what_no_losses_are_built_of(terms, says):
    with pytest.raises(InputError, match=f"^{says}"):
        losses.build(terms)


def test_a_number_is_the_weight_of_the_adversarial_loss():
    (loss,) = losses.build({"adversarial": np.float32(3)})
    assert (type(loss), loss.weight) == (losses.Relativistic, 3)


@pytest.mark.parametrize("network", [None, 3, "", []])
def test_what_is_no_feature_network(network):
    with pytest.raises(InputError, match="takes a name or a file, random, vgg19"):
        FeatureNetwork(network)


def test_texture_loss_wants_texture_everywhere():
    """A wall half painted has the right spread on average, and the wrong in tiles."""
    style = [noise(1, 1, 32, 32, 4, seed=0)]
    painted = noise(1, 1, 32, 32, 4, seed=1)
    half = np.concatenate([2**0.5 * painted[:, :, :16], 0 * painted[:, :, 16:]], axis=2)

    def loss(clip, **arguments):
        return float(perceptual.texture_loss([clip], style, tile=8, **arguments))

    assert loss(painted) < 0.05
    assert loss(half) > 10 * loss(painted)
    assert loss(3 + painted) == pytest.approx(loss(painted), rel=0.01)
    assert float(perceptual.texture_loss([half], style, tile=32)) < loss(half) / 5
