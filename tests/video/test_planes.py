"""Films that are RGB only where they are small."""

import concurrent.futures
import time

import cv2
import numpy as np
import pytest

from tests.video.samples import make_video
from vgan.runtime.upsampling import JointUpsampler
from vgan.video import VideoReader, VideoWriter
from vgan.video.color import BT709, ToYUV
from vgan.video.planes import EnlargedPicture, PlanarFrame, luma_of

SIZE, SMALL = (180, 320), (90, 160)


def psnr(one, two):
    """In dB."""
    error = np.mean((np.float32(one) - np.float32(two)) ** 2)
    return 10 * np.log10(255**2 / max(error, 1e-9))


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Three colored frames in 4:2:0."""
    path = tmp_path_factory.mktemp("film") / "in.mp4"
    random = np.random.default_rng(0)
    coarse = random.integers(30, 220, (3, 12, 20, 3), np.uint8)
    with VideoWriter(path, fps=25) as writer:
        for index, picture in enumerate(coarse):
            frame = cv2.resize(picture, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
            writer.write(frame, index / 25)
    return path


@pytest.fixture(scope="module")
def pairs(film):
    """(array, PlanarFrame) of each frame."""
    with VideoReader(film) as reader:
        arrays = [frame for frame, _ in reader]
    with VideoReader(film) as reader:
        reader.keep_planes()
        frames = [frame for frame, _ in reader]
    return list(zip(arrays, frames, strict=True))


def test_an_array_of_it_is_what_is_read_without(pairs):
    for array, frame in pairs:
        assert isinstance(frame, PlanarFrame)
        assert frame.shape == array.shape == (*SIZE, 3)
        np.testing.assert_array_equal(np.asarray(frame), array)


def test_what_is_shrunk_is_that_of_the_array(pairs):
    for array, frame in pairs:
        small, luma = frame.shrunk(*SMALL)
        wanted = cv2.resize(array, SMALL[::-1], interpolation=cv2.INTER_AREA)
        assert psnr(small, wanted) > 45
        own = cv2.resize(frame.luma, SMALL[::-1], interpolation=cv2.INTER_AREA)
        assert psnr(luma, own) > 50


def test_turned_films_come_as_arrays(film):
    with VideoReader(film, size=SMALL) as reader:
        reader.keep_planes()
        assert isinstance(next(reader)[0], np.ndarray)


def test_planes_of_what_is_enlarged_are_those_of_its_array(pairs):
    upsample, to_yuv = JointUpsampler(), ToYUV("yuv420p", BT709)
    for array, frame in pairs:
        small, luma = frame.shrunk(*SMALL)
        stylized = 255 - small[:, ::-1]
        result = upsample.planar(frame.luma, luma, stylized)
        wanted = upsample(array, small, stylized)
        assert result.shape == wanted.shape
        assert psnr(np.asarray(result), wanted) > 45
        found, planes = to_yuv(result), to_yuv(wanted).to_ndarray()
        assert psnr(found.to_ndarray(), planes) > 45
        assert luma_of(found).shape == SIZE


def test_writers_of_arrays_get_them(pairs, tmp_path):
    _, frame = pairs[0]
    small, luma = frame.shrunk(*SMALL)
    result = JointUpsampler().planar(frame.luma, luma, small)
    with VideoWriter(tmp_path / "out") as writer:
        writer.write(result, 0)
    with VideoReader(tmp_path / "out") as reader:
        np.testing.assert_array_equal(next(reader)[0], np.asarray(result))


def test_detail_is_added_in_place():
    picture = np.full((4, 4, 3), 100, np.uint8)
    detail = np.full((8, 8), 128, np.uint8)
    detail[0, 0] = 148
    frames = [
        ToYUV("yuv420p", BT709)(EnlargedPicture(picture, one))
        for one in (np.full_like(detail, 128), detail)
    ]
    plain, laid = (luma_of(frame).astype(int) for frame in frames)
    assert laid[0, 0] - plain[0, 0] == 20
    assert (laid == plain).sum() == 63


def test_frames_become_arrays_one_at_a_time(tmp_path):
    """Threads that read and that paint share what converts; FFmpeg's is for one."""
    with VideoReader(make_video(tmp_path / "a.mp4", 8)) as reader:
        reader.keep_planes()
        frames = [frame for frame, _ in reader]
    to_rgb = frames[0]._to_array.__self__
    real, inside = to_rgb._reformatter, []

    class Slow:
        def reformat(self, *arguments, **options):
            inside.append(1)
            assert len(inside) == 1
            time.sleep(0.01)
            inside.pop()
            return real.reformat(*arguments, **options)

    to_rgb._reformatter = Slow()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(np.asarray, frames))) == 8
