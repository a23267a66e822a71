import cv2
import numpy as np
import pytest

from tests.runtime.scenes import scene
from vgan import InputError
from vgan.runtime import Stylizer
from vgan.runtime.upsampling import JointUpsampler

CODE = np.ones((1, 16), np.float32)


def textured(height=120, width=200):
    """A scene with detail that half the size cannot show."""
    grain = np.random.default_rng(1).integers(-20, 20, (height, width, 1))
    return np.clip(scene(0, height, width) + grain, 0, 255).astype(np.uint8)


def half(frame):
    height, width = frame.shape[:2]
    return cv2.resize(frame, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


def enlarged(small, frame):
    return cv2.resize(small, frame.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def edges(picture):
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
    return np.abs(np.diff(gray)).mean()


def test_the_inputs_own_detail_comes_back_in_full():
    frame = cv2.cvtColor(
        cv2.cvtColor(textured(), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB
    )
    result = JointUpsampler(gain=1)(frame, half(frame), half(frame))
    np.testing.assert_allclose(result, frame, atol=2)
    blurred = enlarged(half(frame), frame)
    assert np.abs(blurred.astype(int) - frame).mean() > 5


def test_strokes_survive_where_the_input_is_flat():
    frame = np.full((120, 200, 3), 90, np.uint8)
    strokes = half(textured())
    result = JointUpsampler()(frame, half(frame), strokes)
    np.testing.assert_array_equal(result, enlarged(strokes, frame))


def test_colors_are_those_of_the_style():
    frame = textured()
    stylized = cv2.addWeighted(half(scene(3)), 0.5, half(scene(3)), 0, 64)
    plain = enlarged(stylized, frame)
    result = JointUpsampler()(frame, half(frame), stylized)
    assert edges(result) > 1.5 * edges(plain)
    # Red, green and blue move together: differences of channels stay.
    np.testing.assert_allclose(
        np.diff(result.astype(int)), np.diff(plain.astype(int)), atol=1
    )
    np.testing.assert_allclose(
        result.mean(axis=(0, 1)), plain.mean(axis=(0, 1)), atol=0.5
    )


def test_no_halo_where_the_style_keeps_the_contrast():
    frame = np.full((64, 64, 3), 40, np.uint8)
    frame[:, 31:] = 200
    stylized = cv2.addWeighted(half(frame), 0.75, half(frame), 0, 30)  # 60 and 180
    result = JointUpsampler()(frame, half(frame), stylized)
    assert result.min() >= 60 - 1
    assert result.max() <= 180 + 1
    # And it is sharper: the step takes fewer pixels.
    plain = enlarged(stylized, frame)
    assert np.abs(np.diff(result[0, :, 0].astype(int))).max() > 1.4 * (
        np.abs(np.diff(plain[0, :, 0].astype(int))).max()
    )


def test_nothing_wraps_around():
    rng = np.random.default_rng(0)
    frame = rng.choice(np.uint8([0, 255]), (64, 64, 1)).repeat(3, axis=2)
    for level in 0, 255:
        stylized = np.full((32, 32, 3), level, np.uint8)
        result = JointUpsampler(gain=2)(frame, half(frame), stylized)
        assert np.abs(result.astype(int) - level).max() <= 128


def test_sizes_of_small_pictures_must_agree():
    frame = textured()
    with pytest.raises(ValueError, match=r"small is \[60, 100, 3\], stylized \[30"):
        JointUpsampler()(frame, half(frame), half(half(frame)))
    with pytest.raises(ValueError, match="gain must be 0 or more, got -1"):
        JointUpsampler(gain=-1)


@pytest.mark.parametrize("scale", [0.33, 0.5, 0.9, 1])
@pytest.mark.parametrize("size", [(1, 1), (3, 50), (121, 161), (64, 96)])
def test_proxy_takes_any_size(engine, size, scale):
    frame = scene(0, *size)
    result = Stylizer(engine, CODE, proxy=scale)(frame)
    assert result.shape == frame.shape
    assert result.dtype == np.uint8


def test_proxy_of_full_size_is_the_stylizer(engine):
    frame = textured()
    np.testing.assert_array_equal(
        Stylizer(engine, CODE, proxy=1.0)(frame), Stylizer(engine, CODE)(frame)
    )


def test_proxy_shows_the_small_result_with_the_detail_of_the_input(engine):
    frame = textured(128, 192)
    small = Stylizer(engine, CODE)(half(frame))
    plain = enlarged(small, frame)
    result = Stylizer(engine, CODE, proxy=0.5)(frame)
    np.testing.assert_allclose(half(result).mean(), small.mean(), atol=2)
    assert edges(result) > 1.2 * edges(plain)


def test_proxy_mixes_at_full_size(engine):
    frame = textured()
    full = Stylizer(engine, CODE, proxy=0.5)(frame).astype(float)
    for proxy in (
        Stylizer(engine, CODE, strength=0.25, proxy=0.5),
        Stylizer(engine, CODE, proxy=0.5),
    ):
        proxy.strength = 0.25
        np.testing.assert_allclose(proxy(frame), frame + 0.25 * (full - frame), atol=1)
    proxy.strength = 0
    np.testing.assert_array_equal(proxy(frame), frame)
    proxy.strength = 1
    np.testing.assert_array_equal(proxy(frame), full)  # afresh: the last was skipped


def test_proxy_passes_on_style_and_reset(engine):
    frame, other = textured(), -CODE
    proxy = Stylizer(engine, CODE, proxy=0.5)
    first = proxy(frame)
    assert (proxy(frame) != first).any()
    proxy.reset()
    np.testing.assert_array_equal(proxy(frame), first)
    proxy.style_code = other
    np.testing.assert_array_equal(proxy.style_code, other)
    proxy.reset()
    expected = Stylizer(engine, other, proxy=0.5)(frame)
    np.testing.assert_array_equal(proxy(frame), expected)
    assert (expected != first).any()


@pytest.mark.parametrize("scale", [0, -0.5, 1.5, float("nan")])
def test_bad_scales(engine, scale):
    with pytest.raises(
        InputError, match=r"proxy=.*: give a number above 0 and up to 1"
    ):
        Stylizer(engine, CODE, proxy=scale)
