import math

import numpy as np
import pytest

from vgan.metrics import content
from vgan.metrics.relative import relative_distance


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def shapes(height=64, width=80):
    """A picture with edges, none of them at full contrast."""
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[10:40, 15:50] = (120, 100, 90)
    picture[30:55, 40:70] = (80, 140, 110)
    return picture


def slow_ssim(a, b):
    """Wang et al., 2004, window by window."""
    x, y = (p @ np.array([0.299, 0.587, 0.114]) for p in (a, b))
    steps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weights = np.outer(steps, steps) / np.outer(steps, steps).sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            p, q = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
            m, n = (weights * p).sum(), (weights * q).sum()
            vp, vq = (weights * (p - m) ** 2).sum(), (weights * (q - n) ** 2).sum()
            both = (weights * (p - m) * (q - n)).sum()
            luminance = (2 * m * n + c1) / (m * m + n * n + c1)
            values.append(luminance * (2 * both + c2) / (vp + vq + c2))
    return np.mean(values)


def test_relative_distance_of_scaled_opposite_and_zero():
    a = np.arange(1.0, 13).reshape(3, 4)
    assert relative_distance(a, a) == 0
    assert relative_distance(a, 3 * a) == pytest.approx(0.5)
    assert relative_distance(a, -a) == pytest.approx(1)
    assert relative_distance(a, 0 * a) == pytest.approx(1)
    assert relative_distance(0 * a, 0 * a) == 0
    assert relative_distance([3, 0], [0, 4]) == pytest.approx(5 / 7)
    with pytest.raises(ValueError, match=r"shapes differ: \[3, 4\] and \[4, 3\]"):
        relative_distance(a, a.T)


def test_feature_distance_is_0_at_identity_and_known_for_a_scaled_copy():
    seen = np.random.default_rng(0).normal(size=(2, 4, 5, 6)).astype("float32")
    assert content.feature_distance(seen, seen) == 0
    assert content.feature_distance(seen, 0.5 * seen) == pytest.approx(1 / 3, rel=1e-5)
    moved = content.feature_distance(seen, np.roll(seen, 1, axis=2))
    assert moved > 0.3  # unlike a style figure, it knows places


def test_temporal_feature_difference_wants_equal_change():
    random = np.random.default_rng(0)
    before, after = (
        {name: random.normal(size=(1, 4, 4, 3)) for name in ("a", "b")} for _ in "xy"
    )
    other = [{n: 7 * x for n, x in layers.items()} for layers in (before, after)]

    def difference(result_pair, content_pair):
        changes = (content.frame_change(*pair) for pair in (result_pair, content_pair))
        return content.temporal_feature_difference(*changes)

    assert difference(other, (before, after)) == pytest.approx(0, abs=1e-12)

    doubled = {name: 2 * x for name, x in before.items()}  # d = 1 / 3
    fourfold = {name: 4 * x for name, x in before.items()}  # d = 3 / 5
    still = (before, before)
    assert difference((before, doubled), still) == pytest.approx(1 / 3)
    assert difference(still, (before, doubled)) == pytest.approx(1 / 3)
    pairs = (before, fourfold), (before, doubled)
    assert difference(*pairs) == pytest.approx(3 / 5 - 1 / 3)
    with pytest.raises(ValueError, match="layers differ: a, b and a"):
        difference((before, {"a": before["a"]}), still)


def test_ssim_equals_the_definition_window_by_window():
    a = noise(24, 31, 3)
    b = np.uint8(np.clip(0.7 * a + 0.3 * noise(24, 31, 3, seed=1) + 10, 0, 255))
    assert content.ssim(a, b) == pytest.approx(slow_ssim(a, b), abs=1e-6)
    assert 0.1 < content.ssim(a, b) < 0.98
    for x, y in ((a, 255 - a), (shapes(), noise(64, 80, 3))):
        assert content.ssim(x, y) == pytest.approx(slow_ssim(x, y), abs=1e-6)


def test_ssim_of_identity_negative_and_tiny_pictures():
    a = noise(40, 40, 3)
    assert content.ssim(a, a) == pytest.approx(1, abs=1e-12)
    assert content.ssim(a, 255 - a) < -0.5
    assert math.isnan(content.ssim(a[:10], a[:10]))
    with pytest.raises(ValueError, match="shapes differ"):
        content.ssim(a, a[:20])


def test_edges_outlive_brightness_and_contrast_and_not_noise():
    picture = shapes()
    brighter = np.uint8(picture + 50)
    stronger = np.uint8(picture * 1.5)
    assert content.edge_correlation(picture, brighter) == pytest.approx(1, abs=1e-9)
    assert content.edge_correlation(picture, stronger) == pytest.approx(1, abs=1e-3)
    assert content.edge_correlation(picture, 255 - picture) == pytest.approx(1)
    unrelated = content.edge_correlation(noise(256, 256, 3), noise(256, 256, 3, seed=1))
    assert abs(unrelated) < 0.03
    assert content.edge_correlation(picture, np.roll(picture, 6, axis=1)) < 0.5


def test_a_flat_picture_has_no_edges():
    flat = np.full((64, 80, 3), (77, 3, 201), np.uint8)
    assert math.isnan(content.edge_correlation(shapes(), flat))
    assert math.isnan(content.edge_correlation(flat, flat))


def test_border_ratio_compares_the_outer_8_pixels_with_the_inside():
    before = np.full((40, 56, 3), 100, np.uint8)
    after = before + np.uint8(10)
    assert content.border_ratio(before, after) == 1
    after[:8], after[-8:], after[:, :8], after[:, -8:] = [np.uint8(115)] * 4
    assert content.border_ratio(before, after) == pytest.approx(1.5)
    assert math.isnan(content.border_ratio(before, before))
    assert math.isnan(content.border_ratio(before[:16], after[:16]))  # no inside


def test_meter_is_the_mean_over_frames_that_can_be_measured():
    picture, flat = shapes(), np.zeros((64, 80, 3), np.uint8)
    other = noise(64, 80, 3)
    meter = content.ContentMeter()
    assert set(meter.figures().values()) == {None}
    for result in (picture, other, flat):
        meter.update(picture, result)
    series, figures = meter.series(), meter.figures()
    assert series["ssim"] == [
        content.ssim(picture, result) for result in (picture, other, flat)
    ]
    edges = content.edge_correlation(picture, other)
    assert series["edge_correlation"] == [pytest.approx(1), edges, None]
    assert figures["edge_correlation"] == pytest.approx((1 + edges) / 2)
    assert figures["ssim"] == pytest.approx(np.mean(series["ssim"]))
