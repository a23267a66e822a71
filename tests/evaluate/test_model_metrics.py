import types

import cv2
import numpy as np
import pytest

from vgan.datasets.synthetic import scene
from vgan.evaluate import model_metrics
from vgan.evaluate.systems import Beside, Identity, Painted
from vgan.metrics import METRICS, brush
from vgan.metrics.features import MeasuringFeatures


def weave(angle, size=96, period=6.0):
    """Stripes in one direction, uint8 [H, W, 3]."""
    y, x = np.mgrid[:size, :size]
    wave = np.sin(2 * np.pi / period * (x * np.cos(angle) + y * np.sin(angle)))
    return np.repeat(np.uint8(128 + 60 * wave)[..., None], 3, axis=-1)


WEAVES = {"across": weave(0.0), "down": weave(np.pi / 2), "wide": weave(0.8, period=14)}


def system(functions, name="painter"):
    """A system whose styles are functions of a frame."""
    return types.SimpleNamespace(
        names=(name,),
        any_frame=(name,),
        engine=None,
        files=(),
        method=lambda name, style, limit=None: Painted(functions[style]),
    )


@pytest.fixture(scope="module")
def features():
    return MeasuringFeatures(short_side=96)


@pytest.fixture(scope="module")
def clips():
    return [scene(seed, 2, 96, 96).frames for seed in (1, 2)]


def test_texture_knows_no_color_tone_and_contrast(features):
    frame = WEAVES["across"]
    pale = np.uint8(100 + (frame - 128.0) / 3)
    tinted = frame.copy()
    tinted[..., 2] = 128
    plain = brush.measure(features, frame[None])
    for copy in (pale, tinted, np.uint8(frame * 0.6 + np.arange(96)[:, None])):
        assert brush.mean_distance([plain, brush.measure(features, copy[None])]) < 0.1
    turned = brush.measure(features, WEAVES["down"][None])
    assert brush.mean_distance([plain, turned]) > 0.2
    flat = np.full((1, 16, 16, 3), 90, np.uint8)
    assert np.all(brush.gray_texture(flat) == 128)
    with pytest.raises(ValueError, match="at least two"):
        brush.mean_distance([plain])


def test_diversity_is_0_of_one_brush_and_1_of_the_pictures(features, clips):
    styles = {name: picture[None] for name, picture in WEAVES.items()}
    level = {"across": 0, "down": 40, "wide": 90}

    def found(functions):
        rows = model_metrics.diversity(system(functions), features, styles, clips)
        return rows["painter"]["brush_diversity"]

    # One brush; the styles differ by how light they are.
    one = {name: lambda f, n=name: np.uint8(f * 0.6 + level[n]) for name in styles}
    assert found(one) < 0.1
    assert found({name: lambda f, n=name: WEAVES[n] for name in styles}) == (
        pytest.approx(1, abs=1e-4)
    )
    over = {
        name: lambda f, n=name: cv2.addWeighted(f, 0.5, WEAVES[n], 0.5, 0)
        for name in styles
    }
    assert 0.3 < found(over) < 1
    alike = dict.fromkeys(styles, styles["across"])
    rows = model_metrics.diversity(Identity(), features, alike, clips)
    assert all(row.keys() <= METRICS.keys() for row in rows.values())
    assert np.isnan(rows["identity"]["brush_diversity"])


def test_flat_patches_of_a_tint_and_of_a_palette():
    def duotone(frame):  # dark is blue, light is orange
        dark = frame.mean(axis=-1, keepdims=True) < 128
        return np.where(dark, (20, 40, 160), (240, 160, 40)).astype(np.uint8)

    def tint(frame):
        return frame // 2 + np.uint8([60, 30, 0])

    painters = Beside(
        [
            system({"a": duotone, "b": duotone}),
            system({"a": tint, "b": tint}, "tint"),
            system({"a": tint, "b": duotone}, "half"),
            Identity(),
        ]
    )
    rows = model_metrics.flat(painters, ["a", "b"], 32)
    assert all(row.keys() <= METRICS.keys() for row in rows.values())
    assert list(rows) == ["painter", "tint", "half", "identity"]
    same = rows["identity"]
    assert same["flat_gray_chroma"] == pytest.approx(0, abs=0.1)
    levels = np.round(np.linspace(16, 240, 8))
    assert same["flat_gray_luma"] == pytest.approx(levels.std(), abs=0.1)
    assert same["flat_color_chroma"] == pytest.approx(67, abs=1)
    own, tinted = (rows[name]["flat_gray_chroma"] for name in ("painter", "tint"))
    assert own > 50
    assert tinted < 10
    mean = pytest.approx((own + tinted) / 2)
    assert rows["half"]["flat_gray_chroma"] == mean


def test_exact_error_of_the_content_and_of_noise():
    scenes = [scene(seed, 4, 48, 48) for seed in (1, 2)]
    random = np.random.default_rng(0)
    noisy = {"a": lambda f: random.integers(0, 256, f.shape, np.uint8)}
    painters = Beside([system(noisy), Identity()])
    rows = model_metrics.exact(painters, ["a"], [tuple(s)[:3] for s in scenes])
    assert all(row.keys() <= METRICS.keys() for row in rows.values())
    content = rows["content"]["known_flow_error"]
    assert rows["identity"]["known_flow_error"] == pytest.approx(content)
    assert rows["painter"]["known_flow_error"] > 10 * content
