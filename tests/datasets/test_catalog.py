"""Data sets of tensorflow-datasets by name, without a download."""

import contextlib
import socket

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.testing import mocking

from vgan import InputError, config
from vgan.datasets import catalog, sources, styles

T, SIDE = 12, 40


def video(channels=3, height=SIDE, width=SIDE + 8):
    """A window that moves over a picture of squares, two pixels a frame."""
    rng = np.random.default_rng(channels)
    coarse = rng.integers(0, 255, (height // 8, width // 8 + T, channels))
    picture = coarse.repeat(8, axis=0).repeat(8, axis=1).astype(np.uint8)
    return np.stack([picture[:, 2 * t : 2 * t + width] for t in range(T)])


METADATA = {"height": SIDE, "width": SIDE + 8, "num_frames": T, "video_name": "a"}
# (name, its splits, an example as its builder makes them; None: tfds makes one up)
SETS = {
    "davis/480p": (
        {"train": 5, "validation": 3},
        {
            "video": {"frames": list(video()), "segmentations": list(video(1))},
            "metadata": {"num_frames": T, "video_name": "bear"},
        },
    ),
    "ucf101": ({"train": 5, "test": 3}, None),
    "youtube_vis": (
        {"train": 5, "validation": 3},
        {"video": video(), "metadata": METADATA, "tracks": []},
    ),
    "tao": (
        {"train": 5, "validation": 3, "test": 3},
        {
            "video": video(height=480, width=640)[:2],
            "metadata": METADATA
            | {"neg_category_ids": [], "not_exhaustive_category_ids": []}
            | {"dataset": "AVA"},
            "tracks": [],
        },
    ),
    "moving_mnist": ({"test": 10}, None),
    "dtd": (
        {"train": 5, "test": 3, "validation": 3},
        {"file_name": "a.jpg", "image": video()[0], "label": "dotted"},
    ),
}


@pytest.fixture
def mocked(tmp_path, monkeypatch):
    """Function of a data set's name: prepares it, of made-up examples; a context."""
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))

    @contextlib.contextmanager
    def mock(name):
        splits, example = SETS[name]
        made = tfds.builder(name, data_dir=tmp_path)
        made.data_path.mkdir(parents=True)
        infos = []
        for split, count in splits.items():
            template = tfds.core.ShardedFileTemplate(
                dataset_name=made.name,
                data_dir=made.data_path,
                split=split,
                filetype_suffix="tfrecord",
            )
            infos.append(
                tfds.core.SplitInfo(
                    name=split,
                    shard_lengths=[count],
                    num_bytes=1,
                    filename_template=template,
                )
            )
            (path,) = template.sharded_filepaths(1)
            features = made.info.features
            examples = [example] * count if example else random(features, count)
            with tf.io.TFRecordWriter(str(path)) as writer:
                for each in examples:
                    writer.write(features.serialize_example(each))
        made.info.set_splits(tfds.core.splits.SplitDict(infos))
        made.info.write_to_directory(made.data_path)
        yield

    return mock


def random(features, count):
    return list(mocking.RandomFakeGenerator(features, count))


def open_set(name, role="content", split="train", **fields):
    fields = {"image_size": 32, "flip": False, "estimate_flow": False, **fields}
    data = config.Data(**{role: f"tfds:{name}"}, **fields)
    return sources.open_source(role, split, data)


@pytest.mark.parametrize("name", sorted(SETS))
def test_clips_of_data_sets(mocked, name):
    with mocked(name):
        for split in sources.SPLITS:
            clips = [
                open_set(name, split=split).clip(np.random.default_rng(7), 4)
                for _ in range(2)
            ]
            assert clips[0].frames.shape == (4, 32, 32, 3)
            assert clips[0].frames.dtype == np.uint8
            assert clips[0].frames.std() > 5
            for one, two in zip(*clips, strict=True):
                np.testing.assert_array_equal(one, two)


def test_frames_are_those_of_the_video(mocked):
    """Not of the maps beside it, in their order, at the rate of the run."""
    with mocked("davis/480p"):
        source = open_set("davis/480p", split="validation", image_size=SIDE)
        frames = source.clip(np.random.default_rng(0), 4).frames.astype(float)
    wanted = video()[:, :, 4:-4].astype(float)
    apart = np.abs(frames[:, None] - wanted[None]).mean(axis=(2, 3, 4))
    assert apart.min(axis=1).max() < 10
    assert set(np.diff(apart.argmin(axis=1))) <= {2}  # 24 fps to 12


def test_gray_videos_are_rgb(mocked):
    with mocked("moving_mnist"):
        frames = open_set("moving_mnist").clip(np.random.default_rng(0), 3).frames
    assert (frames[..., :1] == frames).all()


def test_sets_of_one_split_are_divided(mocked):
    with mocked("moving_mnist"):
        builder = catalog.open_builder("moving_mnist", "content")
        parts = [catalog.part_of(builder, split, 0.2) for split in sources.SPLITS]
    assert parts == ["test[:8]", "test[8:]"]


def test_labels_of_pictures_are_styles(mocked):
    with mocked("dtd"):
        data = config.Data(style="tfds:dtd", image_size=16)
        named = styles.named_styles(data)
        known = catalog.open_builder("dtd", "style").info.features["label"].names
    assert set(named) <= set(known)
    assert all(style.shape[1:] == (16, 16, 3) for style in named.values())


def test_any_other_set_with_pictures_will_do():
    features = tfds.features
    image, gray = features.Image(), features.Image(shape=(None, None, 1))
    clip = features.Video((None, 8, 8, 3))
    for made, wanted in (
        ({"a": image, "deep": {"b": clip}}, "deep/b"),
        ({"mask": gray, "z": image}, "z"),
        ({"steps": features.Sequence({"image": image})}, "steps/image"),
        ({"text": features.Text(), "x": np.float32}, None),
        ({"tracks": features.Sequence({"masks": clip})}, None),
        ({"depth": features.Image(shape=(8, 8, 1), dtype=np.uint16)}, None),
    ):
        assert catalog.find_pictures(features.FeaturesDict(made)) == wanted


class CatalogNumbers(tfds.testing.DummyDataset):
    """A set that is really there, in TFRecord files, and has no pictures."""


class CatalogFrames(tfds.testing.DummyDataset):
    """One that has, of 30 gray levels."""

    def _info(self):
        features = {"image": tfds.features.Image(shape=(48, 48, 3))}
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features)
        )

    def _generate_examples(self):
        for k in range(30):
            yield k, {"image": np.full((48, 48, 3), 8 * k, np.uint8)}


@pytest.fixture
def prepared_sets(tmp_path, monkeypatch):
    original = tfds.builder
    monkeypatch.setattr(tfds, "builder", lambda name: original(name, data_dir=tmp_path))


def test_tfrecord_sets_are_read_at_any_place(prepared_sets):
    gray = {"train": set(), "validation": set()}
    for split, seen in gray.items():
        source = open_set("catalog_frames", split=split)
        for k in range(60):
            frames = source.clip(np.random.default_rng(k), 2).frames
            assert np.ptp(frames) == 0
            seen.add(int(frames.max()))
    assert len(gray["train"]) > 15
    assert len(gray["validation"]) == 3
    assert not gray["train"] & gray["validation"]


def test_sets_without_pictures_are_said(prepared_sets):
    with pytest.raises(
        InputError, match=r"tfds:catalog_numbers.*none of its features .*\(id"
    ):
        open_set("catalog_numbers")


def test_unknown_names_are_said():
    with pytest.raises(InputError, match=r"^content: tfds:nonsense: .* knows no"):
        open_set("nonsense")
    with pytest.raises(
        InputError, match="davis/1p: no such variant; known: 480p, full"
    ):
        open_set("davis/1p")


def test_without_a_network_it_is_said_at_once(tmp_path, monkeypatch, caplog):
    def offline(*_):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    monkeypatch.setattr(catalog.urllib.request, "getproxies", dict)
    original = tfds.builder
    monkeypatch.setattr(tfds, "builder", lambda name: original(name, data_dir=tmp_path))
    with pytest.raises(InputError, match=r"cannot be downloaded, as .*is there a net"):
        open_set("moving_mnist")
    assert "downloading up to 0.8 GB" in caplog.text


def test_a_set_that_is_fetched_by_hand_is_said(tmp_path, monkeypatch):
    original = tfds.builder
    monkeypatch.setattr(tfds, "builder", lambda name: original(name, data_dir=tmp_path))
    with pytest.raises(InputError, match=r"cannot be prepared .*catalog/youtube_vis"):
        open_set("youtube_vis")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("davis/480p:9.9.9", "cannot be loaded at version 9.9.9, only: 2"),
        ("davis/nope", "no such variant; known: 480p"),
        ("", "is no name of a data set"),
        ("../../etc", "is no name of a data set"),
        ("a b", "is no name of a data set"),
        ("video_clips", "say which set"),
        ("video_clips/mine", "vgan.prepare made, as data/mine"),
    ],
)
def test_names_that_name_nothing_are_one_line(tmp_path, monkeypatch, name, message):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    said = f"tfds:{name}:" if name else "tfds:"
    with pytest.raises(InputError, match=f"content: {said} .*{message}"):
        open_set(name)
