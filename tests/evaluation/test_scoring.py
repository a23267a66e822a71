import numpy as np
import pytest

from vgan.datasets.synthetic import scene
from vgan.evaluation.features import MeasuringFeatures
from vgan.evaluation.metrics.style import StyleRuler
from vgan.evaluation.scoring import SAMPLES, Samples, Scorer


@pytest.fixture(scope="module")
def features():
    return MeasuringFeatures(short_side=64)


@pytest.fixture(scope="module")
def clip():
    return scene(4, 12, 64, 80).frames


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("count", [1, 5, 16, 17, 100, 1000])
def test_samples_are_few_and_evenly_spaced(count):
    samples = Samples()
    for i in range(count):
        samples.offer(i)
    assert min(count, SAMPLES // 2) <= len(samples.items) <= SAMPLES
    assert samples.items[0] == 0
    steps = np.diff(samples.items)
    assert len(set(steps)) <= 1
    assert samples.items[-1] >= count - 2 * (steps[0] if len(steps) else 1)


def test_a_copy_keeps_all_and_has_no_style(features, clip):
    ruler = StyleRuler(features, noise(1, 64, 64, 3))
    scorer = Scorer(features, {"noise": ruler})
    score = scorer.score(((f, f) for f in clip), "copy", "scene", "noise")
    figures = score.figures
    assert score.num_frames == 12
    assert figures["style_strength"] == pytest.approx(0, abs=1e-6)
    assert figures["style_strength_grey"] == pytest.approx(0, abs=1e-6)
    assert figures["content_distance"] == pytest.approx(0, abs=1e-6)
    assert figures["temporal_feature_difference"] == pytest.approx(0, abs=1e-6)
    assert figures["ssim"] == pytest.approx(1)
    assert figures["frame_difference_ratio"] == pytest.approx(1)
    assert len(score.series["ssim"]) == 12
    assert score.time_slice.shape == (12, 80, 3)
    assert np.array_equal(score.time_slice[3], clip[3, 32])


def test_the_style_itself_has_all_of_it(features, clip):
    style = noise(1, 64, 80, 3)
    scorer = Scorer(features, {"noise": StyleRuler(features, style)})
    score = scorer.score(((f, style[0]) for f in clip), "paint", "scene", "noise")
    assert score.figures["style_strength"] == pytest.approx(1, abs=1e-3)
    assert score.figures["ssim"] < 0.2
    assert score.figures["content_distance"] > 0.3


def test_what_is_kept_of_a_content_is_not_taken_for_another(features, clip):
    rulers = {"noise": StyleRuler(features, noise(1, 64, 64, 3))}
    other = scene(5, 12, 64, 80).frames
    scorer = Scorer(features, rulers)
    scorer.score(((f, 255 - f) for f in clip), "negative", "one", "noise")
    second = scorer.score(((f, 255 - f) for f in other), "negative", "two", "noise")
    alone = Scorer(features, rulers).score(
        ((f, 255 - f) for f in other), "negative", "two", "noise"
    )
    assert second.figures == alone.figures


def test_pairs_across_a_cut_are_not_compared(features):
    frames = [*scene(1, 6, 64, 80).frames, *noise(1, 64, 80, 3), *noise(1, 64, 80, 3)]
    frames += list(scene(2, 6, 64, 80).frames)
    score = Scorer().score(((f, f) for f in frames), "copy", "cut", "")
    assert score.figures["warping_error_1"] < 2e-3
    assert score.series["warping_error_1"].count(None) >= 2


def test_style_codes_are_compared_and_nothing_is_no_clip():
    frames = noise(3, 32, 32, 3)
    code = np.ones((1, 4), np.float32)
    score = Scorer().score(
        ((f, f) for f in frames), "x", "c", "s", (code, lambda seen: 3 * code)
    )
    assert score.figures["code_distance"] == pytest.approx(0.5)
    assert "style_strength" not in score.figures
    with pytest.raises(ValueError, match="no frames"):
        Scorer().score((), "x", "c", "s")
