import itertools

import numpy as np
import pytest

from vgan.datasets import synthetic, textures, videos
from vgan.video import VideoReader, cuts


@pytest.fixture(scope="module")
def scenes():
    return [synthetic.scene(seed, 6, 72, 72).frames for seed in range(24)]


def _is_cut(before, after):
    return cuts.is_cut(cuts.thumbnail(before), cuts.thumbnail(after))


def test_hard_cuts_are_found(scenes):
    found = [_is_cut(a[-1], b[0]) for a, b in itertools.pairwise(scenes)]
    assert np.mean(found) > 0.95


def test_motion_is_no_cut(scenes):
    for frames in scenes:
        assert not any(_is_cut(*pair) for pair in itertools.pairwise(frames))


def test_fast_pans_are_no_cuts():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        field = textures.noise(rng, 96, 200, 40, 3, channels=3)
        wide = (field * 40 + 128).clip(0, 255).astype(np.uint8)
        # A fifth of the frame's width in one frame.
        assert not _is_cut(wide[:, :96], wide[:, 20:116])


def test_flashes_and_fades_are_no_cuts(scenes):
    for frames in scenes:
        bright = (255 - (255 - frames[0].astype(float)) * 0.5).astype(np.uint8)
        assert not _is_cut(frames[0], bright)
        assert not _is_cut(frames[0], (frames[0] * 0.6).astype(np.uint8))


def test_a_clip_is_taken_from_one_side_of_a_cut(scenes):
    edit = [*scenes[0][:3], *scenes[1]]
    assert _is_cut(edit[2], edit[3])
    scene = videos.longest_scene(([frame] for frame in edit), 4)
    np.testing.assert_array_equal(np.concatenate(scene), scenes[1][:4])


def test_without_a_long_enough_scene_the_longest_near_is_taken(scenes):
    edit = [frame for frames in scenes[:8] for frame in frames[:3]]
    scene = videos.longest_scene(([frame] for frame in edit), 5)
    scene = np.concatenate(scene)
    assert len(scene) >= 3
    assert not any(_is_cut(*pair) for pair in itertools.pairwise(scene))


def test_cuts_of_a_real_edit(shared_data):
    with VideoReader(
        shared_data / "videos" / "street_bikes_cuts.mp4", fps=12
    ) as reader:
        thumbnails = [cuts.thumbnail(frame) for frame, _ in reader]
    found = [
        k / 12
        for k in range(1, len(thumbnails))
        if cuts.is_cut(thumbnails[k - 1], thumbnails[k])
    ]
    # Seen by eye, to a frame.
    np.testing.assert_allclose(found, [1.25, 3.08, 5.5, 7.5, 9.75], atol=0.09)
