import numpy as np

from tests.runtime.scenes import scene
from vgan.video.cuts import CutDetector


def cuts(frames):
    detector = CutDetector()
    return [i for i, frame in enumerate(frames) if detector(frame)]


def test_finds_cuts_and_nothing_else():
    frames = [scene(i // 5) for i in range(20)]
    assert cuts(frames) == [5, 10, 15]


def test_fast_pan_is_no_cut():
    wide = scene(3, 120, 2000)
    assert cuts([wide[:, x : x + 200] for x in range(0, 1700, 24)]) == []


def test_flash_is_no_cut():
    dark = scene(1) // 2
    bright = np.uint8(np.minimum(dark * 1.9, 255))
    white = np.full_like(dark, 255)
    assert cuts([dark, bright, dark, dark, white, dark, dark]) == []


def test_noise_in_the_dark_is_no_cut():
    rng = np.random.default_rng(0)
    assert cuts([rng.integers(0, 20, (120, 200, 3), np.uint8) for _ in range(5)]) == []


def test_cut_behind_black_is_found():
    black = np.zeros_like(scene(0))
    assert cuts([scene(0), black, black, scene(2)]) == [3]


def test_real_cuts(shared_data):
    from vgan.video import VideoReader

    videos = shared_data / "videos"
    for name, expected in [
        ("street_bikes_cuts.mp4", [30, 76, 137, 187, 242]),
        ("space_nasa_multistream.mp4", [202]),
        ("animal_bear_vp9.webm", []),
    ]:
        with VideoReader(videos / name) as reader:
            assert cuts(frame for frame, _ in reader) == expected, name
