import cv2
import numpy as np
import pytest

from tests.runtime.scenes import scene
from vgan.runtime import compose

A, B, C = (scene(seed) for seed in range(3))


def luma(frame):
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(int)


def saturated():
    """Every combination of 0, 128 and 255, against every brightness: [27, 256, 3]."""
    levels = np.stack(np.meshgrid(*[[0, 128, 255]] * 3), -1).reshape(27, 1, 3)
    return levels.astype(np.uint8).repeat(256, 1)


def test_keep_color_has_the_luma_of_one_and_the_hue_of_the_other():
    original = saturated()
    stylized = np.arange(256, dtype=np.uint8)[None, :, None].repeat(27, 0).repeat(3, 2)
    before = original.copy(), stylized.copy()
    result = compose.keep_color(stylized, original)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(original, before[0])
    np.testing.assert_array_equal(stylized, before[1])
    assert np.abs(luma(result) - luma(stylized)).max() <= 1
    # Offsets from gray point the same way; what is out of RGB is paler, not another.
    offset = original.astype(float) - luma(original)[..., None]
    kept = result.astype(float) - luma(result)[..., None]
    across = np.linalg.norm(np.cross(offset, kept), axis=-1)
    length = np.maximum(np.linalg.norm(offset, axis=-1), 1)
    assert (across / length).max() < 3  # levels of 255
    assert ((offset * kept).sum(-1) / length).min() > -2


def test_keep_color_changes_as_little_as_it_can():
    np.testing.assert_array_equal(compose.keep_color(A, A), A)
    gray = luma(A).astype(np.uint8)[..., None].repeat(3, 2)
    np.testing.assert_array_equal(compose.keep_color(B, gray)[..., 0], luma(B))
    # Where there is room in RGB, color differences are those of the original.
    pale = (A // 4 + 96).astype(np.uint8)
    lighter = (pale + 20).astype(np.uint8)
    near = np.abs(compose.keep_color(lighter, pale).astype(int) - lighter)
    assert near.max() <= 2


def test_blend_is_exact_inside_and_outside():
    mask = np.zeros((120, 200, 1), np.float32)
    mask[30:60, 50:100] = 1
    result = compose.blend(A, B, mask)
    np.testing.assert_array_equal(result, np.where(mask == 1, B, A))
    for value in range(256):  # all levels
        flat = np.full((2, 2, 3), value, np.uint8)
        other = 255 - flat
        for share in (0, 1):
            full = np.full((2, 2, 1), share, np.float32)
            expected = other if share else flat
            np.testing.assert_array_equal(compose.blend(flat, other, full), expected)


def test_blend_in_between():
    mask = np.random.default_rng(0).random((120, 200, 1), np.float32)
    result = compose.blend(A, B, mask)
    exact = A + (B.astype(float) - A) * mask
    assert np.abs(result - exact).max() < 0.51
    np.testing.assert_array_equal(compose.blend(A, A, mask), A)


def test_by_label():
    labels = (np.arange(200) // 67).astype(np.uint8)[None].repeat(120, 0)
    result = compose.by_label([A, B, C], labels)
    np.testing.assert_array_equal(result, np.choose(labels[..., None], [A, B, C]))
    hard = result.copy()
    soft = compose.by_label([A, B, C], labels, soft=4)
    far = np.abs(np.arange(200)[None] - np.array([[66.5], [133.5]])).min(0) > 20
    np.testing.assert_array_equal(soft[:, far], hard[:, far])
    border = np.abs(soft[:, 66].astype(float) - (A[:, 66] / 2.0 + B[:, 66] / 2.0))
    assert border.mean() < 15
    same = compose.by_label([A, A, A], labels, soft=4)
    assert np.abs(same.astype(int) - A).max() <= 1


def test_soft_borders_do_not_depend_on_the_order():
    labels = cv2.resize(np.uint8([[0, 1], [2, 0]]), (200, 120), interpolation=0)
    one = compose.by_label([A, B, C], labels, soft=6)
    swapped = np.uint8([2, 1, 0])[labels]
    other = compose.by_label([C, B, A], swapped, soft=6)
    assert np.abs(one.astype(int) - other).max() <= 2


def test_label_without_a_frame():
    with pytest.raises(ValueError, match="label 2 has no frame"):
        compose.by_label([A, B], np.full((120, 200), 2, np.uint8))


def test_comparison():
    style = scene(5, 64, 96)
    compare = compose.Comparison([style])
    row = compare(A, B)
    assert row.shape == (120, 200 + 180 + 200, 3)
    np.testing.assert_array_equal(row[:, :200], A)
    np.testing.assert_array_equal(row[:, 380:], B)
    shown = cv2.resize(row[:, 200:380], (96, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(shown.astype(int) - style).mean() < 2
    assert compare(B, A) is not row
    np.testing.assert_array_equal(compare(B, A)[:, 200:380], row[:, 200:380])


@pytest.mark.parametrize("shape", [(2000, 10), (10, 2000), (1, 1), (333, 500)])
@pytest.mark.parametrize("size", [(120, 200), (121, 161), (200, 113)])
@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_comparison_of_any_shapes(shape, size, count):
    original, stylized = scene(0, *size), scene(1, *size)
    compare = compose.Comparison([scene(2, *shape)] * count)
    row = compare(original, stylized)
    height, width = size
    assert row.shape[0] == height + height % 2
    assert row.shape[1] % 2 == 0
    assert 2 * width <= row.shape[1] <= 3 * width + 1
    np.testing.assert_array_equal(row[:height, :width], original)
