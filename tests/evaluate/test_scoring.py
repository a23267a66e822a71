import numpy as np
import pytest

from vgan.datasets.synthetic import scene
from vgan.evaluate.scoring import SAMPLES, Samples, Scorer
from vgan.evaluate.systems import Method, Painted
from vgan.metrics import METRICS
from vgan.metrics.features import MeasuringFeatures
from vgan.metrics.paint import PaintScorer
from vgan.metrics.style import StyleScorer


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


def undescribed(figures):
    """What was measured and is not in METRICS; layers are of what is before the /."""
    return {name.partition("/")[0] for name in figures} - METRICS.keys()


def score(scorer, frames, method, style=""):
    (only,) = scorer.score(frames, "scene", {("system", style): method})
    return only


def test_a_copy_keeps_all_and_has_no_style(features, clip):
    style_scorer = StyleScorer(features, noise(1, 64, 64, 3))
    found = score(Scorer(features, {"noise": style_scorer}), clip, Method(), "noise")
    figures = found.figures
    assert found.num_frames == 12
    assert undescribed(figures) == set()
    assert figures["style_strength"] == pytest.approx(0, abs=1e-6)
    assert figures["style_strength_gray"] == pytest.approx(0, abs=1e-6)
    assert figures["content_distance"] == pytest.approx(0, abs=1e-6)
    assert figures["temporal_feature_difference"] == pytest.approx(0, abs=1e-6)
    assert figures["ssim"] == pytest.approx(1)
    assert figures["frame_difference_ratio"] == pytest.approx(1)
    assert len(found.series["ssim"]) == 12
    assert found.time_slice.shape == (12, 80, 3)
    assert np.array_equal(found.time_slice[3], clip[3, 32])


@pytest.mark.slow
def test_the_style_itself_has_all_of_it(features, clip):
    style = noise(1, 64, 80, 3)
    scorer = Scorer(features, {"noise": StyleScorer(features, style)})
    found = score(scorer, clip, Painted(lambda _: style[0]), "noise")
    assert found.figures["style_strength"] == pytest.approx(1, abs=1e-3)
    assert found.figures["ssim"] < 0.2
    assert found.figures["content_distance"] > 0.3


@pytest.mark.slow
def test_a_judge_and_the_paint_stand_beside(features, clip):
    style, judge = noise(1, 64, 80, 3), MeasuringFeatures(short_side=48)
    scorer = Scorer(
        features,
        {"noise": StyleScorer(features, style)},
        {"noise": StyleScorer(judge, style)},
        {"noise": PaintScorer(style)},
    )
    mixed = Painted(lambda frame: frame // 2 + style[0] // 2)
    # of another content before: nothing of it may stay
    score(scorer, 255 - scene(5, 12, 64, 80).frames, mixed, "noise")
    found = score(scorer, clip, mixed, "noise").figures
    assert undescribed(found) == set()
    alone = StyleScorer(judge, style)
    results = np.stack([frame // 2 + style[0] // 2 for frame in clip])
    expected = alone.figures(alone.content(clip), results)
    for name in ("style_strength", "style_strength_gray", "style_ceiling"):
        assert found[f"{name}_judge"] == pytest.approx(expected[name], abs=1e-4)
        assert found[f"{name}_judge"] != found[name]
    assert 0 < found["palette_distance"] < 40
    assert found["tone_correlation"] > 0.9
    copied = score(scorer, clip, Method(), "noise").figures
    assert copied["style_strength_judge"] == pytest.approx(0, abs=1e-6)
    assert copied["color_explained"] == pytest.approx(1)


@pytest.mark.slow
def test_results_are_scored_together_as_alone(features, clip):
    style_scorer = StyleScorer(features, noise(1, 64, 64, 3))
    methods = {
        ("negative", "noise"): Painted(lambda frame: 255 - frame),
        ("dark", "noise"): Painted(lambda frame: frame // 2),
        ("content", ""): Method(),
    }
    scorer = Scorer(features, {"noise": style_scorer})
    # of another content before: nothing of it may stay
    list(scorer.score(scene(5, 12, 64, 80).frames, "other", methods))
    together = {s.system: s for s in scorer.score(clip, "scene", methods)}
    assert list(together) == ["negative", "dark", "content"]
    for name in ("negative", "dark"):
        alone = score(
            Scorer(features, {"noise": style_scorer}),
            clip,
            methods[name, "noise"],
            "noise",
        )
        assert together[name].figures == alone.figures
    assert "style_strength" not in together["content"].figures


def test_pairs_across_a_cut_are_not_compared():
    frames = [*scene(1, 6, 64, 80).frames, *scene(2, 6, 64, 80).frames]
    found = score(Scorer(), frames, Method())
    assert found.figures["warping_error_1"] < 2e-3
    assert [i for i, e in enumerate(found.series["warping_error_1"]) if e is None] == [
        *(0, 6)
    ]


def test_style_codes_are_compared_and_nothing_is_no_clip():
    frames = noise(3, 32, 32, 3)
    code = np.ones((1, 4), np.float32)
    method = Painted(lambda frame: frame, (code, lambda seen: 3 * code))
    found = score(Scorer(), frames, method, "s")
    assert found.figures["code_distance"] == pytest.approx(0.5)
    assert "style_strength" not in found.figures
    with pytest.raises(ValueError, match="no frames"):
        score(Scorer(), (), Method())
