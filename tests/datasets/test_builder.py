import contextlib
import hashlib
import os
import resource
import subprocess
import sys

import pytest
import tensorflow_datasets as tfds

from tests.datasets import set_files
from vgan import InputError, pipelines
from vgan.datasets import builder, shards

LOCAL = [
    "--runner=DirectRunner",
    "--direct_num_workers=2",
    "--direct_running_mode=multi_processing",
]


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "parts").mkdir()
    return {
        "train": [
            set_files.write_part(tmp_path / "parts" / f"{k}.zip", f"b/{k}.mp4")
            for k in range(3)
        ],
        "validation": [set_files.write_part(tmp_path / "parts" / "v.zip", "a.mp4")],
    }


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(shards, "SHARD_BYTES", 40_000)


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.md5(path.read_bytes()).hexdigest()
        for path in sorted((folder / "video_clips").rglob("*"))
        if path.is_file()
    }


def test_tfds_loads_what_was_written(tmp_path, parts, monkeypatch):
    wrote = builder.write(tmp_path / "data" / "mine", "mine", parts)
    assert wrote == {"train": (9, 1), "validation": (3, 1)}
    monkeypatch.chdir(tmp_path)
    here = tfds.load("video_clips/mine", split="train")
    named = tfds.load("video_clips/mine", split="train", data_dir="data/mine")
    for examples in map(list, (here, named)):
        assert len(examples) == 9
        third = examples[2]
        assert third["frames"].shape == (16, 48, 64, 3)
        assert abs(third["frames"].numpy()[5].mean() - 3 * 37) < 2
        assert third["source"].numpy() == b"b/0.mp4"
        assert third["start"].numpy() == pytest.approx(32 / 24)
        assert third["licence"].numpy() == b"CC0"


def test_bytes_depend_on_the_chosen_clips_alone(tmp_path, parts, small_shards):
    chosen = {f"b/{k}.mp4#{start:08d}" for k in (0, 2) for start in (0, 16)}
    chosen |= {"a.mp4#00000016"}
    builder.write(tmp_path / "one", "mine", parts, chosen)
    few = {"validation": parts["validation"], "train": parts["train"][::-2]}
    builder.write(tmp_path / "two", "mine", few, chosen)
    one, two = digests(tmp_path / "one"), digests(tmp_path / "two")
    assert one == two
    assert sum("train" in name for name in one) > 1  # more shards than one
    builder.write(tmp_path / "two", "mine", few)
    assert digests(tmp_path / "two") != one


@pytest.mark.slow
def test_other_processes_write_the_same_bytes(tmp_path, parts):
    """The order of a protocol buffer's map is that of the process."""
    builder.write(tmp_path / "one", "mine", parts)
    code = (
        "import sys, pathlib; from vgan.datasets import builder\n"
        "root = pathlib.Path(sys.argv[1])\n"
        "train = [root / 'parts' / f'{k}.zip' for k in range(3)]\n"
        "parts = {'train': train, 'validation': [root / 'parts' / 'v.zip']}\n"
        "builder.write(root / 'two', 'mine', parts)\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, env=environment)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_a_new_version_replaces_the_old_one(tmp_path, parts):
    builder.write(tmp_path, "mine", parts)
    builder.write(tmp_path, "mine", {"train": parts["train"][:1]}, progress=print)
    made = tfds.builder("video_clips/mine", data_dir=tmp_path)
    assert made.info.splits["train"].num_examples == 3
    assert list(made.info.splits) == ["train"]
    assert {path.name for path in tmp_path.iterdir()} == {"parts", "video_clips"}


def test_a_damaged_part_leaves_the_old_version(tmp_path, parts):
    builder.write(tmp_path, "mine", parts)
    before = digests(tmp_path)
    whole = parts["train"][1].read_bytes()
    for damaged in (whole[:-30], b"no zip"):
        parts["train"][1].write_bytes(damaged)
        with pytest.raises(InputError, match=r"1\.zip: is damaged"):
            builder.write(tmp_path, "mine", parts)
    assert digests(tmp_path) == before
    assert not (tmp_path / ".building").exists()


def test_flipped_bytes_of_a_part_are_noticed(tmp_path, parts):
    whole = bytearray(parts["train"][1].read_bytes())
    whole[2000] ^= 255
    parts["train"][1].write_bytes(whole)
    with pytest.raises(InputError, match=r"1\.zip: is damaged"):
        builder.write(tmp_path, "mine", parts)


@pytest.mark.parametrize("place", [4, 6, 8, 10, 24, 42])
def test_a_damaged_table_of_contents_is_noticed(tmp_path, parts, place):
    builder.write(tmp_path, "mine", parts)
    before = digests(tmp_path)
    whole = bytearray(parts["train"][1].read_bytes())
    whole[whole.rindex(b"PK\1\2") + place] ^= 255
    parts["train"][1].write_bytes(whole)
    with contextlib.suppress(InputError):  # what zipfile overlooks changes nothing
        builder.write(tmp_path, "mine", parts)
    assert digests(tmp_path) == before
    assert not (tmp_path / ".building").exists()


def test_a_full_disk_is_said_in_a_line(tmp_path, parts):
    builder.write(tmp_path, "mine", parts)
    before = digests(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (5000, 200):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        try:
            with pytest.raises(InputError, match=r"written \(File too large\); fix"):
                builder.write(tmp_path, "mine", parts)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert digests(tmp_path) == before
    assert not (tmp_path / ".building").exists()


def test_clips_without_a_part_are_an_error(tmp_path, parts):
    parts["train"][1].unlink()
    builder.write(tmp_path, "mine", parts)  # a file in which no clip was found
    with pytest.raises(InputError, match="1 of 2 clips are gone"):
        builder.write(tmp_path, "mine", parts, {"b/0.mp4#00000000", "b/1.mp4#00000000"})
    with pytest.raises(InputError, match="no clip is left"):
        builder.write(tmp_path, "mine", parts, set())


def test_what_is_not_prepared_is_said_in_a_line(tmp_path):
    with pytest.raises(InputError, match=r"vgan\.prepare"):
        tfds.load("video_clips/none", data_dir=tmp_path)
    with pytest.raises(InputError, match="say which set"):
        builder.VideoClips()


def test_any_text_becomes_a_name():
    assert builder.dataset_name("my films (2)") == "my_films_2"
    assert builder.dataset_name("Zürich.") == "Z_rich"
    assert builder.dataset_name("...") == "clips"


def test_beam_that_is_missing_is_said_in_a_line(tmp_path, parts, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.setitem(sys.modules, "apache_beam.options", None)
    with pytest.raises(InputError, match=r"pip install -e '\.\[beam\]'"):
        builder.write(tmp_path, "mine", parts, beam=LOCAL)


@pytest.fixture
def beam():
    return pytest.importorskip("apache_beam", reason="extra 'beam' is not installed")


@pytest.mark.slow
def test_beam_writes_the_same_bytes(tmp_path, parts, small_shards, beam):
    builder.write(tmp_path / "one", "mine", parts)
    builder.write(tmp_path / "two", "mine", parts, beam=LOCAL)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    parts["train"][0].write_bytes(b"no zip")
    with pytest.raises(InputError, match=r"0\.zip: is damaged"):
        builder.write(tmp_path / "two", "mine", parts, beam=LOCAL)


@pytest.mark.slow
def test_a_worker_that_is_killed_ends_the_pipeline(beam):
    """Beam itself would wait for it for ever."""

    def die(_):
        os.kill(os.getpid(), 9)

    with pytest.raises(InputError, match="run the same again"):
        pipelines.run(die, [1, 2], LOCAL)


@pytest.mark.parametrize("flag", ["--nonsense=1", "--runner=NoSuchRunner", "nonsense"])
def test_flags_that_beam_does_not_know_are_said(tmp_path, parts, beam, flag):
    name = flag.split("=")[-1] if "runner" in flag else "nonsense"
    with pytest.raises(InputError, match=f"beam: .*{name}"):
        builder.write(tmp_path, "mine", parts, beam=[flag])
    assert not (tmp_path / "video_clips").exists()
