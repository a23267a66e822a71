import dataclasses
import logging
from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.video.samples import make_video, moving
from vgan import InputError
from vgan.video import VideoReader
from vgan.video.masks import LabelMask, MaskReader


@dataclasses.dataclass
class Size:
    width: int = 64
    height: int = 48
    fps: Fraction = Fraction(25)


LIKE = Size()


def disc(height=48, width=64, center=(32, 24), radius=12):
    return cv2.circle(np.zeros((height, width), np.uint8), center, radius, 255, -1)


def rgb(gray):
    return np.repeat(gray[..., None], 3, axis=-1)


def save(array, path):
    Image.fromarray(array).save(path)
    return path


def bars(levels, count=3, height=48, width=64, rate=25, path=None, **options):
    """A video of upright bars of the levels that move by a bar a frame."""
    levels = np.array(levels)
    index = np.arange(width) * len(levels) // width
    truth = [(index[None] + t).repeat(height, 0) % len(levels) for t in range(count)]
    colors = levels if levels.ndim == 2 else levels[:, None].repeat(3, 1)
    frames = [colors[labels].astype(np.uint8) for labels in truth]
    time_base = Fraction(1, rate)
    make_video(
        path, count, height, width, frames=frames, time_base=time_base, options=options
    )
    return truth


def test_picture(tmp_path):
    path = save(disc(), tmp_path / "mask.png")
    with MaskReader(path, like=LIKE) as mask:
        share = mask.at(Fraction(7, 3))
        assert share.shape == (48, 64, 1)
        assert share.dtype == np.float32
        np.testing.assert_array_equal(share[..., 0], disc() == 255)
        assert mask.at(100) is share  # made once
    inverted = MaskReader(path, invert=True, like=LIKE).at(0)
    np.testing.assert_array_equal(inverted, 1 - share)


def test_grays_are_shares_and_almost_black_is_black(tmp_path):
    gray = np.tile(np.arange(256, dtype=np.uint8), (192, 1))
    path = save(gray, tmp_path / "mask.png")
    share = MaskReader(path, like=Size(256, 192)).at(0)[0, :, 0]
    assert (np.diff(share) >= 0).all()
    assert share[4] == 0
    assert share[251] == 1
    np.testing.assert_allclose(share, np.arange(256) / 255, atol=5 / 255)


@pytest.mark.parametrize("shape", [(96, 128), (24, 32), (480, 640), (48, 65)])
def test_another_size_of_the_same_shape(tmp_path, shape):
    height, width = shape
    large = disc(height, width, (width // 2, height // 2), height // 4)
    path = save(large, tmp_path / "mask.png")
    share = MaskReader(path, like=LIKE).at(0)
    assert share.shape == (48, 64, 1)
    assert np.abs(share[..., 0] - (disc() == 255)).mean() < 0.05
    assert share.max() == 1


def test_another_shape(tmp_path):
    path = save(disc(48, 66), tmp_path / "mask.png")
    with pytest.raises(InputError, match=r"mask\.png: is 66x48 and the video is 64x48"):
        MaskReader(path, like=LIKE)


@pytest.mark.parametrize("soft", [2, 9, 30])
def test_soft_edges_are_gaussian(tmp_path, soft):
    step = np.zeros((240, 400), np.uint8)
    step[:, 200:] = 255
    path = save(step, tmp_path / "mask.png")
    row = MaskReader(path, soft=soft, like=Size(400, 240)).at(0)[120, :, 0]
    spread = np.diff(row)
    x = np.arange(len(spread)) - 199
    assert (spread * x**2).sum() == pytest.approx(soft**2, rel=0.1)
    assert (spread * x).sum() == pytest.approx(0, abs=1)
    assert row[0] == 0
    assert row[-1] == 1


@pytest.mark.parametrize("soft", [-1, float("nan"), 1e9])
def test_bad_soft(tmp_path, soft):
    with pytest.raises(InputError, match="soft="):
        MaskReader(save(disc(), tmp_path / "mask.png"), soft=soft, like=LIKE)


def test_video_by_timestamp(tmp_path, caplog):
    """A mask of 5 frames a second under a video of 30: white moves a bar a frame."""
    path = tmp_path / "mask.mp4"
    truth = bars([0, 255, 0, 0], count=5, rate=5, path=path)
    with (
        caplog.at_level(logging.WARNING, "vgan"),
        MaskReader(path, like=LIKE) as mask,
    ):
        for i in range(30):
            share = mask.at(Fraction(i, 30))[..., 0]
            np.testing.assert_allclose(share, truth[i // 6] == 1, atol=0.1)
            assert (share == (truth[i // 6] == 1)).mean() > 0.8  # black is black
        assert not caplog.records
        for second in (1.2, 2, 50):  # its last frame is held, and that is said once
            share = mask.at(second)[..., 0]
            np.testing.assert_allclose(share, truth[4] == 1, atol=0.1)
        assert [r.getMessage() for r in caplog.records] == [
            f"{path}: ends at 1.00 s, before the video; its last frame is held"
        ]


def test_seconds_may_go_back_and_skip(tmp_path):
    path = tmp_path / "mask.mp4"
    truth = bars([0, 255, 0, 0], count=10, rate=5, path=path)
    with MaskReader(path, like=LIKE) as mask:
        for index in (9, 0, 5, 4, 8, 2, 3):
            share = mask.at(Fraction(index, 5))[..., 0]
            np.testing.assert_allclose(share, truth[index] == 1, atol=0.1)


def test_rounded_timestamps_show_the_same_frame(tmp_path):
    """Matroska rounds to milliseconds: 1/30 s becomes 0.033 s."""
    path = tmp_path / "mask.mp4"
    truth = bars([0, 255, 0, 0], count=8, rate=30, path=path)
    with MaskReader(path, like=LIKE) as mask:
        for index in range(8):
            share = mask.at(Fraction(round(1000 * index / 30), 1000))[..., 0]
            np.testing.assert_allclose(share, truth[index] == 1, atol=0.1)


def test_folder_has_the_rate_of_the_video(tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    for index in range(3):
        save(np.full((48, 64), 120 * index, np.uint8), folder / f"{index}.png")
    with MaskReader(folder, like=Size(fps=Fraction(10))) as mask:
        levels = [mask.at(Fraction(i, 10)).mean() * 255 for i in range(3)]
    np.testing.assert_allclose(levels, [0, 120, 240], atol=4)


def test_a_mask_that_masks_nothing_is_told(tmp_path, caplog):
    path = tmp_path / "mask.png"
    white = np.full((48, 64, 3), 255, np.uint8)
    Image.fromarray(np.dstack([white, disc()])).save(path)  # white on transparent
    with caplog.at_level(logging.WARNING, "vgan"):
        MaskReader(path, like=LIKE)
    assert "is the same all over" in caplog.text


def test_bad_masks(tmp_path):
    with pytest.raises(InputError, match=r"none\.png"):
        MaskReader(tmp_path / "none.png", like=LIKE)
    with pytest.raises(InputError, match=r"none\.mp4"):
        MaskReader(tmp_path / "none.mp4", like=LIKE)
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    with pytest.raises(InputError, match=r"text\.mp4"):
        LabelMask(text, like=LIKE)


def test_mask_fits_the_video_that_it_is_read_with(tmp_path):
    video = make_video(tmp_path / "in.mp4", count=3)
    mask_path = save(disc(480, 640, (320, 240), 100), tmp_path / "mask.png")
    with VideoReader(video) as reader, MaskReader(mask_path, like=reader) as mask:
        for frame, timestamp in reader:
            assert mask.at(timestamp).shape[:2] == frame.shape[:2]


GRAYS = [200, 0, 255, 100]
COLORS = [[255, 0, 0], [0, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]


def ranks(levels):
    """Number of each level in the order of grey values."""
    colors = np.uint8(levels if np.ndim(levels) == 2 else rgb(np.uint8(levels)))
    gray = cv2.cvtColor(colors[None], cv2.COLOR_RGB2GRAY)[0]
    return gray.argsort().argsort()


@pytest.mark.parametrize(
    "levels", [GRAYS, COLORS, [0, 1, 2, 3], [[9, 9, 8], [9, 9, 9]]]
)
def test_labels_of_a_picture_are_exact(tmp_path, levels):
    index = np.random.default_rng(0).integers(0, len(levels), (48, 64))
    colors = np.uint8(levels if np.ndim(levels) == 2 else rgb(np.uint8(levels)))
    path = save(colors[index], tmp_path / "labels.png")
    mask = LabelMask(path, like=LIKE)
    labels = mask.at(5)
    assert labels.dtype == np.uint8
    assert mask.num_labels == len(levels)
    np.testing.assert_array_equal(labels, ranks(levels)[index])
    double = LabelMask(path, like=Size(128, 96)).at(0)
    np.testing.assert_array_equal(double, labels.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("crf", ["10", "30"])
@pytest.mark.parametrize(
    "levels", [GRAYS, COLORS, list(range(0, 256, 17))], ids=["greys", "colors", "16"]
)
def test_labels_of_a_video_survive_its_codec(tmp_path, levels, crf):
    path = tmp_path / "labels.mp4"
    truth = bars(levels, 4, 240, 320, path=path, crf=crf)
    with LabelMask(path, like=Size(320, 240)) as mask:
        assert mask.num_labels == len(levels)
        for index, expected in enumerate(truth):
            wrong = mask.at(Fraction(index, 25)) != ranks(levels)[expected]
            assert wrong.mean() < 0.02


def test_no_third_region_at_the_border_of_two(tmp_path):
    """Between black and white a codec leaves grey, which is a region of its own."""
    frame = np.zeros((120, 160, 3), np.uint8)
    frame[:, 80:] = 255
    frame[90:, :40] = 128
    path = make_video(tmp_path / "labels.mp4", 2, 120, 160, frames=[frame, frame])
    with LabelMask(path, like=Size(160, 120)) as mask:
        labels = mask.at(0)
    assert set(np.unique(labels[:80])) == {0, 2}
    assert (labels[100:, :30] == 1).all()


def test_what_is_no_label_mask(tmp_path):
    for name, picture in {
        "photo": next(moving(1, 48, 64)),
        "noise": np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8),
        "slope": rgb(np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))),
        "many": rgb(np.uint8(np.arange(64 * 48).reshape(48, 64) // 174 * 14)),
    }.items():
        path = save(picture, tmp_path / f"{name}.png")
        with pytest.raises(InputError, match=rf"{name}\.png: .*16 colors") as caught:
            LabelMask(path, like=LIKE)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"one region only"):
        LabelMask(save(rgb(disc() * 0), tmp_path / "one.png"), like=LIKE)
