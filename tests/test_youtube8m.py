import csv
import logging
import struct

import numpy as np
import pytest
import tensorflow as tf

from tests import in_process
from tools.youtube8m import choosing
from tools.youtube8m import records as reading
from vgan import InputError
from vgan.prepare import inputs, provenance

NAMES = {0: "Game", 1: "Vehicle", 2: "Concert", 3: "Dance", 7: "Bánh mì, fried"}


def _frame_level(name, labels=(), rgb=3, audio=3, segments=(), id_key="id"):
    """A SequenceExample as the project's page lays it down.

    rgb, audio: uint8 [T, 1024 or 128], or T. segments: (start, end, label, score).
    """
    example = tf.train.SequenceExample()
    context, lists = example.context.feature, example.feature_lists.feature_list
    context[id_key].bytes_list.value.append(name.encode())
    context["labels"].int64_list.value.extend(labels)
    for key, rows, size in (("rgb", rgb, 1024), ("audio", audio, 128)):
        if isinstance(rows, int):
            rows = np.full((rows, size), 100, np.uint8)
        lists[key].SetInParent()
        for row in rows:
            lists[key].feature.add().bytes_list.value.append(row.tobytes())
    if segments:
        starts, ends, numbers, scores = zip(*segments, strict=True)
        context["segment_start_times"].int64_list.value.extend(starts)
        context["segment_end_times"].int64_list.value.extend(ends)
        context["segment_labels"].int64_list.value.extend(numbers)
        context["segment_scores"].float_list.value.extend(scores)
    return example.SerializeToString()


def _video_level(name, labels, rgb):
    example = tf.train.Example()
    feature = example.features.feature
    feature["id"].bytes_list.value.append(name.encode())
    feature["labels"].int64_list.value.extend(labels)
    feature["mean_rgb"].float_list.value.extend(rgb)
    feature["mean_audio"].float_list.value.extend([0.25] * 128)
    return example.SerializeToString()


def _shard(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
    return path


def _point(seed, at=0):
    """uint8 [2, 1024]: features near to a place of their own."""
    rng = np.random.default_rng([seed, at])
    return rng.integers(0, 256, (1, 1024), np.uint8).repeat(2, axis=0)


@pytest.fixture
def vocabulary(tmp_path):
    path = tmp_path / "vocabulary.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Index", "TrainVideoCount", "KnowledgeGraphId", "Name"])
        writer.writerows([n, 1000, f"/m/{n}", name] for n, name in NAMES.items())
    return path


@pytest.fixture
def shards(tmp_path):
    """60 videos in 3 shards: 40 of label 0, 15 of 1, 5 of 2; every sixth has 7 too."""
    kinds = [0] * 40 + [1] * 15 + [2] * 5
    records = [
        _frame_level(f"v{k:03d}", [kind] + [7] * (k % 6 == 0), _point(k))
        for k, kind in enumerate(kinds)
    ]
    for k in range(3):
        _shard(tmp_path / "train" / f"train{k:04d}.tfrecord", records[k::3])
    return tmp_path / "train"


def _rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_frame_level_records_are_dequantized_as_in_the_code_of_the_paper(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (300, 1024), np.uint8)
    audio = np.arange(300 * 128).astype(np.uint8).reshape(300, 128)
    path = _shard(tmp_path / "a", [_frame_level("nXSc", [522, 1, 1], rgb, audio)])
    (video,) = reading.read(path)
    assert (video.id, video.labels, video.segments) == ("nXSc", [1, 522], None)
    assert video.rgb.dtype == video.audio.dtype == np.float32
    # Dequantize(x, 2, -2) of github.com/google/youtube-8m, utils.py
    np.testing.assert_allclose(video.rgb, rgb * (4 / 255) + 4 / 512 - 2, atol=1e-6)
    np.testing.assert_allclose(video.audio, audio * (4 / 255) + 4 / 512 - 2, atol=1e-6)
    np.testing.assert_allclose(video.mean_rgb(), video.rgb.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(video.mean_audio(), video.audio.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(
        video.mean_rgb(10, 15), video.rgb[10:15].mean(axis=0), atol=1e-5
    )


def test_quantized_features_come_back_within_a_step():
    x = np.linspace(-2, 2, 1001)
    quantized = np.floor((x + 2) / 4 * 255).astype(np.uint8)
    assert np.abs(reading.dequantize(quantized) - x).max() < 4 / 255


def test_segments_have_times_and_scores(tmp_path):
    segments = [(10, 15, 3, 1.0), (10, 15, 4, 0.0), (40, 45, 9, 1.0)]
    records = [
        _frame_level("abcd", [3, 5], 60, 60, segments),
        _frame_level("efgh", [3], id_key="video_id"),
    ]
    rated, plain = reading.read(_shard(tmp_path / "a", records))
    assert rated.segments == segments
    assert (rated.segments[2].start, rated.segments[2].label) == (40, 9)
    assert (plain.id, plain.segments) == ("efgh", None)


def test_video_level_records_have_means_only(tmp_path):
    mean = np.linspace(-1, 1, 1024, dtype=np.float32)
    (video,) = reading.read(_shard(tmp_path / "a", [_video_level("abcd", [4], mean)]))
    assert (video.id, video.labels, video.rgb) == ("abcd", [4], None)
    np.testing.assert_array_equal(video.mean_rgb(), mean)
    np.testing.assert_array_equal(video.mean_audio(), np.full(128, 0.25, np.float32))


def test_clips_are_balanced_over_labels_and_listed(shards, vocabulary, tmp_path):
    output = tmp_path / "list.csv"
    chosen = choosing.choose(
        shards, output, 12, ["game", "Vehicle", 2], vocabulary=vocabulary
    )
    kinds = [next(n for n in clip.labels if n < 3) for clip in chosen]
    assert [kinds.count(n) for n in range(3)] == [4, 4, 4]
    assert len({clip.id for clip in chosen}) == 12
    rows = _rows(output)
    assert [row["file"] for row in rows] == [clip.id for clip in chosen]
    for row, clip in zip(rows, chosen, strict=True):
        assert row["labels"].split(";") == [NAMES[n] for n in clip.labels]
        assert row["source"] == f"http://data.yt8m.org/2/j/i/v0/{clip.id}.js"
        assert row["start"] == row["end"] == row["license"] == row["author"] == ""


def test_a_rare_label_leaves_its_place_to_others(shards, tmp_path):
    chosen = choosing.choose(shards, tmp_path / "a.csv", 20, [0, 2])
    labels = [clip.labels for clip in chosen]
    assert sum(2 in each for each in labels) == 5
    assert sum(0 in each for each in labels) == 15


def test_the_choice_does_not_depend_on_how_videos_are_spread(shards, tmp_path):
    def chosen(*paths, **options):
        output = tmp_path / "a.csv"
        choosing.choose(list(paths), output, 9, per_label=20, **options)
        return output.read_bytes()

    first = chosen(shards)
    files = sorted(shards.glob("*.tfrecord"))
    assert chosen(*reversed(files)) == chosen(shards / "*.tfrecord", shards) == first
    assert chosen(shards, seed=1) != first
    records = [r.numpy() for f in files for r in tf.data.TFRecordDataset(str(f))]
    assert chosen(_shard(tmp_path / "one.tfrecord", records[::-1])) == first


def test_of_segments_those_that_show_the_label_are_clips(tmp_path):
    rgb = np.concatenate([_point(k) for k in range(30)])  # 60 s
    records = [
        _frame_level(
            name,
            [5, 6],
            rgb,
            segments=[
                (5, 10, 5, 1.0),
                (5, 10, 6, 1.0),
                (20, 25, 5, 0.0),
                (30, 35, 6, 1),
            ],
        )
        for name in ("aaaa", "bbbb")
    ]
    records.append(_frame_level("cccc", [5], rgb, segments=[(0, 5, 5, 0.0)]))
    shard = _shard(tmp_path / "validate0000.tfrecord", records)
    chosen = choosing.choose(shard, tmp_path / "a.csv", 2, [5])
    assert {clip[1:] for clip in chosen} == {((5, 6), 5, 10)}
    assert {(r["start"], r["end"]) for r in _rows(tmp_path / "a.csv")} == {("5", "10")}
    # each video gives one clip, though it has two spans
    chosen = choosing.choose(shard, tmp_path / "a.csv", 2)
    assert {clip.id for clip in chosen} == {"aaaa", "bbbb"}
    with pytest.raises(InputError, match="count=3: only 2 videos are there"):
        choosing.choose(shard, tmp_path / "a.csv", 3)


def test_copies_are_joined_with_their_labels(shards, vocabulary, tmp_path, caplog):
    copies = tmp_path / "copies"
    for name in ("v001.mp4", "deep/v042.mkv", "mine.mov", ".v003.mp4", "v002.txt"):
        (copies / name).parent.mkdir(parents=True, exist_ok=True)
        (copies / name).touch()
    with caplog.at_level(logging.WARNING):
        choosing.join(shards, copies, tmp_path / "a.csv", vocabulary)
    rows = {row["file"]: row["labels"] for row in _rows(tmp_path / "a.csv")}
    assert rows == {"deep/v042.mkv": "Vehicle;Bánh mì, fried", "v001.mp4": "Game"}
    assert "1 of 3 names are no ids" in caplog.text
    # what prepare makes of the list
    sources = inputs.find([copies], "content", provenance.Rows(tmp_path / "a.csv"))
    labels = {source.name: source.label for source in sources}
    assert labels == {**rows, "mine.mov": ""}
    assert sources[-1].provenance == {"url": "http://data.yt8m.org/2/j/i/v0/v001.js"}


def test_copies_that_cannot_be_joined_are_one_line(shards, tmp_path):
    for name, message in (
        ("nowhere", "is no folder"),
        ("empty", "has no video"),
        ("pictures", "has no video"),
        ("mine", "no video is named by an id of these shards"),
    ):
        if name != "nowhere":
            (tmp_path / name).mkdir()
        if name == "pictures":
            (tmp_path / name / "v001.png").touch()
        if name == "mine":
            (tmp_path / name / "v999.mp4").touch()
        with pytest.raises(InputError, match=f"^{tmp_path}/{name}: {message}"):
            choosing.join(shards, tmp_path / name, tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


def _break_off(data):
    return data[: len(data) * 2 // 3]


def _break_off_in_a_head(data):
    (length,) = struct.unpack("<Q", data[:8])
    return data[: length + 16 + 5]


def _flip(data):
    middle = len(data) * 2 // 3
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("harm", [_break_off, _break_off_in_a_head, _flip])
def test_a_damaged_shard_is_named_and_the_rest_counts(harm, shards, tmp_path, caplog):
    path = shards / "train0001.tfrecord"
    path.write_bytes(harm(path.read_bytes()))
    good = []
    with pytest.raises(reading.DamagedShardError, match="fetch it again"):
        good.extend(video.id for video in reading.read(path))
    assert 1 <= len(good) < 20
    with caplog.at_level(logging.WARNING):
        chosen = choosing.choose(shards, tmp_path / "a.csv", 40 + len(good))
    assert sum("train0001" in record.message for record in caplog.records) == 1
    assert {*good} < {clip.id for clip in chosen}


def test_a_damaged_shard_alone_is_an_error_if_nothing_can_be_read(tmp_path):
    path = tmp_path / "a.tfrecord"
    for data, message in ((b"", "is empty"), (b"a,b\n" * 9, "is no TFRecord")):
        path.write_bytes(data)
        with pytest.raises(InputError, match=rf"a\.tfrecord: {message}"):
            choosing.choose(path, tmp_path / "a.csv", 1)
    assert not (tmp_path / "a.csv").exists()


def test_clips_without_features_are_counted_and_left_out(tmp_path, caplog):
    segments = [(5, 10, 1, 1.0)]  # later than the features that the record has
    records = [
        _frame_level("aaaa", [1], 0, 0),
        _frame_level("bbbb", [1], 3, 3, segments),
        _frame_level("cccc", [1]),
    ]
    shard = _shard(tmp_path / "a.tfrecord", records)
    (chosen,) = choosing.choose(shard, tmp_path / "a.csv", 1)
    assert chosen.id == "cccc"
    assert "2 clips have no features" in caplog.text
    with pytest.raises(InputError, match="only 1 videos are there, or ask for fewer"):
        choosing.choose(shard, tmp_path / "a.csv", 2)


def _picture():
    example = tf.train.Example()
    example.features.feature["image/encoded"].bytes_list.value.append(b"...")
    return example.SerializeToString()


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (_picture(), "holds no records of YouTube-8M, but of image/encoded"),
        (b"not a message", "its records are no tf.train.Examples"),
        (_frame_level("abcd", [1], np.zeros((2, 1000), np.uint8)), "1000 bytes of rgb"),
        (_video_level("abcd", [1], [0.5] * 10), "10 features of mean_rgb"),
        (_video_level("abcd", [1], [np.nan] * 1024), "no numbers"),
    ],
)
def test_records_of_another_kind_are_refused(record, message, tmp_path):
    path = _shard(tmp_path / "a.tfrecord", [record])
    with pytest.raises(InputError, match=message) as error:
        choosing.choose(path, tmp_path / "a.csv", 1)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tfrecord"]


def test_sound_of_another_size_is_refused(tmp_path):
    record = _frame_level("abcd", [1], 2, np.zeros((2, 64), np.uint8))
    (video,) = reading.read(_shard(tmp_path / "a", [record]))
    with pytest.raises(InputError, match=r"video 'abcd': 64 bytes of audio"):
        _ = video.audio


def test_a_video_that_comes_twice_is_refused(shards, tmp_path):
    files = sorted(shards.glob("*.tfrecord"))
    copy = tmp_path / "copy.tfrecord"
    copy.write_bytes(files[0].read_bytes())
    with pytest.raises(InputError, match=r"video 'v\d+': is in .*copy.tfrecord too"):
        choosing.choose([copy, *files], tmp_path / "a.csv", 5)
    # segments are part of the validation set: the same ids, another kind of clip
    rated = _frame_level("v000", [0], 60, 60, [(5, 10, 0, 1.0)])
    segments = _shard(tmp_path / "segments.tfrecord", [rated])
    with pytest.raises(InputError, match=r"'v000': is in .* too"):
        choosing.choose([segments, *files], tmp_path / "a.csv", 5)
    (tmp_path / "link.tfrecord").symlink_to(files[0])
    choosing.choose([tmp_path / "link.tfrecord", *files], tmp_path / "a.csv", 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count=0: give at least 1"),
        ({"per_label": 0}, "per_label=0: give at least 1"),
        ({"count": 61}, "count=61: only 60 videos are there, or ask for fewer"),
        ({"count": 9, "per_label": 4}, "only 4 videos are held; raise --per_label=4"),
        ({"labels": [3]}, "only 0 videos with these labels are there"),
        ({"labels": ["Game"], "vocabulary": None}, "'Game' is a name; give the voc"),
        ({"labels": ["Vehical"]}, "'Vehical' is not in .*; the nearest is 'Vehicle'"),
        ({"labels": ["99"]}, "--label: 99 is not in the vocabulary, of 0 to 7"),
        ({"labels": []}, "--label: none are given"),
        ({"labels": ["4800"], "vocabulary": None}, "4800.* are below 4800"),
        ({"labels": ["9" * 5000], "vocabulary": None}, "--label: .* are below 4800"),
        ({"shards": ""}, "--shards: is empty"),
        ({"vocabulary": "nowhere.csv"}, "nowhere.csv: cannot be read"),
        ({"shards": "nowhere/*.tfrecord"}, "nowhere.*: no shard there"),
        ({"shards": []}, "shards: none are given"),
        ({"output": "a.txt"}, "a.txt: give the list a name that ends in .csv"),
        ({"output": "no/where/a.csv"}, "a.csv: cannot be written"),
    ],
)
def test_bad_arguments_are_one_line(options, message, shards, vocabulary, tmp_path):
    given = {"count": 5, "shards": shards, "vocabulary": vocabulary, **options}
    output = tmp_path / given.pop("output", "a.csv")
    with pytest.raises(InputError, match=message) as error:
        choosing.choose(given.pop("shards"), output, given.pop("count"), **given)
    assert "\n" not in str(error.value)
    assert not output.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "has no column Index or Name"),
        (b"Index,Name\n", "has no labels"),
        (b"Index,Name\nx,Game\n", "line 2: Index is 'x'"),
        (b"Index,Name\n" + b"1" * 5000 + b",Game\n", "line 2: Index is '1111"),
        (b"Name,Index\nGame\n", "line 2: Index is ''"),
        (b"Index,Name\n1,Game\n1,Car\n", "line 3: Index is '1'; give each label one"),
        (b"Index,Name\n1,\xff\n", "is no CSV file in UTF-8"),
        (
            b"Index,Name\n1,Game\n2,Game\n",
            "'game' is the name of 1 and 2; give the num",
        ),
    ],
)
def test_bad_vocabularies_are_one_line(text, message, shards, tmp_path):
    path = tmp_path / "words.csv"
    path.write_bytes(text)
    with pytest.raises(InputError, match=message):
        choosing.choose(shards, tmp_path / "a.csv", 5, ["game"], path)


def test_bad_flags_are_one_line():
    for flags, line in (
        ([], "--shards: is missing"),
        (
            ["--shards=a", "--output="],
            "--output=: is empty; give one, such as list.csv",
        ),
        (["--shards=a", "--output=b"], "give --count, to choose clips, or --input"),
        (["--shards=a", "--count=1"], "--output: is missing"),
        (["--shards=a", "--count=1", f"--output={__file__}"], "exists; give anoth"),
    ):
        done = in_process.run("tools.youtube8m", *flags)
        assert (done.returncode, done.stdout) == (2, "")
        assert line in done.stderr
        assert len(done.stderr.splitlines()) == 1
