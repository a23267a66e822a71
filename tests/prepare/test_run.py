"""From folders to a set: twice, after a stop, with workers that die."""

import json
import os
import pathlib
import shutil
import signal
import threading

import numpy as np
import pytest
from PIL import Image

from vgan import InputError
from vgan.datasets.prepared import open_builder
from vgan.prepare import clip_archive, output_dir, run, workers
from vgan.prepare.inputs import find
from vgan.prepare.scan import scan
from vgan.prepare.settings import Settings

SETTINGS = Settings(fps=25, size=64, clip_length=8)


@pytest.fixture
def films(film, scenes):
    """A folder of two films, a photo and a broken file."""
    film("one.mp4", scenes[0])
    film("two.mp4", np.asarray([*scenes[1], *scenes[2]]))
    Image.fromarray(scenes[3][0]).save(film.folder / "still.png")
    (film.folder / "broken.mp4").write_bytes(b"no video")
    return film.folder


def ignore(source, share, clips):
    pass


def children():
    with open(f"/proc/self/task/{threading.get_native_id()}/children") as file:
        own = file.read().split()
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children") as file:
            own += file.read().split()
    return {int(pid) for pid in own}


def test_workers_find_what_one_process_finds(films, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    sources = find([films], "content")
    heard = {}

    def tell(source, share, clips):
        heard[source.name] = share, clips

    found = workers.scan_all(sources, SETTINGS, tmp_path / "a", 2, tell)
    assert found == [scan(source, SETTINGS, tmp_path / "b") for source in sources]
    for name in os.listdir(tmp_path / "a"):
        one, two = (tmp_path / folder / name for folder in "ab")
        assert one.read_bytes() == two.read_bytes()
    assert {name for name, (share, _) in heard.items() if share == 1} == {
        *("one.mp4", "two.mp4", "still.png", "broken.mp4"),
    }


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs /proc")
def test_a_worker_that_dies_is_replaced(films, tmp_path):
    before, killed = children(), []

    def tell(source, share, clips):
        if source.name == "two.mp4" and not killed:
            killed.extend(children() - before)
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    sources = find([films], "content")
    found = workers.scan_all(sources, SETTINGS, tmp_path, 2, tell)
    assert killed
    assert [one["clips"] for one in found] == [0, 5, 1, 10]


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs /proc")
def test_a_file_at_which_two_workers_die_is_left_out(films, tmp_path):
    before = children()

    def tell(source, share, clips):
        if source.name == "two.mp4":
            for pid in children() - before:
                os.kill(pid, signal.SIGKILL)

    sources = find([films], "content")
    found = workers.scan_all(sources, SETTINGS, tmp_path, 1, tell)
    assert [one["clips"] for one in found] == [0, 5, 1, 0]
    assert "ended two processes (SIGKILL)" in found[3]["error"]
    assert "stamp" not in found[3]
    assert not clip_archive.places(tmp_path, "two.mp4")[0].exists()


def test_a_folder_that_cannot_be_written_ends_it(films, tmp_path):
    sources = find([films], "content")
    with pytest.raises(InputError, match=r"cannot be written .*goes on from here"):
        workers.scan_all(sources, SETTINGS, tmp_path / "none", 2, ignore)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, scenes):
    """A folder of films, and the set that was made of it, kept parts and all."""
    from tests.video.samples import make_video

    folder = tmp_path_factory.mktemp("films")
    for name, frames in (
        ("one.mp4", scenes[0]),
        ("two.mp4", np.asarray([*scenes[1], *scenes[2]])),
        ("copy of one.mp4", scenes[0]),
    ):
        make_video(folder / name, len(frames), 96, 128, frames=frames)
    (folder / "broken.mp4").write_bytes(b"no video")
    output = tmp_path_factory.mktemp("data") / "mine"
    lines = run.prepare([folder], output, SETTINGS, 2)
    return folder, output, lines


def shards(output):
    return {path.name: path.read_bytes() for path in output.rglob("*record-*")}


def test_a_set_is_written_and_reported(prepared):
    folder, output, lines = prepared
    told = json.loads((output / "report.json").read_text())
    sides = {one["source"]: (one["split"], one["clips"]) for one in told["sources"]}
    assert sides["broken.mp4"] == ("", 0)
    assert sides["copy of one.mp4"][1] == 5
    assert sides["one.mp4"] == ("", 0)  # the later of the two
    assert sides["two.mp4"][1] == 10
    assert {sides["copy of one.mp4"][0], sides["two.mp4"][0]} == {"train", "validation"}
    assert sum("broken.mp4" in line for line in lines) == 1
    assert (output / "report.html").is_file()
    assert told["shards"]["files"] == len(shards(output)) == 2
    assert str(folder) not in (output / "report.json").read_text()
    assert not list((output / ".parts").glob("*.zip"))
    assert not list(output.rglob(".partial_*"))


def test_the_second_time_there_is_nothing_to_do(prepared):
    folder, output, _ = prepared
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    (line,) = run.prepare([folder], output, SETTINGS, 2)
    assert line == f"{output}: 15 clips of 2 files; nothing to do"
    assert before == {path: path.stat().st_mtime_ns for path in output.rglob("*")}


def test_a_file_that_is_gone_is_told_each_time(films, tmp_path):
    (films / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    for _ in range(2):
        lines = run.prepare([films], tmp_path / "out", SETTINGS, 2)
        assert sum("gone.mp4: cannot be read" in line for line in lines) == 1


@pytest.fixture
def copied(prepared, tmp_path):
    """The folder of films, and a copy of the set under another name."""
    folder, output, _ = prepared
    return folder, pathlib.Path(shutil.copytree(output, tmp_path / "copy"))


@pytest.mark.parametrize("pattern", ["report.html", "**/*train*"])
def test_what_is_missing_is_made_again(copied, prepared, pattern):
    folder, output = copied
    (path,) = output.glob(pattern)
    path.unlink()
    assert "nothing to do" not in run.prepare([folder], output, SETTINGS, 2)[0]
    assert shards(output) == shards(prepared[1])
    assert (output / path.relative_to(output)).exists() or "mine" in path.parts
    assert "nothing to do" in run.prepare([folder], output, SETTINGS, 2)[0]


def test_a_copy_of_a_set_has_its_own_name_after_a_change(copied):
    folder, output = copied
    assert "nothing to do" in run.prepare([folder], output, SETTINGS, 2)[0]
    other = Settings(fps=25, size=64, clip_length=20)
    run.prepare([folder], output, other, 2, overwrite=True)
    assert os.listdir(output / "video_clips") == ["copy"]


def test_training_takes_no_set_of_two(copied):
    _, output = copied
    shutil.copytree(output / "video_clips" / "mine", output / "video_clips" / "other")
    with pytest.raises(InputError, match="holds the sets mine and other; remove"):
        open_builder(output)


@pytest.mark.parametrize("text", ["[]", '{"settings": 3}', None])
def test_a_damaged_state_is_none(films, tmp_path, text):
    output = tmp_path / "out"
    (output / ".parts").mkdir(parents=True)
    if text is not None:
        (output / ".parts" / "state.json").write_text(text)
    run.prepare([films / "one.mp4"], output, SETTINGS, 1)
    assert "nothing to do" in run.prepare([films / "one.mp4"], output, SETTINGS, 1)[0]


@pytest.mark.parametrize(
    "name",
    [
        *(".parts/mine.txt", "notes.txt", "video_clips/out/1.0.0/mine.txt"),
        *(".building/mine.txt", ".parts/0123456789abcdef01234567.zip/mine.txt"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_files_of_the_user_stay(films, tmp_path, name, overwrite):
    path = tmp_path / "out" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    (tmp_path / "out" / ".parts").mkdir(exist_ok=True)
    with pytest.raises(InputError, match=r"something else|was not made"):
        run.prepare([films], tmp_path / "out", SETTINGS, 1, overwrite=overwrite)
    assert path.read_text() == "mine"


def test_what_finds_no_clip_keeps_the_set(copied, tmp_path):
    _, output = copied
    (tmp_path / "a.mp4").write_bytes(b"no video")
    before = shards(output), (output / "report.json").read_bytes()
    with pytest.raises(InputError, match="the report that were there are kept"):
        run.prepare([tmp_path / "a.mp4"], output, SETTINGS, 1, overwrite=True)
    assert before == (shards(output), (output / "report.json").read_bytes())


def test_other_settings_are_refused(prepared):
    folder, output, _ = prepared
    other = Settings(fps=12, size=64, clip_length=4)
    with pytest.raises(InputError, match="made with fps=25 clip_length=8; give"):
        run.prepare([folder], output, other, 2)


def test_a_stopped_run_goes_on_to_the_same_shards(prepared, tmp_path):
    folder, undisturbed, _ = prepared
    output = tmp_path / "mine"

    with output_dir.claimed(output, SETTINGS, False):
        pass
    for source in find([folder], "content")[:2]:  # all that a killed run leaves
        scan(source, SETTINGS, output / ".parts")
    made = {path: path.stat().st_mtime_ns for path in (output / ".parts").glob("*.zip")}
    assert made
    left = clip_archive.places(output / ".parts", "one.mp4")[0]
    left = left.with_name(f".partial_01234567_{left.name}")
    left.write_bytes(b"of a process that was killed")
    run.prepare([folder], output, SETTINGS, 1, keep_parts=True)
    assert shards(output) == shards(undisturbed)
    assert (
        made.items()
        <= {
            path: path.stat().st_mtime_ns for path in (output / ".parts").iterdir()
        }.items()
    )
    for name in ("report.json", "report.html"):
        assert (output / name).read_bytes() == (undisturbed / name).read_bytes()
    assert not list(output.rglob(".partial_*"))


def test_two_runs_at_once_are_refused(films, tmp_path):
    output = tmp_path / "out"
    with (
        output_dir.claimed(output, SETTINGS, False),
        pytest.raises(InputError, match="another run is at work"),
    ):
        run.prepare([films], output, SETTINGS, 1)


def test_overwrite_begins_anew(films, tmp_path):
    output, other = tmp_path / "out", Settings(fps=25, size=64, clip_length=20)
    run.prepare([films], output, SETTINGS, 2)
    old = shards(output)
    lines = run.prepare([films], output, other, 2, overwrite=True)
    assert "nothing to do" not in " ".join(lines)
    assert old.keys() == shards(output).keys()
    assert old != shards(output)  # the photo's alone stays as it was
    assert not list(output.rglob("*.old"))


def test_places_that_cannot_be_an_output(films, tmp_path):
    full = tmp_path / "photos"
    full.mkdir()
    (full / "a.txt").write_text("mine")
    file = tmp_path / "file"
    file.write_text("mine")
    for output, line in (
        (films / "out", "is inside of the input"),
        (tmp_path, "is inside of it"),
        (full, "is a folder of something else"),
        (file, "is a file"),
        (file / "out", "cannot be written"),
        (tmp_path / ("x" * 300), "cannot be a folder"),
    ):
        with pytest.raises(InputError, match=f"^output={output}: .*{line}"):
            run.prepare([films], output, SETTINGS, 1)
    assert (full / "a.txt").read_text() == "mine"


def test_nothing_usable_is_said_and_reported(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").write_bytes(b"no video")
    with pytest.raises(
        InputError, match=r"no clip can be made of .*a.mp4 is not a vid"
    ):
        run.prepare([tmp_path / "in"], tmp_path / "out", SETTINGS, 1)
    assert (tmp_path / "out" / "report.html").is_file()


def test_what_is_left_aside_is_said(films, tmp_path):
    (films / "notes.txt").write_text("")
    listed = tmp_path / "list.csv"
    listed.write_text("file,licence\none,CC0\nnobody,CC0\n")
    said = []
    run.prepare([films], tmp_path / "out", SETTINGS, 2, listed, warn=said.append)
    assert "no videos and no photos: notes.txt" in said[0]
    assert "found in no input: nobody" in said[1]
    told = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {one["source"]: one["licence"] for one in told["sources"]} == {
        **{"broken.mp4": "", "one.mp4": "CC0", "still.png": "", "two.mp4": ""},
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("fps", 0), ("fps", float("nan")), ("fps", 500), ("size", 8)],
        *[("clip_length", 0), ("max_clips", -1), ("validation", 1), ("role", "x")],
    ],
)
def test_settings_out_of_range(field, value):
    with pytest.raises(InputError, match=f"^{field}={value}: give"):
        Settings(**{field: value})
