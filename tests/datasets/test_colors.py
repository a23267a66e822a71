import numpy as np

from vgan.config import Data
from vgan.datasets.motion import Clip
from vgan.datasets.sources import Noisy, Paintings, Recolored, open_source

LUMA = np.array([0.299, 0.587, 0.114])


def _clips(part):
    source = Paintings("train", 32)
    seeds = range(20)
    before = [source.clip(_after_three(seed), 2).frames for seed in seeds]
    recolored = Recolored(source, part)
    after = [recolored.clip(np.random.default_rng(seed), 2).frames for seed in seeds]
    return before, after


def _after_three(seed):
    """A generator as the recolored source hands it on: its own draws taken."""
    rng = np.random.default_rng(seed)
    rng.random(), rng.uniform(), rng.random()
    return rng


def test_part_of_the_clips_gets_other_colors():
    before, after = _clips(0.5)
    changed = sum((a != b).any() for a, b in zip(after, before, strict=True))
    assert 4 <= changed <= 16
    for a, b in zip(*_clips(0.0), strict=True):
        np.testing.assert_array_equal(a, b)


def test_light_stays_where_colors_fit_into_their_range():
    for before, after in zip(*_clips(1.0), strict=True):
        inside = ((after > 0) & (after < 255)).all(axis=-1)
        error = np.abs(before @ LUMA - after @ LUMA)[inside]
        assert error.size == 0 or error.max() < 3
        assert after.dtype == np.uint8


def test_only_styles_in_training_are_recolored():
    data = Data(style_hues=1.0, flip=False, image_size=32)
    assert isinstance(open_source("style", "train", data), Recolored)
    assert not isinstance(open_source("style", "validation", data), Recolored)
    assert not isinstance(open_source("content", "train", data), Recolored)


class _Gray:
    def clip(self, rng, length):
        frames = np.full((length, 64, 64, 3), 128, np.uint8)
        return Clip(frames, np.zeros((1, 64, 64, 2)), np.zeros((1, 64, 64, 1)))


def test_noise_is_new_in_each_frame_and_differs_from_clip_to_clip():
    spreads = []
    for seed in range(20):
        frames = Noisy(_Gray(), 6.0).clip(np.random.default_rng(seed), 2).frames
        assert frames.dtype == np.uint8
        first, second = (frame.astype(float) - 128 for frame in frames)
        assert abs(first.mean()) < 0.8
        spreads.append(first.std())
        if first.std() > 1:
            assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.15
    assert min(spreads) < 1.5
    assert 3 < max(spreads) < 6.5
    assert np.std(spreads) > 0.5


def test_only_contents_in_training_are_noisy():
    data = Data(noise=3.0, flip=False, image_size=32)
    assert isinstance(open_source("content", "train", data), Noisy)
    assert not isinstance(open_source("content", "validation", data), Noisy)
    assert not isinstance(open_source("style", "train", data), Noisy)
