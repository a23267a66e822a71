import numpy as np
import pytest

from vgan import InputError
from vgan.datasets import motion, stills, textures


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(0)
    field = textures.noise(rng, 150, 210, 30, 3, channels=3)
    return (field * 40 + 128).clip(0, 255).astype(np.uint8)


def _clip(picture, seed, frames=4, size=64, training=True):
    rng = np.random.default_rng(seed)
    return stills.clip_of_still(picture, rng, frames, size, training)


@pytest.mark.parametrize("training", [True, False])
def test_flow_takes_a_frame_to_the_next(picture, warp_error, training):
    clips = [_clip(picture, seed, training=training) for seed in range(20)]
    errors = np.array([warp_error(clip) for clip in clips])
    assert errors[:, 0].max() < 2.0
    assert errors[:, 0].mean() < 0.35 * errors[:, 1].mean()
    assert clips[0].frames.shape == (4, 64, 64, 3)
    assert clips[0].flow.shape == (3, 64, 64, 2)


@pytest.mark.parametrize(
    "view",
    [
        motion.shift(3, -2),
        motion.shift(0.5, 0.25),
        motion.scale(0.95),
        np.array([[0.999, -0.04, 2.0], [0.04, 0.999, -1.0], [0, 0, 1]]),
    ],
    ids=["shift", "part of a pixel", "zoom", "turn"],
)
def test_flow_of_each_kind_of_movement(picture, warp_error, view):
    place = motion.shift(60, 40)
    views = [place, place @ view]
    frames = np.stack([motion.look(picture, v, 64, 64) for v in views])
    flow = motion.flow_of(motion.backward(*views), 64, 64)
    occlusion = motion.outside(flow)[None, ..., None].astype(np.uint8)
    moved, plain = warp_error(motion.Clip(frames, flow[None], occlusion))
    assert moved < min(1.2, 0.5 * plain)


def test_whole_pixel_shifts_are_exact(picture):
    before, after = motion.shift(20, 30), motion.shift(23, 28)
    flow = motion.flow_of(motion.backward(before, after), 32, 32)
    np.testing.assert_allclose(flow, np.broadcast_to([3, -2], flow.shape), atol=1e-5)
    first, second = (motion.look(picture, v, 32, 32) for v in (before, after))
    np.testing.assert_array_equal(second[2:, :-3], first[:-2, 3:])
    hidden = motion.outside(flow)
    assert hidden[:2].all()
    assert hidden[:, -3:].all()
    assert not hidden[2:, :-3].any()


def test_the_window_never_leaves_the_picture():
    # Position is color, so beyond the border mirrored positions would show.
    height, width = 90, 140
    rows, columns = np.mgrid[:height, :width]
    picture = np.dstack([rows, columns, rows]).astype(np.uint8)
    for seed in range(40):
        clip = _clip(picture, seed, size=32)
        # One smooth ramp per frame: no fold where the border would mirror it.
        bend = np.abs(np.diff(clip.frames[..., 1].astype(float), n=2, axis=2))
        assert bend.max() <= 3
        bend = np.abs(np.diff(clip.frames[..., 0].astype(float), n=2, axis=1))
        assert bend.max() <= 3


def test_some_clips_are_almost_still(picture):
    speeds = np.array([np.abs(_clip(picture, s).flow).mean() for s in range(80)])
    assert 0.05 < (speeds < 0.05).mean() < 0.5
    assert (speeds > 0.3).mean() > 0.3


def test_shrinking_averages_instead_of_skipping_pixels():
    checks = (np.indices((512, 512)).sum(axis=0) % 2 * 255).astype(np.uint8)
    clip = _clip(np.dstack([checks] * 3), 0, size=32, training=False)
    assert np.abs(clip.frames.astype(float) - 127.5).max() < 25


@pytest.mark.parametrize("shape", [(40, 300), (300, 40), (33, 33), (1000, 700)])
def test_odd_shapes_work(shape, warp_error):
    field = textures.noise(np.random.default_rng(1), *shape, 60, 2, channels=3)
    picture = (field * 40 + 128).clip(0, 255).astype(np.uint8)
    clip = _clip(picture, 5, size=64)
    assert clip.frames.shape == (4, 64, 64, 3)
    assert warp_error(clip)[0] < 2


def test_tiny_pictures_are_refused():
    with pytest.raises(InputError, match="12x10 pixels is too small"):
        _clip(np.zeros((10, 12, 3), np.uint8), 0)


@pytest.mark.parametrize("training", [True, False])
def test_a_picture_is_scaled_before_a_window_is_cut(training):
    """Stripes 10 pixels apart in 200 rows are 5 apart where they are scaled to 100."""
    rows = np.arange(200)[:, None, None]
    picture = np.broadcast_to(128 + 100 * np.sin(rows * np.pi / 5), (200, 300, 3))
    picture = picture.astype(np.uint8)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        clip = stills.clip_of_still(picture, rng, 1, 64, training, scaled_to=100)
        column = clip.frames[0, :, 32, 0] - clip.frames[0, :, 32, 0].mean()
        spectrum = np.abs(np.fft.rfft(column * np.hanning(64), 1024))
        period = 1024 / (spectrum[32:].argmax() + 32)
        low, high = (5 * 0.7, 5 * 1.4) if training else (4.8, 5.2)
        assert low < period < high
