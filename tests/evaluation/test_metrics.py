import numpy as np
import pytest

from vgan.evaluation import metrics
from vgan.losses.features import FeatureNetwork


def picture(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_warping_error_of_an_exact_translation_and_of_noise():
    first = picture(32, 32, 3)
    frames = np.stack([np.roll(first, 2 * t, axis=1) for t in range(4)])
    flow = np.zeros((3, 32, 32, 2), np.float32)
    flow[..., 0] = -2
    occlusion = np.zeros((3, 32, 32, 1), np.float32)
    occlusion[:, :, :2] = 1
    assert metrics.warping_error(frames, flow, occlusion) < 1e-9

    sigma = 8
    flat = np.full((9, 64, 64, 3), 128.0)
    flat += np.random.default_rng(0).normal(0, sigma, flat.shape)
    still = np.zeros((8, 64, 64, 2), np.float32)
    error = metrics.warping_error(
        np.uint8(flat.round()), still, np.zeros((8, 64, 64, 1), np.float32)
    )
    assert error == pytest.approx(2 * (sigma / 255) ** 2, rel=0.05)


def test_warping_error_needs_a_flow():
    with pytest.raises(ValueError, match="known nowhere"):
        metrics.warping_error(
            picture(2, 8, 8, 3), np.zeros((1, 8, 8, 2)), np.ones((1, 8, 8, 1))
        )


def test_style_strength_from_content_to_style():
    features = FeatureNetwork("random")
    content, style = picture(2, 48, 48, 3) // 4, picture(1, 48, 48, 3, seed=1)
    between = (content // 2 + style // 2).astype(np.uint8)
    assert metrics.style_strength(content, style, content, features) == 0
    strengths = [
        metrics.style_strength(clip, style, content, features)
        for clip in (between, style)
    ]
    assert 0 < strengths[0] < strengths[1]
    assert strengths[1] == pytest.approx(1, abs=1e-3)
