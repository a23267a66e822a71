import dataclasses
from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.make_dataset import make_dataset
from vgan import InputError, config
from vgan.datasets import pairs, sources, synthetic
from vgan.video import VideoWriter


def _video(path, frames, fps=12):
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, fps=fps, overwrite=True) as writer:
        for k, frame in enumerate(frames):
            writer.write(frame, Fraction(k, fps))


def _picture(path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def _negative(frames):
    return 255 - frames


def _larger(frames):
    return np.stack([cv2.resize(frame, None, fx=1.5, fy=1.5) for frame in frames])


@pytest.fixture
def folders(tmp_path):
    """Content and its negative: four videos, two of them larger, and two photos."""
    for seed in range(4):
        frames = synthetic.scene(seed, 16, 64, 96).frames
        _video(tmp_path / "content" / f"v/{seed}.mp4", frames)
        stylized = _negative(frames)
        stylized = _larger(stylized) if seed % 2 else stylized
        _video(tmp_path / "target" / f"v/{seed}.mov", stylized)
    for seed in range(2):
        picture = synthetic.scene(seed, 1, 90, 90).frames[0]
        _picture(tmp_path / "content" / f"{seed}.jpg", picture)
        stylized = _negative(_larger(picture[None])[0])
        _picture(tmp_path / "target" / f"{seed}.png", stylized)
    return tmp_path


def _data(root, **fields):
    fields = {"image_size": 32, "clip_length": 4, "style_length": 2, **fields}
    names = {"content": str(root / "content"), "target": str(root / "target")}
    return config.Data(**{**names, **fields})


def _open(root, split="train", **fields):
    return sources.open_source("content", split, _data(root, **fields))


@pytest.mark.parametrize("split", sources.SPLITS)
def test_targets_show_the_same_pixels_at_the_same_times(folders, split):
    source = _open(folders, split)
    known = set()
    for seed in range(20):
        pair = source.clip(np.random.default_rng(seed), 4)
        assert pair.target.shape == pair.clip.frames.shape == (4, 32, 32, 3)
        apart = np.abs(255 - pair.target.astype(float) - pair.clip.frames)
        assert apart.mean() < 5  # of 255: the codecs' loss
        known.add(pair.clip.occlusion.mean() < 1)
    assert known == {True}


@pytest.mark.parametrize(("fps", "suffix"), [(24, ".mov"), (12, ".mp4"), (24, ".mkv")])
def test_another_frame_rate_and_container_keep_the_times(tmp_path, fps, suffix):
    # Brightness is time: 5 levels for each of 48 frames, in two seconds.
    levels = (np.arange(48) * 5).astype(np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (48, 64, 64, 3))
    _video(tmp_path / "content" / "a.mp4", frames, 24)
    _video(tmp_path / "target" / f"a{suffix}", frames[:: 24 // fps], fps)
    source = _open(tmp_path, image_size=16)
    for seed in range(10):
        pair = source.clip(np.random.default_rng(seed), 4)
        apart = pair.clip.frames.mean((1, 2, 3)) - pair.target.mean((1, 2, 3))
        assert np.abs(apart).max() < 2.5


def test_batches_have_targets_and_their_styles(folders):
    data = _data(folders, style=str(folders / "target") + "/")
    experiment = config.Experiment(data=data, train=config.Train(batch_size=3))

    def batch(first_step):
        return next(make_dataset(experiment, "train", first_step).as_numpy_iterator())

    one, again = batch(2), batch(2)
    assert one["target"].shape == (3, 4, 32, 32, 3)
    assert one["target"].dtype == np.float32
    assert one["style"].shape == (3, 2, 32, 32, 3)
    assert np.abs(one["target"] + one["content"]).mean() < 0.07
    for name, part in one.items():
        np.testing.assert_array_equal(part, again[name])
    assert not np.array_equal(one["target"], batch(3)["target"])


def test_a_clips_style_is_its_own_targets(tmp_path):
    # The mean tells which file a clip is of, and content from target.
    for k in range(5):
        frame = np.full((64, 64, 3), 40 * k, np.uint8)
        _video(tmp_path / "content" / f"{k}.mp4", [frame] * 6)
        _video(tmp_path / "target" / f"{k}.mp4", [frame + 30] * 6)
    source = _open(tmp_path, style=str(tmp_path / "target"))
    for seed in range(12):
        pair = source.clip(np.random.default_rng(seed), 3)
        assert abs(pair.style.mean() - pair.target.mean()) < 3
        assert pair.style.mean() - pair.clip.frames.mean() == pytest.approx(30, abs=4)
    apart = _open(tmp_path, style="synthetic")
    assert apart.clip(np.random.default_rng(0), 3).style is None


def test_mirrored_pairs_are_mirrored_in_all_parts(folders):
    source = _open(folders, style=str(folders / "target")).source
    pair = source.clip(np.random.default_rng(1), 3)
    mirrored = pair.mirrored()
    np.testing.assert_array_equal(mirrored.target[:, :, ::-1], pair.target)
    np.testing.assert_array_equal(mirrored.style[:, :, ::-1], pair.style)
    np.testing.assert_array_equal(mirrored.clip.frames[:, :, ::-1], pair.clip.frames)


def test_files_without_a_partner_are_counted_in_one_line(folders, caplog):
    for name in ("x.mp4", "v/y.mov"):
        _video(folders / "content" / name, synthetic.scene(1, 4, 64, 64).frames)
    # a still is no partner of a video
    _picture(folders / "target" / "x.png", np.zeros((64, 64, 3), np.uint8))
    source = _open(folders, flip=False)
    assert isinstance(source, pairs.Pairs)
    assert {"x.mp4", "y.mov"}.isdisjoint(file.name for file in source.files)
    lines = [record.getMessage() for record in caplog.records]
    assert sum("2 of 8 files" in line for line in lines) == len(lines) == 1


def test_pairs_that_do_not_fit_are_skipped_with_one_line(folders, caplog):
    frames = synthetic.scene(0, 16, 64, 96).frames
    _video(folders / "target" / "v/0.mov", frames[:12])  # shorter
    _video(folders / "target" / "v/1.mov", frames[:, :, :80])  # narrower
    _picture(folders / "target" / "0.png", np.zeros((64, 90, 3), np.uint8))
    source = _open(folders, flip=False, validation=0.0)
    for seed in range(60):
        source.clip(np.random.default_rng(seed), 3)
    lines = [r.getMessage() for r in caplog.records if "skipped" in r.getMessage()]
    trained = {file.name for file in source.files} & {"0.mp4", "1.mp4", "0.jpg"}
    assert len(lines) >= len(trained) >= 2
    assert all("equally long" in line or "one shape" in line for line in lines)
    for name in ("0.mov", "1.mov", "0.png"):
        assert sum(f"{name}:" in line for line in lines) <= 1


def test_the_only_pair_is_validated_on_too(tmp_path, caplog):
    for name in ("content", "target"):
        _video(tmp_path / name / "a.mp4", synthetic.scene(0, 8, 64, 64).frames)
    pair = _open(tmp_path, "validation").clip(np.random.default_rng(0), 3)
    assert pair.target.shape == (3, 32, 32, 3)
    assert "only one usable pair" in caplog.text


def test_wrong_folders_are_refused(folders):
    with pytest.raises(InputError, match=r"^target: rendered content"):
        _open(folders, content="synthetic")
    with pytest.raises(InputError, match=r"^target: rendered content"):
        _open(folders, content={str(folders / "content"): 1, "synthetic": 1})
    with pytest.raises(InputError, match=r"^target: .*no such folder") as caught:
        _open(folders, target=str(folders / "nowhere"))
    assert "synthetic" not in str(caught.value)
    with pytest.raises(InputError, match=r"^target: .*same name"):
        _open(folders, target=str(folders / "target" / "v"))


def test_several_folders_share_a_target(folders, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    for k in range(2):
        _video(other / f"v/{k}.mp4", synthetic.scene(k, 16, 64, 96).frames)
    weights = {str(folders / "content"): 1.0, str(other): 2.0}
    data = dataclasses.replace(_data(folders), content=weights)
    source = sources.open_source("content", "train", data)
    for seed in range(8):
        assert source.clip(np.random.default_rng(seed), 2).target.shape[0] == 2
