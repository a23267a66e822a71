import concurrent.futures
import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tests.datasets import set_files
from tests.make_dataset import make_dataset
from vgan import InputError, config
from vgan.datasets import sources, styles
from vgan.datasets.batches import plain_errors
from vgan.datasets.records import TFRecords

# Longer than what training takes: what is read shows which frames were stored.
SHOTS = {
    "train": {
        "long.mp4": {"shots": ((0, 64),)},
        "shorts.mp4": {"shots": ((0, 16), (16, 32))},
    },
    "validation": {"other.mp4": {"shots": ((0, 32),)}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "mine"
    set_files.write_set(folder, SHOTS)
    return folder


def make_data(folder, **fields):
    fields = {"image_size": 32, "fps": 24.0, "flip": False, **fields}
    return config.Data(content=str(folder), **fields)


def open_content(folder, split="train", **fields):
    return sources.open_source("content", split, make_data(folder, **fields))


def clips(source, length, count=40):
    return [source.clip(np.random.default_rng(k), length) for k in range(count)]


def test_clips_are_runs_of_one_shot(folder):
    source = open_content(folder, estimate_flow=False)
    starts = set()
    for clip in clips(source, 6):
        assert clip.frames.shape == (6, 32, 32, 3)
        assert clip.occlusion.all()
        shown = set_files.times(clip)
        assert (np.diff(shown) == 1).all()
        assert shown[0] // 16 == shown[-1] // 16  # no second record is read
        starts.add(shown[0])
    assert len(starts) > 15  # it begins anywhere


@pytest.mark.parametrize(("fps", "step"), [(12, 2), (8, 3), (24, 1), (48, 0.5)])
def test_frame_rate_is_that_of_the_run(folder, fps, step):
    source = open_content(folder, fps=fps, estimate_flow=False)
    for clip in clips(source, 4, 10):
        shown = set_files.times(clip)
        np.testing.assert_array_equal(
            shown - shown[0], np.rint(np.arange(4) * step).astype(int)
        )


def test_odd_frame_rates_take_the_nearest_frames(folder):
    shown = set_files.times(clips(open_content(folder, fps=15), 8, 1)[0])
    np.testing.assert_array_equal(shown - shown[0], [0, 2, 3, 5, 6, 8, 10, 11])


def test_long_clips_go_on_in_the_neighbors(folder):
    source = open_content(folder, estimate_flow=False)
    for clip in clips(source, 32, 20):
        shown = set_files.times(clip)
        there = np.diff(shown)
        # Of 16 frames, shot 0 of shorts.mp4 is played to and fro; no other shot is.
        if shown.max() == 15:
            assert set(there) == {1, -1}
        else:
            assert (there == 1).all()
    to_and_fro = [c for c in clips(source, 32) if set_files.times(c).max() == 15]
    assert to_and_fro


def test_photos_become_clips_of_a_moving_window(tmp_path):
    photos = {f"{k}.jpg": {"shots": ((10 * k, 1),)} for k in range(4)}
    set_files.write_set(tmp_path, {"train": photos, "validation": photos})
    source = open_content(tmp_path)
    clip = source.clip(np.random.default_rng(0), 5)
    assert clip.frames.shape == (5, 32, 32, 3)
    assert (clip.occlusion == 0).any()  # its flow is exact
    style = config.Data(style=str(tmp_path), image_size=16, style_size=32)
    clip = sources.open_source("style", "train", style).clip(
        np.random.default_rng(0), 2
    )
    assert clip.frames.shape == (2, 16, 16, 3)


def test_splits_share_no_source(folder):
    names = {
        split: {name for name, _ in open_content(folder, split).first_frames()}
        for split in sources.SPLITS
    }
    assert names == {"train": {"long", "shorts"}, "validation": {"other"}}


def test_a_set_of_one_file_is_validated_on_rendered_scenes(tmp_path, caplog):
    set_files.write_set(tmp_path, {"train": {"only.mp4": {}}})
    assert isinstance(open_content(tmp_path, "validation"), sources.Scenes)
    assert "made of one file" in caplog.text


def make_experiment(folder):
    data = make_data(folder, clip_length=3, style_length=1, flip=True)
    return dataclasses.replace(
        config.Experiment(data=data, seed=5), train=config.Train(batch_size=2)
    )


def batches(experiment, count, first=0):
    dataset = make_dataset(experiment, "train", first_step=first).take(count)
    return [batch["content"].numpy() for batch in dataset]


@pytest.mark.slow
def test_batches_are_the_same_after_resume_and_in_another_process(folder, tmp_path):
    experiment = make_experiment(folder)
    whole = batches(experiment, 4)
    for one, two in zip(whole[2:], batches(experiment, 2, first=2), strict=True):
        np.testing.assert_array_equal(one, two)
    code = (
        "import sys, numpy as np; sys.path.insert(0, sys.argv[1])\n"
        "import test_prepared as t\n"
        "np.save(sys.argv[3], t.batches(t.make_experiment(sys.argv[2]), 4))\n"
    )
    here = str(pathlib.Path(__file__).parent)
    saved = tmp_path / "batches.npy"
    subprocess.run([sys.executable, "-c", code, here, folder, saved], check=True)
    np.testing.assert_array_equal(whole, np.load(saved))


def test_threads_may_share_a_source(folder):
    alone = open_content(folder, estimate_flow=False)
    shared = open_content(folder, estimate_flow=False)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        jobs = [
            threads.submit(shared.clip, np.random.default_rng(k), 20) for k in range(64)
        ]
    for one, job in zip(clips(alone, 20, 64), jobs, strict=True):
        np.testing.assert_array_equal(one.frames, job.result().frames)


def test_tfds_name_and_weights_name_a_set_too(folder, monkeypatch):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", "nowhere")
    monkeypatch.chdir(folder.parent.parent)
    shutil.copytree(folder, folder.parent.parent / "data" / "mine", dirs_exist_ok=True)
    mixed = {"tfds:video_clips/mine": 1.0, "synthetic": 1.0}
    data = dataclasses.replace(make_data(folder), content=mixed)
    source = sources.open_source("content", "train", data)
    assert isinstance(source, sources.Mixture)
    assert source.clip(np.random.default_rng(0), 3).frames.shape == (3, 32, 32, 3)


def test_other_formats_are_said(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (info,) = copy.rglob("dataset_info.json")
    info.write_text(info.read_text().replace('"tfrecord"', '"array_record"'))
    with pytest.raises(InputError, match=r"array_record files.* as tfrecord"):
        open_content(copy)


def test_records_are_those_that_tfds_reads(folder):
    made = tfds.builder_from_directory(folder / "video_clips" / "mine" / "1.0.0")
    part = TFRecords(made.info.splits["train[2:5]"].file_instructions)
    whole = TFRecords(made.info.splits["train"].file_instructions)
    assert len(part) == 3
    assert [part[k] for k in range(3)] == [whole[k] for k in range(2, 5)]
    with pytest.raises(IndexError):
        part[3]


def test_too_small_for_the_clip_is_said(folder):
    source = open_content(folder, image_size=256)
    with pytest.raises(InputError, match="64x48 pixels is too small for clips of 256"):
        source.clip(np.random.default_rng(0), 2)


def test_pairs_need_folders_of_files(folder, tmp_path):
    with pytest.raises(InputError, match="has no stylized form"):
        open_content(folder, target=str(tmp_path))


def damage(folder, tmp_path, change):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (shard,) = (copy / "video_clips").rglob("*-train.*")
    change(shard)
    return copy


@pytest.mark.parametrize(
    "change",
    [
        lambda shard: shard.write_bytes(shard.read_bytes()[:-100]),
        lambda shard: shard.write_bytes(b""),
        lambda shard: shard.write_bytes(bytes(len(shard.read_bytes()))),
        lambda shard: shard.write_bytes(shard.read_bytes() + bytes(40)),
        lambda shard: shard.unlink(),
        lambda shard: (shard.unlink(), shard.mkdir()),
        lambda shard: shard.write_bytes(
            shard.read_bytes().replace(b"long", b"\xff ng")
        ),
    ],
)
def test_damaged_shards_are_said_before_training(folder, tmp_path, change):
    copy = damage(folder, tmp_path, change)
    with pytest.raises(InputError, match=r"prepare (it|the data) again"):
        open_content(copy)


def test_a_damaged_frame_is_said_in_training(folder, tmp_path):
    def spoil(shard):
        data = shard.read_bytes()
        shard.write_bytes(data.replace(b"\xff\xd8\xff", b"\x00\xd8\xff"))

    copy = damage(folder, tmp_path, spoil)
    with pytest.raises(InputError, match="a frame is damaged"), plain_errors():
        batches(make_experiment(copy), 1)


def test_damaged_metadata_is_said(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (info,) = copy.rglob("dataset_info.json")
    info.write_text(info.read_text()[:50])
    with pytest.raises(InputError, match=r"dataset_info\.json: is damaged"):
        open_content(copy)


def test_other_features_are_said(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (features,) = copy.rglob("features.json")
    said = json.loads(features.read_text())
    del said["featuresDict"]["features"]["shot"]
    features.write_text(json.dumps(said))
    with pytest.raises(InputError, match="has no feature 'shot'"):
        open_content(copy)


@pytest.mark.parametrize("inside", [".parts", "video_clips/mine/incomplete.1.0.0"])
def test_an_unfinished_set_is_said(tmp_path, inside):
    (tmp_path / inside).mkdir(parents=True)
    with pytest.raises(InputError, match="never finished"):
        open_content(tmp_path)


def test_labels_of_a_prepared_set_are_its_styles(tmp_path):
    photos = {
        f"{label}/{k}.jpg": {"shots": ((10 * k, 1),), "label": label}
        for label in ("oil", "ink")
        for k in range(3)
    }
    set_files.write_set(tmp_path, {"train": photos})
    data = config.Data(style=str(tmp_path), image_size=16)
    named = styles.named_styles(data)
    assert {name: style.shape for name, style in named.items()} == {
        "ink": (3, 16, 16, 3),
        "oil": (3, 16, 16, 3),
    }
    assert all(np.abs(style).max() <= 1 for style in named.values())


def test_sub_folders_of_a_style_folder_are_its_styles(tmp_path):
    places = ["oil/a.jpg", "oil/deep/b.jpg", "ink/c.jpg", "wash.jpg"]
    for k, place in enumerate(places):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(set_files.frame_file(20 * k))
    data = config.Data(style=str(tmp_path), image_size=16, validation=0.0)
    named = styles.named_styles(data)
    shapes = {name: len(style) for name, style in named.items()}
    trained = sources.open_source("style", "train", data).source.files
    counts = {"oil": 2, "ink": 1, "wash": 1}
    for place in places:  # one of them is for validation
        if tmp_path / place not in trained:
            counts[place.split("/")[0].removesuffix(".jpg")] -= 1
    assert shapes == {name: count for name, count in counts.items() if count}
