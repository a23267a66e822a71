import cv2
import numpy as np
import pytest

from vgan.datasets.synthetic import scene
from vgan.losses import temporal
from vgan.metrics.flow import still_pixels
from vgan.metrics.temporal_consistency import (
    TemporalConsistency,
    flow_difference,
    known_flow_error,
    warping_error,
)
from vgan.video.flow import estimate_flow, flow_holds


def smooth_picture(height, width, seed=0):
    """Soft blobs, so that a shift by part of a pixel is well defined."""
    noise = np.random.default_rng(seed).random((height, width, 3))
    around = np.pad(noise, ((16, 16), (16, 16), (0, 0)), mode="wrap")
    soft = cv2.GaussianBlur(around, (0, 0), 3)[16:-16, 16:-16]
    return (soft - soft.min()) / (soft.max() - soft.min())


def shifted(picture, x, y=0.0):
    """The picture moved by a part of a pixel, exactly (in the frequency domain)."""
    rows = np.fft.fftfreq(picture.shape[0])[:, None, None]
    columns = np.fft.fftfreq(picture.shape[1])[None, :, None]
    phase = np.exp(-2j * np.pi * (x * columns + y * rows))
    moved = np.fft.ifft2(np.fft.fft2(picture, axes=(0, 1)) * phase, axes=(0, 1)).real
    return np.uint8((moved.clip(0, 1) * 255).round())


def moving_clip(length, size=96, x=1.5, y=-0.5):
    picture = 0.1 + 0.8 * smooth_picture(size, size)
    return [shifted(picture, x * t, y * t) for t in range(length)]


def measure(content, results, **kwargs):
    consistency = TemporalConsistency(**kwargs)
    for frame, result in zip(content, results, strict=True):
        consistency.update(frame, result)
    return consistency.figures()


@pytest.mark.parametrize(("x", "y"), [(3, 0), (-2, 5), (1.37, -0.61)])
def test_flow_and_error_of_an_exact_translation(x, y):
    picture = smooth_picture(96, 128)
    before, frame = shifted(picture, 0), shifted(picture, x, y)
    flow = estimate_flow(frame, before)
    assert flow.dtype == np.float32
    assert flow.shape == (96, 128, 2)
    middle = (slice(12, -12), slice(12, -12))
    assert np.median(flow[middle], axis=(0, 1)) == pytest.approx([-x, -y], abs=0.1)

    valid = flow_holds(flow, estimate_flow(before, frame))
    assert valid[middle].mean() > 0.9
    assert warping_error(frame, before, flow, valid) < 1e-4
    exact = np.zeros_like(flow) + np.float32([-x, -y])
    assert warping_error(frame, before, exact, flow_holds(exact, -exact)) < 1e-4
    # The other way round, or with no flow at all, it is not what it was.
    assert warping_error(frame, before, -exact, valid) > 1e-3
    assert warping_error(frame, before, 0 * exact, valid) > 3e-4


def test_what_was_hidden_is_masked():
    """A square moves 12 pixels to the right over a picture that stands still."""
    ground, square = (
        (255 * smooth_picture(96, 96, seed)).astype(np.uint8) for seed in (0, 1)
    )
    before, frame = ground.copy(), ground.copy()
    before[32:64, 24:56] = square[:32, :32]
    frame[32:64, 36:68] = square[:32, :32]
    backward, forward = np.zeros((2, 96, 96, 2), np.float32)
    backward[32:64, 36:68, 0] = -12
    forward[32:64, 24:56, 0] = 12
    valid = flow_holds(backward, forward)
    assert not valid[32:64, 24:36].any()  # uncovered: `before` showed the square
    assert not valid[33:63, 36].any()
    assert not valid[33:63, 67].any()
    assert valid[34:62, 40:64].all()
    assert valid[:30].all()
    assert valid[:, 72:].all()
    assert warping_error(frame, before, backward, valid) == 0
    everywhere = np.ones_like(valid)
    assert warping_error(frame, before, backward, everywhere) > 1e-4

    estimated = flow_holds(estimate_flow(frame, before), estimate_flow(before, frame))
    assert estimated[32:64, 26:36].mean() < 0.5 < 0.95 < estimated[:24].mean()


def test_nothing_valid_is_not_a_number():
    frame = np.zeros((16, 16, 3), np.uint8)
    flow, nowhere = np.zeros((16, 16, 2), np.float32), np.zeros((16, 16), bool)
    assert np.isnan(warping_error(frame, frame, flow, nowhere))


def test_noise_on_a_still_clip():
    sigma = 8
    random = np.random.default_rng(0)
    still = (64 + 128 * smooth_picture(64, 64)).astype(np.uint8)
    results = [
        np.uint8((still + random.normal(0, sigma, still.shape)).round())
        for _ in range(16)
    ]
    figures = measure([still] * 16, results)
    for lag in (1, 5, 10):
        error = figures[f"warping_error_{lag}"]
        assert error == pytest.approx(2 * (sigma / 255) ** 2, rel=0.05)
        variance = (np.stack(results) / 255).var(axis=(0, 1, 2)).mean()
        expected = pytest.approx(error / (2 * variance))
        assert figures[f"normalized_warping_error_{lag}"] == expected
    # Mean |a - b| of two Gaussians is 2 sigma / sqrt(pi).
    flicker = pytest.approx(2 * sigma / 255 / np.sqrt(np.pi), rel=0.05)
    assert figures["static_flicker"] == flicker
    assert figures["frame_difference_ratio"] is None  # the content does not change


def test_drift_is_the_change_since_frame_10_of_what_stands_still():
    """The left half of the content stands still; there the result darkens slowly."""
    content = moving_clip(20)
    for frame in content:
        frame[:, :48] = content[0][:, :48]
    results = [np.full_like(frame, 100 - t) for t, frame in enumerate(content)]
    meter = TemporalConsistency()
    for pair in zip(content, results, strict=True):
        meter.update(*pair)
    series = meter.series()["drift"]
    assert series[:10] == [None] * 10
    np.testing.assert_allclose(series[10:], np.arange(1, 11) / 255, rtol=1e-6)
    assert meter.figures()["drift"] == series[-1]
    meter.reset()  # a cut
    meter.update(content[0], results[0])
    assert meter.series()["drift"][-1] is None
    assert measure(content[:8], results[:8])["drift"] is None


def test_noise_without_a_picture_has_a_normalized_error_of_one():
    random = np.random.default_rng(0)
    still = (255 * smooth_picture(64, 64)).astype(np.uint8)
    results = [np.uint8(random.integers(0, 256, still.shape)) for _ in range(8)]
    figures = measure([still] * 8, results, lags=(1,))
    assert figures["normalized_warping_error_1"] == pytest.approx(1, rel=0.02)


def test_figures_rise_with_color_jitter():
    """The left half of the content stands still, the right half moves."""
    content = moving_clip(12)
    for frame in content:
        frame[:, :48] = content[0][:, :48]
    jitter = np.random.default_rng(0).normal(size=(12, 3))
    rows = []
    for amount in (0, 1, 2, 4, 8, 16):
        results = [
            np.uint8((frame + amount * color).clip(0, 255).round())
            for frame, color in zip(content, jitter, strict=True)
        ]
        rows.append(measure(content, results))
    rising = ["warping_error", "normalized_warping_error"]
    rising = [f"{name}_{lag}" for name in rising for lag in (1, 5, 10)]
    for name in [*rising, "static_flicker", "frame_difference_ratio"]:
        values = [row[name] for row in rows]
        assert np.all(np.diff(values) > 0), (name, values)
    assert rows[0]["static_flicker"] < 0.003
    assert rows[0]["frame_difference_ratio"] == 1
    assert rows[0]["flow_difference"] == 0


def test_paling_a_result_does_not_make_it_steadier():
    content = moving_clip(8)
    random = np.random.default_rng(0)
    results = [(f + random.normal(0, 10, f.shape)).clip(0, 255) for f in content]
    vivid = measure(content, [np.uint8(f.round()) for f in results], lags=(1, 5))
    pale = measure(
        content, [np.uint8((64 + f / 2).round()) for f in results], lags=(1, 5)
    )
    for lag in (1, 5):
        vivid_error, pale_error = (
            figures[f"warping_error_{lag}"] for figures in (vivid, pale)
        )
        assert pale_error == pytest.approx(vivid_error / 4, rel=0.05)
        normalized = f"normalized_warping_error_{lag}"
        assert pale[normalized] == pytest.approx(vivid[normalized], rel=0.02)
        assert pale[normalized] > 0.98 * vivid[normalized]


def test_a_result_that_stands_still_moves_differently():
    content = moving_clip(6, x=2, y=0)
    figures = measure(content, [content[0]] * 6)
    assert figures["flow_difference"] == pytest.approx(2, rel=0.15)
    assert figures["frame_difference_ratio"] == 0
    assert figures["warping_error_1"] > 1e-3
    three, four = (np.zeros((4, 4, 2), np.float32) for _ in range(2))
    three[..., 0], four[..., 1] = 3, 4
    assert flow_difference(three, four) == 5


def test_still_pixels_neither_move_nor_change():
    before = (255 * smooth_picture(32, 32)).astype(np.uint8) // 2
    frame = before.copy()
    frame[:8] += 30
    flow = np.zeros((32, 32, 2), np.float32)
    flow[:, :8, 1] = 0.5
    still = still_pixels(frame, before, flow)
    assert not still[:8].any()
    assert not still[:, :8].any()
    assert still[10:, 8:].all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_estimated_flow_comes_near_the_exact_one(seed):
    clip = scene(seed, 4, 192, 192)
    exact = known_flow_error(*clip)
    estimated = measure(clip.frames, clip.frames, lags=(1,))["warping_error_1"]
    unmoved = known_flow_error(clip.frames, 0 * clip.flow, clip.occlusion)
    assert exact < 1e-4
    assert estimated < min(10 * exact, unmoved / 5)

    random = np.random.default_rng(0)
    noisy = clip.frames + random.normal(0, 8, clip.frames.shape)
    noisy = noisy.clip(0, 255).astype(np.uint8)
    exact = known_flow_error(noisy, clip.flow, clip.occlusion)
    estimate = measure(clip.frames, noisy, lags=(1,))["warping_error_1"]
    assert exact > 1e-3
    assert estimate == pytest.approx(exact, abs=1.5 * estimated)


def test_known_flow_error_is_that_of_the_loss():
    clip = scene(0, 4, 48, 64)
    frames = np.random.default_rng(0).integers(0, 256, clip.frames.shape, np.uint8)
    loss = temporal.warp_loss(
        *(np.float32(part)[None] for part in (frames / 255, clip.flow, clip.occlusion))
    )
    error = known_flow_error(frames, clip.flow, clip.occlusion)
    assert error == pytest.approx(float(loss), rel=1e-3)
    with pytest.raises(ValueError, match="known nowhere"):
        known_flow_error(frames, clip.flow, np.ones_like(clip.occlusion))
    with pytest.raises(ValueError, match="zip"):
        known_flow_error(frames[1:], clip.flow, clip.occlusion)


def test_short_clips_and_cuts():
    content = moving_clip(8)
    figures = measure(content[:1], content[:1])
    assert len(figures) == 10
    assert set(figures.values()) == {None}
    figures = measure(content, content)
    assert figures["warping_error_5"] is not None
    assert figures["warping_error_10"] is None
    assert figures["normalized_warping_error_10"] is None

    dark, bright = ([np.full_like(f, level) for f in content] for level in (20, 220))
    cut, through = TemporalConsistency((1, 5)), TemporalConsistency((1, 5))
    for number, result in enumerate(dark + bright):
        if number == 8:
            cut.reset()
        for consistency in (cut, through):
            consistency.update(content[number % 8], result)
    assert cut.figures()["warping_error_5"] == 0
    assert through.figures()["warping_error_5"] > 0.1
    series = cut.series()
    assert [len(values) for values in series.values()] == [16] * len(series)
    assert [t for t in range(16) if series["warping_error_1"][t] is None] == [0, 8]
    assert series["result_luma"][7:9] == pytest.approx([20 / 255, 220 / 255])
    assert series["content_luma"][3] == pytest.approx(content[3].mean() / 255, abs=0.02)


def test_a_result_of_one_color_has_no_normalized_error():
    content = moving_clip(3)
    figures = measure(content, [np.full_like(frame, 77) for frame in content])
    assert figures["warping_error_1"] == 0
    assert figures["normalized_warping_error_1"] is None


def test_frames_may_be_reused_by_the_caller():
    content, buffer = moving_clip(4), np.empty((96, 96, 3), np.uint8)
    consistency = TemporalConsistency((1,))
    for frame in content:
        buffer[:] = frame
        consistency.update(buffer, buffer)
    assert consistency.figures() == measure(content, content, lags=(1,))


def test_wrong_frames_are_refused():
    frame = np.zeros((32, 32, 3), np.uint8)
    for other in (frame[:-1], frame[..., 0], frame.astype(np.float32)):
        with pytest.raises(ValueError, match="uint8"):
            TemporalConsistency().update(frame, other)
    consistency = TemporalConsistency()
    consistency.update(frame, frame)
    with pytest.raises(ValueError, match="one size"):
        consistency.update(frame[:, :-2], frame[:, :-2])
    for lags in ((), (0,), (1.5,)):
        with pytest.raises(ValueError, match="lags"):
            TemporalConsistency(lags)
