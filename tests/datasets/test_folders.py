import logging
import shutil
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from vgan import InputError, config
from vgan.datasets import folders, sources, synthetic
from vgan.video import VideoWriter


def _data(content, **fields):
    fields = {"image_size": 32, "clip_length": 3, "flip": False, **fields}
    return config.Data(content=str(content), **fields)


def _open(folder, split="train", **fields):
    return sources.open_source("content", split, _data(folder, **fields))


def _stills(folder, names, size=48):
    for seed, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture = synthetic.painting("mosaic", seed, size)
        Image.fromarray(picture).save(folder / name)


def _video(path, frames, fps=12):
    with VideoWriter(path, fps=fps) as writer:
        for k, frame in enumerate(frames):
            writer.write(frame, Fraction(k, fps))


@pytest.fixture
def stills(tmp_path):
    _stills(tmp_path, [f"{k}.png" for k in range(12)] + ["deep/er/x.jpg"])
    return tmp_path


def test_clips_of_stills_know_their_flow(stills, warp_error):
    source = _open(stills)
    clip = source.clip(np.random.default_rng(3), 3)
    assert clip.frames.shape == (3, 32, 32, 3)
    assert clip.occlusion.mean() < 0.5
    assert warp_error(clip)[0] < 12  # mosaics are all edges


def test_train_and_validation_share_no_file(stills):
    train, validation = (_open(stills, split).files for split in sources.SPLITS)
    assert train
    assert validation
    assert len({*train, *validation}) == len(train) + len(validation) == 13


def test_a_file_keeps_its_side_when_others_come(stills):
    before = _open(stills, "validation", validation=0.4).files
    _stills(stills, [f"more/{k}.png" for k in range(7)])
    after = _open(stills, "validation", validation=0.4).files
    assert set(before) <= set(after)
    assert len(after) < 20


@pytest.mark.parametrize("fraction", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("count", [2, 3])
def test_each_side_has_a_file(tmp_path, fraction, count):
    files = [tmp_path / f"{k}.png" for k in range(count)]
    train, validation = folders.split_files(files, tmp_path, fraction)
    assert train
    assert validation
    assert sorted(train + validation) == files


def test_each_named_style_keeps_a_file_for_training(tmp_path):
    names = [f"{style}/{k}.png" for style in "abcd" for k in range(3)]
    files = [tmp_path / name for name in [*names, "e/0.png", "f/0.png", "g.png"]]
    styles = folders.styles_of(files, tmp_path)
    assert set(styles.values()) == set("abcdefg")
    train, validation = folders.split_files(files, tmp_path, 0.9, styles)
    assert {styles[file] for file in train} == set("abcdefg")
    assert sorted([*train, *validation]) == sorted(files)
    assert len(validation) >= 5
    assert folders.styles_of(files[-1:], tmp_path) is None


def test_moving_the_folder_keeps_the_split(stills, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "place"
    shutil.copytree(stills, other)
    names = [
        [f.relative_to(root).as_posix() for f in _open(root, "validation").files]
        for root in (stills, other)
    ]
    assert names[0] == names[1]


def test_hidden_and_other_files_are_not_seen(stills):
    shutil.copy(stills / "0.png", stills / ".hidden.png")
    (stills / ".cache").mkdir()
    shutil.copy(stills / "0.png", stills / ".cache" / "a.png")
    (stills / "notes.txt").write_text("no picture")
    (stills / "loop").symlink_to(stills)
    files = _open(stills).files + _open(stills, "validation").files
    assert len(files) == 13


def test_one_file_is_trained_on_and_validation_is_rendered(tmp_path, caplog):
    _stills(tmp_path, ["only.png"])
    assert [f.name for f in _open(tmp_path).files] == ["only.png"]
    assert isinstance(_open(tmp_path, "validation"), sources.Scenes)
    lines = [r.getMessage() for r in caplog.records]
    assert len(lines) == 1
    assert "only one usable file" in lines[0]


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_file_that_is_named_is_all_there_is(tmp_path, caplog, split):
    _stills(tmp_path, ["other.png", "only.png"])
    opened = _open(tmp_path / "only.png", split)
    assert [f.name for f in opened.files] == ["only.png"]
    assert opened.clip(np.random.default_rng(0), 2).frames.shape[0] == 2
    assert not caplog.records
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(InputError, match=r"text\.png"):
        _open(tmp_path / "text.png", split)


def test_a_broken_file_is_skipped_with_one_line(stills, caplog):
    broken = stills / "3.png"
    broken.write_bytes(broken.read_bytes()[:200])
    tiny = stills / "tiny.png"
    Image.fromarray(np.zeros((5, 9, 3), np.uint8)).save(tiny)
    draws = [_open(stills).clip(np.random.default_rng(s), 3) for s in range(60)]
    again = _open(stills)
    for seed, clip in reversed(list(enumerate(draws))):
        same = again.clip(np.random.default_rng(seed), 3)
        np.testing.assert_array_equal(clip.frames, same.frames)
    lines = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert sum(str(broken) in line for line in lines) == 1
    assert sum(str(tiny) in line for line in lines) == 1
    assert len(lines) == 2


def test_all_broken_is_an_error(tmp_path):
    for k in range(4):
        (tmp_path / f"{k}.png").write_bytes(b"no picture")
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(InputError, match="every file is unusable") as caught:
        _open(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_break_later_are_an_error(stills):
    source = _open(stills)
    for file in source.files:
        file.write_bytes(b"gone")
    with pytest.raises(InputError, match="every file is unusable"):
        source.clip(np.random.default_rng(0), 3)


def test_a_side_of_only_broken_files_gets_others(stills):
    broken = _open(stills, "validation").files
    for file in broken:
        file.write_bytes(b"no picture")
    train, validation = (_open(stills, split).files for split in sources.SPLITS)
    assert validation
    assert not {*train, *validation} & {*broken}
    assert not {*train} & {*validation}


def test_missing_and_empty_folders_are_named(tmp_path):
    with pytest.raises(
        InputError, match=r"nowhere: there is no such folder.*synthetic"
    ):
        _open(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"has no video and no image.*\.mp4"):
        _open(tmp_path)
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(InputError, match="is not a folder"):
        _open(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "spec", [{}, {"synthetic": 0}, {"synthetic": -1.0}, {"synthetic": float("nan")}]
)
def test_bad_mixtures_are_refused(spec):
    with pytest.raises(InputError, match="style: "):
        sources.open_source("style", "train", config.Data(style=spec))


def test_mixtures_keep_their_weights(stills):
    data = config.Data(
        content={"synthetic": 1, str(stills): 3}, image_size=16, flip=False
    )
    source = sources.open_source("content", "train", data)
    drawn = []
    for part in source.sources:
        part.clip = lambda rng, length, part=part: drawn.append(part)
    for seed in range(800):
        source.clip(np.random.default_rng(seed), 2)
    assert drawn.count(source.sources[1]) / 800 == pytest.approx(0.75, abs=0.05)


def test_half_of_the_training_clips_are_flipped_and_no_other():
    data = config.Data(image_size=16)
    train = sources.open_source("content", "train", data)
    plain = train.source
    flips = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rng.random()
        before = plain.clip(rng, 2)
        after = train.clip(np.random.default_rng(seed), 2)
        flips += not np.array_equal(before.frames, after.frames)
    assert 30 < flips < 70
    assert isinstance(
        sources.open_source("content", "validation", data), sources.Scenes
    )


def test_the_splits_of_synthetic_sources_share_nothing():
    for make in (sources.Scenes, sources.Paintings):
        clips = [
            make(split, 16).clip(np.random.default_rng(0), 2)
            for split in sources.SPLITS
        ]
        assert not np.array_equal(clips[0].frames, clips[1].frames)


def test_clips_of_videos_never_cross_a_cut(tmp_path):
    scenes = [synthetic.scene(seed, 7, 64, 96).frames for seed in (1, 2, 5)]
    # One channel tells the scenes apart after any crop.
    for k, frames in enumerate(scenes):
        frames[..., 1] = frames[..., 1] // 4 + 80 * k
    for name in ("a.mp4", "b.mp4"):
        _video(tmp_path / name, np.concatenate(scenes))
    source = _open(tmp_path, clip_length=4, estimate_flow=False)
    seen = set()
    for seed in range(20):
        clip = source.clip(np.random.default_rng(seed), 4)
        again = source.clip(np.random.default_rng(seed), 4)
        np.testing.assert_array_equal(clip.frames, again.frames)
        green = clip.frames[..., 1].mean(axis=(1, 2))
        assert np.ptp(green) < 30
        seen.add(int(green[0]) // 80)
        assert (clip.flow == 0).all()
        assert (clip.occlusion == 1).all()
    assert len(seen) == 3


@pytest.mark.parametrize("split", sources.SPLITS)
@pytest.mark.parametrize("length", [20, 3])
def test_flow_of_videos_is_estimated(tmp_path, warp_error, split, length):
    # A clip of 6 out of 3 frames goes to and fro, and so does its flow.
    for seed in (1, 4):
        _video(tmp_path / f"{seed}.mp4", synthetic.scene(seed, length, 96, 128).frames)
    source = _open(tmp_path, split, image_size=64)
    errors = []
    for seed in range(6):
        clip = source.clip(np.random.default_rng(seed), 6)
        assert clip.occlusion.mean() < 0.5
        errors.append(warp_error(clip))
    moved, plain = np.mean(errors, axis=0)
    assert plain > 2
    assert moved < 0.5 * plain


def test_styles_and_tiny_clips_have_no_flow(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        _video(tmp_path / name, synthetic.scene(1, 8, 64, 64).frames)
    style = sources.open_source("style", "train", _data("", style=str(tmp_path)))
    for source in (style, _open(tmp_path, image_size=15)):
        clip = source.clip(np.random.default_rng(0), 3)
        assert (clip.flow == 0).all()
        assert (clip.occlusion == 1).all()


def test_short_odd_and_mixed_videos_work(tmp_path):
    _video(tmp_path / "two.mp4", synthetic.scene(0, 2, 33, 51).frames)
    _video(tmp_path / "one.gif", synthetic.scene(1, 1, 40, 20).frames)
    _stills(tmp_path, ["still.png"])
    known = set()
    for split in sources.SPLITS:
        source = _open(tmp_path, split, validation=0.3, estimate_flow=False)
        for seed in range(10):
            clip = source.clip(np.random.default_rng(seed), 5)
            assert clip.frames.shape == (5, 32, 32, 3)
            assert clip.flow.shape == (4, 32, 32, 2)
            known.add(bool((clip.occlusion == 1).all()))
    assert known == {True, False}


def test_video_frames_come_at_the_rate_asked_for(tmp_path):
    # Brightness is time: 24 frames per second, 3 levels a frame.
    levels = (np.arange(72) * 3).astype(np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (72, 64, 64, 3))
    for name in ("a.mp4", "b.mp4"):
        _video(tmp_path / name, frames, fps=24)
    source = _open(tmp_path, "train", fps=8.0)
    clip = source.clip(np.random.default_rng(1), 5)
    steps = np.diff(clip.frames.mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(steps, 9, atol=1.6)


def test_validation_takes_the_whole_height_of_the_center(tmp_path):
    columns = np.broadcast_to(np.arange(96, dtype=np.uint8) * 2, (64, 96))
    frame = np.dstack([columns] * 3)
    for name in ("a.mp4", "b.mp4"):
        _video(tmp_path / name, [frame] * 8)
    clip = _open(tmp_path, "validation").clip(np.random.default_rng(0), 3)
    middle = columns[0, 16:80].reshape(32, 2).mean(axis=1)
    assert np.abs(clip.frames[0].mean(axis=(0, 2)) - middle).max() < 4


def test_the_shared_folders_of_everything(shared_data):
    for folder in ("photos", "styles"):
        source = _open(shared_data / folder, image_size=48)
        assert source.clip(np.random.default_rng(1), 3).frames.std() > 1


def test_the_shared_videos_that_are_broken_are_named(shared_data, tmp_path, caplog):
    names = [
        "CORRUPT_invalid_vp9.webm",
        "CORRUPT_undecodable_fragmented.mp4",
        "NOVIDEO_audio_only.mp4",
        "TINY_10x12_multitrack.mp4",
    ]
    good = [
        "animal_bear_odd_161x121.webm",
        "face_carphone_qcif.mp4",
        "newtonscradle.gif",
    ]
    for name in names + good:
        (tmp_path / name).symlink_to(shared_data / "videos" / name)
    source = _open(tmp_path, image_size=64)
    for seed in range(30):
        clip = source.clip(np.random.default_rng(seed), 4)
        assert clip.frames.shape == (4, 64, 64, 3)
    skipped = [r.getMessage() for r in caplog.records if "skipped" in r.getMessage()]
    broken = {f.name for f in source.files} - {*good}
    assert broken
    for name in broken:
        assert sum(name in line for line in skipped) == 1


def test_nobodys_home_is_said():
    with pytest.raises(InputError, match="~nobody_at_all/films: there is no user"):
        folders.expanded("~nobody_at_all/films")


@pytest.mark.parametrize(
    ("path", "message"), [("", "content: is empty"), ("x" * 300, "too long")]
)
def test_paths_that_cannot_be_are_said(path, message):
    with pytest.raises(InputError, match=message):
        sources.open_source("content", "train", config.Data(content=path))
