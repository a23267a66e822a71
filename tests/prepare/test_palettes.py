"""Palettes: the colors that are there, with the shares that they have."""

import numpy as np
import pytest

from vgan.datasets import synthetic
from vgan.prepare import palettes


def stripes(*colors, width=120):
    """A picture of vertical stripes: (color, how many of `width` columns)."""
    columns = [np.tile(np.uint8(color), (80, count, 1)) for color, count in colors]
    picture = np.concatenate(columns, axis=1)
    assert picture.shape[1] == width
    return picture


def test_finds_colors_and_shares():
    picture = stripes(([200, 30, 40], 60), ([20, 60, 180], 40), ([250, 240, 230], 20))
    found = palettes.palette(picture, 3)
    assert [share for _, share in found] == pytest.approx(
        [1 / 2, 1 / 3, 1 / 6], abs=0.02
    )
    for (name, _), color in zip(
        found, ([200, 30, 40], [20, 60, 180], [250, 240, 230]), strict=True
    ):
        assert list(bytes.fromhex(name[1:])) == pytest.approx(color, abs=8)


def test_a_picture_of_one_color_has_one():
    assert palettes.palette(np.full((9, 9, 3), 255, np.uint8)) == [["#ffffff", 1.0]]
    assert palettes.palette(np.zeros((9, 9, 3), np.uint8), 1) == [["#000000", 1.0]]


def test_is_the_same_each_time_and_whatever_the_size():
    picture = synthetic.painting(next(iter(synthetic.STYLES)), 5, 192)
    found = palettes.palette(picture)
    assert found == palettes.palette(picture.copy())
    assert len(found) == 6
    assert sum(share for _, share in found) == pytest.approx(1, abs=0.003)
    assert found == sorted(found, key=lambda item: -item[1])
    larger = palettes.palette(picture.repeat(2, axis=0).repeat(2, axis=1))
    assert palettes.distance(found, larger) < 2


def test_of_a_clip_counts_all_of_it():
    red, blue = (np.tile(np.uint8(c), (40, 40, 1)) for c in ([255, 0, 0], [0, 0, 255]))
    frames = [red] * 30 + [blue] * 10
    found = palettes.palette(frames, 2)
    assert [share for _, share in found] == [0.75, 0.25]
    assert palettes.distance(found, [["#ff0000", 0.75], ["#0000ff", 0.25]]) < 1
    assert palettes.palette(np.stack(frames), 2) == found


def test_distance_is_what_the_eye_sees():
    black, gray, white = ([[name, 1.0]] for name in ("#000000", "#777777", "#ffffff"))
    assert palettes.distance(black, white) == pytest.approx(100, abs=0.5)
    assert palettes.distance(gray, gray) == pytest.approx(0, abs=1e-3)
    assert palettes.distance(black, gray) == pytest.approx(50, abs=3)
    half = [["#000000", 0.5], ["#ffffff", 0.5]]
    assert palettes.distance(black, half) == pytest.approx(50, abs=0.5)
