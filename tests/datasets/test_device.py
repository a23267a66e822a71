from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from vgan import InputError
from vgan.datasets import device, synthetic
from vgan.datasets.spec import ClipSpec
from vgan.video import VideoWriter


def spec(content, style, **changes):
    return ClipSpec(
        content=str(content) if not isinstance(content, dict) else content,
        style=str(style),
        image_size=40,
        style_size=64,
        **changes,
    )


def save(folder, shapes):
    folder.mkdir(exist_ok=True, parents=True)
    for k, (height, width) in enumerate(shapes):
        picture = synthetic.painting("waves", k, max(height, width))[:height, :width]
        Image.fromarray(picture).save(folder / f"{k}.png")
    return folder


def film(path, frames=60, fps=10):
    with VideoWriter(path, fps=fps) as writer:
        for k in range(frames):
            frame = np.full((48, 64, 3), 4 * k, np.uint8)
            writer.write(frame, Fraction(k, fps))


@pytest.fixture
def styles(tmp_path):
    return save(tmp_path / "styles", [(80, 90)] * 3)


def unpacked(pictures, index):
    packed = pictures.pixels[index].astype(int)
    picture = np.dstack([packed >> 16, packed >> 8 & 255, packed & 255])
    return picture.transpose(1, 0, 2) if pictures.turned[index] else picture


def test_pictures_lie_on_one_canvas_tall_ones_turned(tmp_path, styles):
    shapes = [(100, 130), (130, 100), (44, 50), (60, 300), (96, 96)]
    content = save(tmp_path / "photos", shapes)
    stored = device.load(spec(content, styles, validation=0.0))
    sizes = stored.content.sizes.tolist()
    assert stored.content.pixels.shape[1:] == (48, 80)
    assert len(sizes) >= 4  # one at least is kept for validation
    assert stored.style.pixels.shape[1:] == (64, 96)
    for index, (height, width) in enumerate(sizes):
        assert stored.content.turned[index] == (height > width)
        assert min(height, width) in (44, 48)
        assert max(height, width) <= 72
        picture = unpacked(stored.content, index)[: int(height), : int(width)]
        assert picture.min() >= 0
        assert picture.std() > 10
        assert (picture[-1].sum(), picture[:, -1].sum()) > (0, 0)
    assert stored.content.odds[-1] == 1


def test_what_is_stored_is_the_picture(tmp_path, styles):
    content = save(tmp_path / "photos", [(48, 60), (60, 48)])
    stored = device.load(spec(content, styles))
    wanted = [np.asarray(Image.open(content / f"{k}.png")) for k in range(2)]
    height, width = stored.content.sizes[0].astype(int)
    found = unpacked(stored.content, 0)[:height, :width]
    assert any(found.shape == w.shape and np.array_equal(found, w) for w in wanted)


def test_frames_of_videos_are_stills(tmp_path, styles, caplog):
    folder = tmp_path / "films"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        film(folder / name)
    stored = device.load(spec(folder, styles))
    assert len(stored.content.pixels) == 3  # one video trains; a frame per 2 seconds
    assert "3 frames of 1 videos are taken as stills" in caplog.text
    levels = [unpacked(stored.content, k)[5, 5].mean() for k in range(3)]
    assert np.diff(levels) == pytest.approx([80, 80], abs=25)


def test_sources_are_drawn_by_weight_and_broken_files_are_named(
    tmp_path, styles, caplog
):
    many, few = (
        save(tmp_path / name, [(50, 60)] * count)
        for name, count in (("many", 9), ("few", 3))
    )
    (many / "0.png").write_bytes(b"no picture")
    content = {str(many): 1.0, str(few): 3.0}
    stored = device.load(spec(content, styles))
    assert "0.png" in caplog.text
    odds = np.diff(stored.content.odds, prepend=0)
    assert odds[-1] > 5 * odds[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("synthetic", "a source is a folder of pictures or videos"),
        ("{}/nothing", "there is no such folder"),
        ("{}/empty", "has no video and no image"),
        ("{}/small", "too small for clips of 40"),
    ],
)
def test_sources_that_cannot_be_used_are_one_line(tmp_path, styles, content, says):
    save(tmp_path / "small", [(8, 9)] * 2)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=says) as caught:
        device.load(spec(content.format(tmp_path), styles))
    assert "\n" not in str(caught.value)


def test_what_does_not_fit_into_memory_is_told_before_decoding(
    tmp_path, styles, monkeypatch
):
    content = save(tmp_path / "photos", [(50, 60)] * 4)
    with pytest.raises(InputError, match=r"needs 0\.0 GB for \d pictures.*accelerator"):
        device.load(spec(content, styles), free=1000)
    monkeypatch.setattr(device, "free_memory", lambda: 2000)
    with pytest.raises(InputError, match="of the machine are free"):
        device.load(spec(content, styles))


def test_the_machine_says_what_is_free():
    assert device.free_memory() > 2**20
