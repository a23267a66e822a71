"""Folders of films on Apache Beam: shots as elements, the same bytes however made."""

import contextlib
import errno
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from fractions import Fraction

import av
import cv2
import numpy as np
import psutil
import pytest

import vgan
from tests.in_process import run
from tests.video.samples import make_video
from vgan import InputError, files, pipelines
from vgan.generate import shots
from vgan.generate.options import StylizeOptions
from vgan.video import VideoReader

pytest.importorskip("apache_beam", reason="extra 'beam' is not installed")
import apache_beam
from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.localfilesystem import LocalFileSystem

from vgan.generate import beam

ROOT = pathlib.Path(__file__).resolve().parents[2]
ONE = ["--runner=FnApiRunner"]
TWO = [
    "--runner=DirectRunner",
    "--direct_num_workers=2",
    "--direct_running_mode=multi_processing",
]


def shot(seed, count, height=48, width=64):
    """Frames of one scene: a pattern of its own colors that moves a little."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (6, 12, 3)).astype(np.uint8)
    wide = cv2.resize(small, (2 * width, height), interpolation=cv2.INTER_CUBIC)
    return [wide[:, k : k + width] for k in range(count)]


def title(stream):
    stream.container.metadata["title"] = "A film"


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Folder of four films, one of them no film."""
    folder = tmp_path_factory.mktemp("films") / "in"
    (folder / "deep").mkdir(parents=True)
    frames = [*shot(1, 1), *shot(2, 14), *shot(3, 9), *shot(4, 2)]
    pts = np.cumsum([1, 1, 2, 1, 3] * 6)[: len(frames)].tolist()
    options = {"audio": ["aac"], "setup": title, "options": {"g": "12"}}
    make_video(folder / "a.mp4", frames=frames, pts=pts, **options)
    frames = [*shot(5, 8, 52, 74), *shot(6, 8, 52, 74)]  # rows are padded to decode
    make_video(folder / "deep" / "b.mkv", frames=frames)
    make_video(folder / "c.avi", frames=shot(7, 12), codec="mjpeg", pix_fmt="yuvj420p")
    (folder / "notes.txt").write_text("no film")
    return folder


@pytest.fixture(scope="module")
def stylized(films, model):
    """Function of (output, **arguments) that makes them, and returns what is told."""

    def stylize(output, beam=ONE, source=films, **more):
        told = []
        with contextlib.suppress(InputError):
            vgan.stylize(
                *(source, "one", output, model),
                **{"beam": beam, "engine": "auto", "quality": 0, **more},
                report=told.append,
            )
        return told

    return stylize


@pytest.fixture(scope="module")
def made(stylized, tmp_path_factory):
    """Folder of the results of one worker."""
    output = tmp_path_factory.mktemp("made") / "out"
    stylized(output)
    return output


def content(folder):
    """{name: bytes} of all files, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def frames(path):
    with VideoReader(path) as reader:
        pictures, times = zip(*reader, strict=True)
        assert reader.damage is None
    return np.stack(pictures), times


def test_shots_become_the_films_of_the_local_command(films, made, model, tmp_path):
    vgan.stylize(films, "one", tmp_path / "here", model, engine="auto", quality=0)
    assert sorted(content(made)) == ["a.mp4", "c.mp4", "deep/b.mkv"]
    for name in content(made):
        ours, times = frames(made / name)
        local, expected = frames(tmp_path / "here" / name)
        assert times == expected
        np.testing.assert_array_equal(ours, local)
    with av.open(made / "a.mp4") as one, av.open(tmp_path / "here" / "a.mp4") as two:
        assert one.metadata == {k: v for k, v in two.metadata.items() if k != "encoder"}
        assert one.metadata["title"] == "A film"
        assert one.duration == two.duration
        (sound, same) = (
            [bytes(packet) for packet in file.demux(audio=0)] for file in (one, two)
        )
        assert sound == same


def test_a_part_is_that_of_the_local_command(films, stylized, model, tmp_path):
    part = {"start": 0.4, "end": 1.2}
    stylized(tmp_path / "made", **part)
    more = {"engine": "auto", "quality": 0, **part}
    vgan.stylize(films / "a.mp4", "one", tmp_path / "a.mp4", model, **more)
    ours, times = frames(tmp_path / "made" / "a.mp4")
    local, expected = frames(tmp_path / "a.mp4")
    assert times == expected
    assert len(times) > 5
    np.testing.assert_array_equal(ours, local)


def test_packets_are_in_order_however_short_shots_are(made):
    with av.open(made / "a.mp4") as file:
        packets = [packet for packet in file.demux(video=0) if packet.size]
    decoded = [packet.dts for packet in packets]
    assert decoded == sorted(set(decoded))
    assert all(packet.dts <= packet.pts for packet in packets)
    assert [n for n, one in enumerate(packets) if one.is_keyframe] == [0, 1, 15, 24]


def test_a_second_run_does_nothing(stylized, made):
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    told = stylized(made)
    assert told[-1] == "3 films: 0 made, 0 frames; 3 there already; 0 left out"
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before


class Bucket(LocalFileSystem):
    """bucket://films/a.mp4 is films/a.mp4 in the folder `root`."""

    root = None

    @classmethod
    def scheme(cls):
        return "bucket"

    def has_dirs(self):
        return False

    def _here(self, path):
        return path.replace("bucket://", f"{self.root}/")

    def _list(self, prefix):
        folder = os.path.dirname(self._here(prefix))
        for one in super()._list(folder):
            path = one.path.replace(f"{self.root}/", "bucket://")
            yield FileMetadata(path, one.size_in_bytes, one.last_updated_in_seconds)

    def create(self, path, *given, **more):
        return super().create(self._here(path), *given, **more)

    def open(self, path, *given, **more):
        return super().open(self._here(path), *given, **more)

    def exists(self, path):
        return super().exists(self._here(path))

    def mkdirs(self, path):
        super().mkdirs(self._here(path))

    def rename(self, sources, targets):
        super().rename([*map(self._here, sources)], [*map(self._here, targets)])

    def delete(self, paths):
        super().delete([*map(self._here, paths)])


def test_urls_of_beams_file_systems(films, stylized, made, tmp_path, monkeypatch):
    monkeypatch.setattr(Bucket, "root", tmp_path)
    (tmp_path / "in").symlink_to(films)
    told = stylized("bucket://out", source="bucket://in")
    assert "[1/3] bucket://in/a.mp4: bucket://out/a.mp4: 26 frames, 4 shots" in told
    assert content(tmp_path / "out") == content(made)
    told = stylized(f"file://{tmp_path}/out", source=f"file://{films}")
    assert "3 there already" in told[-1]


def command(model, films, output, *more):
    return (
        *("vgan.generate", f"--model={model}", f"--input={films}", "--style=one"),
        *(f"--output={output}", "--quality=0", "--beam=" + ONE[0]),
        *more,
    )


def cut_off(path):
    """Leave three quarters of a file."""
    path.write_bytes(path.read_bytes()[: 3 * path.stat().st_size // 4])


def test_a_poisoned_film_does_not_stop_the_others(films, made, model, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(films, folder)
    good = (folder / "a.mp4").read_bytes()
    (folder / "a.mp4").write_bytes(good[:2000])
    cut_off(folder / "c.avi")
    done = run(*command(model, folder, out))
    assert done.returncode == 3, done.stderr
    assert "[1/3]" in done.stdout
    assert re.search(r"in/a.mp4: left out: .*a.mp4: is not a video", done.stdout)
    assert re.search(r"in/c.avi: .*c.mp4: \d frames, 1 shot; damaged: ", done.stdout)
    assert re.search(r"worker \S+: \d\d frames, [\d.]+ frames/s", done.stdout)
    assert done.stderr.splitlines()[-1] == (
        "vgan.generate: 1 of 3 films could not be used and 1 are damaged, see above; "
        "the others are done"
    )
    assert sorted(content(out)) == ["c.mp4", "deep/b.mkv"]
    (folder / "a.mp4").write_bytes(good)
    done = run(*command(model, folder, out))
    assert done.returncode == 0, done.stderr
    assert "3 films: 1 made, 26 frames; 2 there already; 0 left out" in done.stdout
    assert (out / "a.mp4").read_bytes() == (made / "a.mp4").read_bytes()


def test_where_all_are_poisoned_nothing_is_left(model, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").write_text("no film")
    done = run(*command(model, tmp_path / "in", tmp_path / "out", "--quiet"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "vgan.generate: none of the films could be used, see above\n"
    )
    assert content(tmp_path / "out") == {}


def test_a_damaged_film_is_left_out_where_strict(films, model, tmp_path):
    (tmp_path / "in").mkdir()
    for path in (films / "c.avi", films / "deep" / "b.mkv"):
        shutil.copy(path, tmp_path / "in")
    cut_off(tmp_path / "in" / "c.avi")
    done = run(*command(model, tmp_path / "in", tmp_path / "out", "--strict"))
    assert done.returncode == 3
    assert "--strict keeps nothing of it" in done.stdout
    assert sorted(content(tmp_path / "out")) == ["b.mkv"]


def test_what_a_stopped_run_left_is_used_or_removed(
    films, stylized, made, tmp_path, monkeypatch
):
    work = tmp_path / "out" / ".shots"
    monkeypatch.setattr(shots, "join_all", lambda *_: 1 / 0)
    told = stylized(tmp_path / "out")
    assert "left out: ZeroDivisionError: division by zero" in told[0]
    monkeypatch.undo()
    kept = sorted(work.glob("*.segment"))
    assert len(kept) == 7
    kept[0].unlink()
    kept[1].write_bytes(kept[1].read_bytes()[:-400])
    for name in ("unfinished-0.segment", "0123-000000.segment"):
        (work / name).write_bytes(b"")
    calls, really = [], shots.stylize
    monkeypatch.setattr(
        shots, "stylize", lambda *given: (calls.append(1), really(*given))
    )
    assert any(
        "is damaged; the same command again" in line
        for line in stylized(tmp_path / "out")
    )
    assert len(calls) == 1
    stylized(tmp_path / "out")
    assert len(calls) == 2
    assert content(tmp_path / "out") == content(made)
    assert not work.exists()


def test_what_is_done_twice_is_done_once(films, model, tmp_path):
    """A runner may give an element to two workers, or again to another."""
    options = StylizeOptions(str(model), "auto", ("one",))
    job = beam.Job(options, {}, str(tmp_path / "out" / ".shots"), 0, False)
    source, target = films / "deep" / "b.mkv", tmp_path / "out" / "b.mkv"
    film = {"key": "k", "source": str(source), "target": str(target)}
    find, make, put = beam.FindShots(job), beam.StylizeShot(job), beam.JoinShots(job)
    elements = list(find.process(film))
    assert list(find.process(film)) == elements
    make.setup()
    done = [one for element in elements for _, one in make.process(element)]
    again = [one for element in elements for _, one in make.process(element)]
    assert ["worker" in one for one in (*done, *again)] == [True, True, False, False]
    for _ in range(2):
        list(put.process(("k", [*done, *again])))
    result = job.read(film, "result")
    assert (result["frames"], result["shots"]) == (16, 2)
    assert [frames for frames, _ in result["workers"].values()] == [16]
    assert len(frames(target)[1]) == 16


def test_a_jump_that_gives_other_frames_is_noticed(films, model, tmp_path, monkeypatch):
    options = StylizeOptions(str(model), "auto", ("one",))
    path, starts = films / "a.mp4", []
    found = shots.find(options, path, {})

    def make(name):
        (tmp_path / name).mkdir()
        for index, shot in enumerate(found["shots"]):
            shots.stylize(
                *(options, lambda: contextlib.nullcontext(path), {}, found, shot),
                *(tmp_path / name / f"{index}.segment", pathlib.Path("a.mp4")),
            )

    class Reader(VideoReader):
        def __init__(self, source, start=0):
            super().__init__(source, start=start)
            starts.append(start)

        def __next__(self):
            frame, timestamp = super().__next__()
            return np.asarray(frame) + (starts[-1] > 0), timestamp

    make("usual")
    monkeypatch.setattr(shots, "VideoReader", Reader)
    make("other")
    assert len(starts) == 8
    assert not any(starts[1::2])  # at last it is read from the beginning
    assert content(tmp_path / "other") == content(tmp_path / "usual")
    found["shots"][2]["checks"][1] += 1
    with pytest.raises(InputError, match="gives other frames"):
        make("never")


def test_a_style_that_pauses_makes_one_shot(films, model):
    """Where its strength is 0, the Stylizer sees no cuts."""
    options = StylizeOptions(str(model), "auto", ("one",), strength=0.0)
    assert len(shots.find(options, films / "a.mp4", {})["shots"]) == 1


def test_an_open_file_is_read_as_its_path_is(films):
    with open(films / "a.mp4", "rb") as file:
        for start in (0, Fraction(1, 2)):
            with (
                VideoReader(file, start=start) as one,
                VideoReader(films / "a.mp4", start=start) as two,
            ):
                for (frame, at), (same, then) in zip(one, two, strict=True):
                    assert at == then
                    np.testing.assert_array_equal(frame, same)
        file.seek(0)  # it is open


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"beam": "--runner=NoSuchRunner"}, "beam: .*NoSuchRunner"),
        ({"beam": "--nonsense=1"}, "Apache Beam knows no flag 'nonsense'"),
        ({"beam": "nonsense"}, "is no flag of Apache Beam"),
        (
            {"beam": "--direct_num_workers=a"},
            "--beam: .*direct_num_workers: invalid int",
        ),
        ({"output": "nowhere://films"}, "nowhere://films.*: cannot be written"),
        ({"input": "missing"}, "--input=missing: there is no such folder"),
        ({"input": "in/notes.txt"}, "--input=in/notes.txt: is a file"),
        ({"input": "empty"}, "--input=empty: holds no video"),
        ({"input": "nowhere://films"}, "nowhere://films: cannot be listed"),
        ({"output": "in/out"}, "--output=in/out: is in the input"),
        ({"output": "in"}, "--output=in: is the input"),
        ({"output": "out.mp4"}, "a folder of videos becomes a folder"),
        ({"model": "nothing.keras"}, "nothing.keras"),
        ({"live": "true"}, "--live: does not go with a Beam pipeline"),
    ],
)
def test_bad_input_is_one_line(films, model, tmp_path, changed, told):
    (tmp_path / "in").symlink_to(films)
    (tmp_path / "empty").mkdir()
    given = {"model": model, "input": "in", "style": "one", "output": "out"}
    given |= {"engine": "auto", "beam": ONE[0], **changed}
    flags = [f"--{name}={value}" for name, value in given.items()]
    done = run("vgan.generate", *flags, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert re.search(told, done.stderr)
    assert sorted(os.listdir(tmp_path)) == ["empty", "in"]


def test_a_full_disk_is_said(tmp_path):
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "is full; make room" in beam._line(error)


def test_ctrl_c_is_no_failure(monkeypatch):
    """Beam tells of it as of an error of its own."""
    with pytest.raises(KeyboardInterrupt), pipelines.opened(ONE) as pipeline:
        _ = pipeline | apache_beam.Create([0]) | apache_beam.Map(_interrupt)


def _interrupt(_):
    raise KeyboardInterrupt


def test_without_beam_it_is_said(model, films, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam.options", None)
    done = run(*command(model, films, tmp_path / "out"))
    assert done.returncode == 2
    told = "Apache Beam is not installed; pip install -e '.[beam]'"
    assert done.stderr == f"vgan.generate: --beam: {told}\n"


def test_two_runs_on_one_output(films, model, tmp_path):
    (tmp_path / "out" / ".shots").mkdir(parents=True)
    with files.locked(tmp_path / "out" / ".shots", "held"):
        done = run(*command(model, films, tmp_path / "out"))
    assert done.returncode == 2
    assert "another run is writing it" in done.stderr


@pytest.mark.slow
def test_two_workers_one_of_them_killed(films, made, model, tmp_path):
    """Beam's own runner gives up then; the same command again does the rest."""
    given = command(model, films, tmp_path / "out", *(f"--beam={one}" for one in TWO))
    argv = [sys.executable, "-m", *(one for one in given if one != f"--beam={ONE[0]}")]
    process = subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        work = tmp_path / "out" / ".shots"
        while not list(work.glob("*.segment")):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        workers = [
            child
            for child in psutil.Process(process.pid).children(recursive=True)
            if "sdk_worker_main" in " ".join(child.cmdline())
        ]
        workers[-1].kill()
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 2, told
    assert told.splitlines()[-1].startswith(
        "vgan.generate: --beam: the pipeline failed"
    )
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert content(tmp_path / "out") == content(made)
    assert "\nworker " in done.stdout  # one of the two may have found nothing to do
