"""Frames that are cut and scaled while they are converted."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.video.samples import make_video, moving, psnr
from vgan.datasets import videos
from vgan.video import VideoReader


def frames_of(path, **options):
    with VideoReader(path, **options) as reader:
        frames = [frame for frame, _ in reader]
        assert (reader.height, reader.width) == frames[0].shape[:2]
    return np.stack(frames)


def scaled(frames, height, width):
    shrinks = height < frames.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.stack([cv2.resize(f, (width, height), interpolation=way) for f in frames])


@pytest.mark.parametrize("size", [(24, 32), (40, 40), (72, 96)])
def test_scaled_frames_are_what_scaling_whole_ones_gives(tmp_path, size):
    path = make_video(tmp_path / "a.mp4", 4)
    assert psnr(frames_of(path, size=size), scaled(frames_of(path), *size)) > 40


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_a_window_is_what_cutting_and_scaling_gives(tmp_path, pix_fmt):
    path = make_video(tmp_path / "a.mp4", 4, 96, 128, pix_fmt=pix_fmt)
    shown = frames_of(path, size=(40, 40), window=(22 / 128, 10 / 96, 0.625, 80 / 96))
    assert psnr(shown, scaled(frames_of(path)[:, 10:90, 22:102], 40, 40)) > 40


@pytest.mark.parametrize(
    "matrix",
    [
        (1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1),
        (0, 1, 1, 0), (0, 1, -1, 0), (0, -1, 1, 0), (0, -1, -1, 0),
    ],
)  # fmt: skip
def test_a_window_is_in_the_picture_as_displayed(tmp_path, matrix):
    a, b, c, d = (65536 * part for part in matrix)
    path = make_video(
        tmp_path / "a.mov",
        2,
        setup=lambda stream: stream.set_display_matrix(
            [a, b, 0, c, d, 0, 0, 0, 1 << 30]
        ),
    )
    whole = frames_of(path)
    _, height, width, _ = whole.shape
    window = (6 / width, 10 / height, 20 / width, 30 / height)
    shown = frames_of(path, window=window)
    assert psnr(shown, whole[:, 10:40, 6:26]) > 40


def test_a_window_reaches_over_the_border_of_no_frame(tmp_path):
    path = make_video(tmp_path / "a.webm", 2, 49, 65, codec="libvpx-vp9")
    assert frames_of(path, window=(0, 0, 1, 1)).shape[1:3] in ((49, 65), (48, 64))
    assert frames_of(path, window=(0.99, 0.99, 0.5, 0.5)).shape[1:3] == (2, 2)
    small = frames_of(path, window=(0.99, 0.99, 0.01, 0.01), size=(16, 16))
    assert small.shape == (2, 16, 16, 3)


def test_a_frame_that_is_shown_twice_is_the_same(tmp_path):
    path = make_video(tmp_path / "a.mp4", 5)
    whole, twice = frames_of(path), frames_of(path, fps=50)
    np.testing.assert_array_equal(twice, np.repeat(whole, 2, axis=0))


def test_starting_late_gives_what_reading_on_gives(tmp_path):
    path = make_video(tmp_path / "a.mp4", 40, options={"g": "12"})
    whole = frames_of(path)
    for first in (1, 11, 12, 13, 39):
        with VideoReader(path, start=Fraction(first, 25)) as reader:
            assert np.array_equal(next(reader)[0], whole[first])
            reader.seek(0)
            assert np.array_equal(next(reader)[0], whole[0])


def test_pictures_are_cut_and_scaled_too(tmp_path):
    (frame,) = moving(1, 48, 64)
    Image.fromarray(frame).save(tmp_path / "1.png")
    for source in (tmp_path, tmp_path / "1.png"):
        (part,) = frames_of(source, window=(8 / 64, 0, 0.5, 0.5))
        np.testing.assert_array_equal(part, frame[:24, 8:40])
        (small,) = frames_of(source, window=(0, 0, 0.5, 1), size=(24, 16))
        np.testing.assert_array_equal(small, scaled(frame[None, :, :32], 24, 16)[0])


@pytest.mark.parametrize("training", [False, True])
def test_a_clip_is_a_square_of_the_video(tmp_path, training):
    """As it was when whole frames were converted, but for rounding."""
    path = make_video(tmp_path / "a.mp4", 6, 96, 160)
    clip = videos.clip_of_video(path, np.random.default_rng(1), 6, 48, 25, training)
    whole = frames_of(path)
    errors = [
        psnr(clip.frames[0], scaled(whole[:1, y : y + side, x : x + side], 48, 48)[0])
        for side in (range(56, 98, 2) if training else [96])
        for y in (range(0, 98 - side, 2) if training else [0])
        for x in (range(0, 162 - side, 2) if training else [32])
    ]
    assert max(errors) > 40
