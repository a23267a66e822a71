import numpy as np
import pytest

from vgan.datasets.synthetic import painting, scene
from vgan.evaluate.validation_metrics import ValidationMetrics, combined
from vgan.metrics.features import MeasuringFeatures


@pytest.fixture(scope="module")
def batch():
    clips = [scene(seed, 5, 48, 48) for seed in (1, 2)]
    styles = [painting("mosaic", seed, 48) for seed in (1, 2)]
    return {
        "content": np.stack([clip.frames for clip in clips]) / np.float32(127.5) - 1,
        "style": np.stack(styles)[:, None] / np.float32(127.5) - 1,
        "flow": np.stack([clip.flow for clip in clips]),
        "occlusion": np.stack([clip.occlusion for clip in clips]).astype(np.float32),
    }


@pytest.fixture(scope="module")
def features():
    return MeasuringFeatures(short_side=48)


def test_a_copy_earns_nothing_and_flicker_costs(batch, features):
    measure = ValidationMetrics(batch, features)
    copy = measure(batch["content"])
    assert copy["style_strength"] == pytest.approx(0, abs=1e-6)
    assert copy["edge_correlation"] == pytest.approx(1)
    assert copy["score"] == pytest.approx(0, abs=0.01)
    # half of the way to the style's colors is a style of some strength
    colors = batch["style"].mean(axis=(1, 2, 3), keepdims=True)
    tinted = 0.5 * batch["content"] + 0.5 * colors
    steady = measure(tinted)
    jitter = np.random.default_rng(0).normal(0, 0.15, (2, 5, 1, 1, 3))
    flickering = measure(np.clip(tinted + jitter, -1, 1))
    assert flickering["temporal_consistency"] < steady["temporal_consistency"] - 0.1


def test_unknown_flow_is_estimated(batch, features):
    known = ValidationMetrics(batch, features)(batch["content"])
    real = {**batch, "occlusion": np.ones_like(batch["occlusion"])}
    estimated = ValidationMetrics(real, features)(batch["content"])
    assert estimated["temporal_consistency"] == pytest.approx(
        known["temporal_consistency"], abs=0.1
    )


def test_content_that_has_the_style_already_earns_nothing(batch, features):
    same = {**batch, "style": batch["content"][:, -1:]}
    figures = ValidationMetrics(same, features)(batch["content"])
    assert figures["style_strength"] == 0
    assert figures["score"] == 0


def test_none_of_the_three_makes_up_for_another():
    assert combined(0.5, 0.5, 0.5) == pytest.approx(0.5)
    assert combined(-0.3, 1, 1) == 0
    assert combined(1, 1, 0) == 0
    assert combined(0.4, 0.9, 0.9) > combined(0.4, 0.8, 0.9)
