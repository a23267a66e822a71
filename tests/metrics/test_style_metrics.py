import cv2
import numpy as np
import pytest

from vgan.metrics import style
from vgan.metrics.features import MeasuringFeatures
from vgan.metrics.style import StyleMeter, StyleScorer
from vgan.video import read_image

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def texture(seed, size=(128, 128), grain=1.5):
    """A colored texture [h, w, 3]; its grain in pixels."""
    random = np.random.default_rng(seed)
    picture = cv2.GaussianBlur(random.normal(size=(*size, 3)), (0, 0), grain)
    picture = 128 + picture @ random.normal(size=(3, 3)) * 120 * grain
    return np.uint8(np.clip(picture + random.uniform(-60, 60, 3), 0, 255))


@pytest.fixture(scope="module")
def features():
    return MeasuringFeatures()


@pytest.fixture(scope="module")
def content():
    return np.stack([texture(seed, grain=4) for seed in (1, 2)])


@pytest.fixture(scope="module")
def painting():
    return texture(3)[None]


@pytest.fixture(scope="module")
def scorer(features, painting):
    return StyleScorer(features, painting)


def test_distances_of_known_features():
    random = np.random.default_rng(0)
    seen = random.normal(size=(2, 6, 5, 4)).astype("float32")
    flat = seen.reshape(2, 30, 4)
    other = random.normal(size=(1, 3, 3, 4)).astype("float32")
    a = np.einsum("nsi,nsj->ij", flat, flat) / 60
    b = np.einsum("nhwi,nhwj->ij", other, other) / 9
    expected = np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b))
    assert style.gram_distance(seen, other) == pytest.approx(expected, rel=1e-4)

    a = np.concatenate([flat.mean(1), flat.std(1)], axis=1).mean(0)
    b = np.concatenate([other.mean((1, 2)), other.std((1, 2))], axis=1)[0]
    expected = np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b))
    assert style.mean_and_std_distance(seen, other) == pytest.approx(expected, rel=1e-4)

    moved = seen[:, ::-1, ::-1]
    for distance in (style.gram_distance, style.mean_and_std_distance):
        assert distance(seen, moved) == pytest.approx(0, abs=1e-5)
    assert style.gram_distance(seen, 2 * seen) == pytest.approx(3 / 5, rel=1e-4)
    assert style.mean_and_std_distance(seen, 2 * seen) == pytest.approx(1 / 3, rel=1e-4)


def test_only_the_gram_matrix_knows_what_occurs_together():
    x = np.tile(np.array([1, -1], "float32"), 18).reshape(1, 6, 6, 1)
    together = np.concatenate([x, x], axis=-1)
    apart = np.concatenate([x, -x], axis=-1)
    assert style.mean_and_std_distance(together, apart) == pytest.approx(0, abs=1e-6)
    assert style.gram_distance(together, apart) > 0.5


def test_code_distance_and_strength():
    code = np.array([[1.0, 2, 2]])
    assert style.code_distance(code, code) == 0
    assert style.code_distance(code, 3 * code) == pytest.approx(0.5)
    assert style.strength(0.2, 0.8) == pytest.approx(0.75)
    assert style.strength(1.0, 0.8) == pytest.approx(-0.25)
    assert np.isnan(style.strength(0.0, 0.0))


def test_meter_is_the_mean_over_frames_however_they_come():
    seen = np.random.default_rng(0).normal(size=(5, 6, 4, 3)).astype("float32")
    at_once, in_parts = StyleMeter(), StyleMeter()
    at_once.update({"a": seen})
    in_parts.update({"a": seen[:4]})
    in_parts.update({"a": seen[4:]})
    x, y = at_once.statistics()["a"], in_parts.statistics()["a"]
    np.testing.assert_allclose(x.gram, y.gram, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(x.mean_and_std, y.mean_and_std, rtol=1e-4, atol=1e-6)
    for statistic, distance in (
        ("gram", style.gram_distance),
        ("mean_and_std", style.mean_and_std_distance),
    ):
        half = StyleMeter()
        half.update({"a": seen[:2]})
        found = style.style_distance(half.statistics(), at_once.statistics(), statistic)
        expected = distance(seen[:2], seen)
        assert found == {"a": pytest.approx(expected, rel=1e-3)}


def test_strength_is_0_for_the_content_and_1_for_the_style(
    features, scorer, content, painting
):
    measured = scorer.content(content)
    same = scorer.figures(measured, content)
    there = scorer.figures(measured, painting)
    strengths = [name for name in same if name.startswith("style_strength")]
    assert strengths[:3] == [
        "style_strength",
        "style_strength_gray",
        "style_strength_spread",
    ]
    per_layer = [f"style_strength/{name}" for name in features.style_layers]
    assert set(strengths[3:]) == set(per_layer)
    for name in strengths:
        assert same[name] == pytest.approx(0, abs=1e-4), name
        assert there[name] == pytest.approx(1, abs=1e-4), name

    steps = [0]
    for covered in (32, 64, 96):  # columns of 128 that the painting covers
        partly = content.copy()
        partly[:, :, :covered] = painting[:, :, :covered]
        steps.append(scorer.figures(measured, partly)["style_strength"])
    assert all(np.diff([*steps, 1]) > 0.05)
    for name in ("style_ceiling", "style_ceiling_gray"):
        assert 0.3 < same[name] < 0.99
        assert there[name] == same[name]


def test_ceiling_is_what_the_quarters_of_the_style_reach(features, content):
    painting = texture(5, size=(256, 300))[None]
    scorer = StyleScorer(features, painting)
    measured = scorer.content(content)
    figures = scorer.figures(measured, content)
    whole = features(painting)
    quarters = [
        np.mean(
            [
                style.gram_distance(seen[name], whole[name])
                for name in features.style_layers
            ]
        )
        for seen in (
            features(painting[:, rows, columns], scaled=False)
            for rows in (slice(0, 128), slice(128, 256))
            for columns in (slice(0, 150), slice(150, 300))
        )
    ]
    seen = features(content)
    d_content = np.mean(
        [style.gram_distance(seen[n], whole[n]) for n in features.style_layers]
    )
    expected = np.mean([1 - d / d_content for d in quarters])
    assert figures["style_ceiling"] == pytest.approx(expected, abs=1e-3)


def test_gray_strength_does_not_see_color(scorer, content, painting):
    # The painting's hue at the content's luma: all of the color, none of the brush.
    ycc = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb) for frame in content])
    hue = cv2.cvtColor(painting[0], cv2.COLOR_RGB2YCrCb).mean((0, 1))[1:]
    ycc[..., 1:] = hue
    # Extreme luma leaves no room for color.
    ycc[..., 0] = ycc[..., 0] // 2 + 64
    plain = ycc.copy()
    plain[..., 1:] = 128
    plain, recolored = (
        np.stack([cv2.cvtColor(frame, cv2.COLOR_YCrCb2RGB) for frame in frames])
        for frames in (plain, ycc)
    )
    figures = scorer.figures(scorer.content(plain), recolored)
    assert figures["style_strength"] > 0.1
    assert abs(figures["style_strength_gray"]) < 0.01


def test_a_content_that_is_the_style_has_no_strength_to_gain(scorer, painting):
    figures = scorer.figures(scorer.content(painting), painting)
    assert figures["style_strength"] is None
    assert figures["style_ceiling"] is None


def test_the_other_half_of_a_painting_on_vgg(shared_data):
    weights = shared_data / "weights"
    features = MeasuringFeatures(
        [
            str(weights / "vgg19_keras_block1-3.npz"),
            str(weights / "vgg19_cd16x_5SE.npz"),
        ]
    )
    painting = read_image(shared_data / "styles" / "mikhail_vrubel__baoat_79.jpg")
    photo = read_image(shared_data / "photos" / "bsds500_test_100007.jpg")
    half = painting.shape[1] // 2
    scorer = StyleScorer(features, painting[None, :, :half])
    figures = scorer.figures(scorer.content(photo[None]), painting[None, :, half:])
    assert 0.5 < figures["style_ceiling"] < 0.8
    assert 0.5 < figures["style_ceiling_gray"] < 0.8
    assert 0.4 < figures["style_strength"] < 0.9
    for name in LAYERS:
        assert 0.2 < figures[f"style_strength/{name}"] < 1
