import itertools

import numpy as np
import pytest

from vgan.datasets.paintings import STYLES, painting
from vgan.datasets.palettes import oklch, palette


def test_there_are_at_least_six_styles():
    assert len(STYLES) >= 6
    assert {"mosaic", "brush", "hatching", "dots", "waves", "cutouts"} <= set(STYLES)


@pytest.mark.parametrize("name", STYLES)
def test_painting_is_deterministic_and_rich(name):
    first, again = painting(name, 3, 96), painting(name, 3, 96)
    assert (first.shape, first.dtype) == ((96, 96, 3), np.uint8)
    np.testing.assert_array_equal(first, again)
    assert first.std() > 15
    other = painting(name, 4, 96).astype(float)
    assert np.abs(first - other).mean() > 15


@pytest.mark.parametrize("seed", range(3))
def test_styles_differ_where_palette_and_seed_are_the_same(seed):
    pictures = {name: painting(name, seed, 96).astype(float) for name in STYLES}
    for one, two in itertools.combinations(STYLES, 2):
        assert np.abs(pictures[one] - pictures[two]).mean() > 20, (one, two)


def test_the_same_seed_is_about_the_same_picture_at_another_size():
    small = painting("cutouts", 5, 64).astype(float)
    large = painting("cutouts", 5, 128).astype(float)
    large = large.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - large).mean() < 20


def test_unknown_style_is_named():
    with pytest.raises(ValueError, match="'oil'"):
        painting("oil", 0, 32)


def test_oklch_has_known_colors():
    # Ottosson's own values for sRGB white, red and blue.
    np.testing.assert_allclose(oklch(1.0, 0.0, 0.0), 1.0, atol=1e-3)
    np.testing.assert_allclose(oklch(0.62796, 0.25768, 29.234), [1, 0, 0], atol=2e-3)
    np.testing.assert_allclose(oklch(0.45201, 0.31321, 264.052), [0, 0, 1], atol=2e-3)


def test_palettes_are_strong_and_run_from_dark_to_light():
    for seed in range(50):
        colors = palette(np.random.default_rng(seed))
        assert 4 <= len(colors) <= 6
        luma = colors @ [0.21, 0.72, 0.07]
        assert luma[-1] - luma[0] > 0.4
        assert np.ptp(colors, axis=1).max() > 0.2
