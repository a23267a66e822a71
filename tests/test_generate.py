"""The command as the user runs it, also in a process of its own."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import zipfile
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from tests import in_process
from tests.tiny import TINY
from vgan.video import VideoReader, VideoWriter

# Tells at the end which modules the command has needed.
CHILD = """
import atexit, runpy, sys
atexit.register(lambda: print(*sys.modules, file=open("{modules}", "w")))
runpy.run_module("vgan.generate", run_name="__main__", alter_sys=True)
"""
# Runs the command with flags after flags, and tells what came of each.
REFUSED = """
import json, pathlib, sys
from tests import in_process
things, empty, every = json.load(sys.stdin)
for flags in every:
    done = in_process.run("vgan.generate", *flags, cwd=things)
    said = done.returncode, done.stdout, done.stderr
    left = sorted(path.name for folder in (things, empty)
                  for path in pathlib.Path(folder).iterdir())
    heavy = sorted({"keras", "tensorflow"} & {*sys.modules})
    print(json.dumps([*said, left, heavy]))
"""
ROOT = pathlib.Path(__file__).resolve().parents[1]
TIMES = [Fraction(n, 600) for n in (0, 20, 50, 60, 110, 130, 200, 210, 260)]


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """Model, input and style."""
    import keras

    from vgan.models import Generator

    folder = tmp_path_factory.mktemp("things")
    keras.utils.set_random_seed(3)
    names = {"mosaic": [1.0] * 16, "waves": [-1.0] * 16}
    Generator(**TINY, named_styles=names).save(folder / "generator.keras")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(
        folder / "other.keras"
    )
    with VideoWriter(folder / "in.mp4") as writer:
        for i, timestamp in enumerate(TIMES):
            frame = np.full((45, 81, 3), 20 * i, np.uint8)
            frame[10:30, 5 * i : 5 * i + 20] = 255, 0, 0
            writer.write(frame, timestamp)
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(picture).save(folder / "style.jpg")
    (folder / "text.txt").write_text("just text")
    for name in "text.mp4", "text.jpg", "text.keras":
        (folder / name).write_text("just text")
    (folder / "empty.mp4").touch()
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").write_text("just text")
    return folder


def command(things, modules, arguments):
    return {
        "args": [sys.executable, "-c", CHILD.format(modules=modules), *arguments],
        "cwd": things,
        "env": {**os.environ, "KERAS_BACKEND": "tensorflow"},
        "text": True,
    }


def flags_of(folder, **arguments):
    """Good arguments, but for those given; None leaves one out."""
    arguments = {
        "model": "generator.keras",
        "input": "in.mp4",
        "style": "mosaic",
        "output": folder / "out.mp4",
        **arguments,
    }
    flags = []
    for name, value in arguments.items():
        if value is not None:
            values = value if isinstance(value, list) else [value]
            flags += [f"--{name}={v}" for v in values]
    return flags


def generate(things, tmp_path, **arguments):
    return in_process.run("vgan.generate", *flags_of(tmp_path, **arguments), cwd=things)


def generate_apart(things, tmp_path, **arguments):
    """The same in a process of its own, and which modules it needed."""
    modules = tmp_path.parent / "modules"
    child = command(things, modules, flags_of(tmp_path, **arguments))
    result = subprocess.run(**child, capture_output=True, timeout=120)
    return result, set(modules.read_text().split())


def test_video(things, tmp_path):
    styles = ["style.jpg:0.7", "waves:0.3"]
    result, modules = generate_apart(things, tmp_path, style=styles)
    assert result.returncode == 0, result.stderr
    assert f"{tmp_path}/out.mp4: 9 frames" in result.stdout
    assert "9/9" in result.stderr
    unwanted = ("vgan.config", "vgan.datasets", "vgan.losses", "vgan.train")
    assert not [name for name in modules if name.startswith(unwanted)]
    # Nothing but progress, which without a terminal is a line now and then.
    said = [
        line for line in result.stderr.splitlines() if "making it ready" not in line
    ]
    assert all(re.match(r" \d/9 frames, [\d.]+ frames/s$", line) for line in said)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert (reader.width, reader.height) == (81, 45)
        frames, times = zip(*reader, strict=True)
    with VideoReader(things / "in.mp4") as reader:
        originals, expected = zip(*reader, strict=True)
    assert times == expected
    assert np.abs(np.float32(frames) - np.float32(originals)).mean() > 10


@pytest.fixture(scope="module")
def by_keras(things, tmp_path_factory):
    """Frames of the input, stylized by Keras."""
    folder = tmp_path_factory.mktemp("keras")
    result = generate(things, folder, engine="keras")
    assert result.returncode == 0, result.stderr
    with VideoReader(folder / "out.mp4") as reader:
        return [frame for frame, _ in reader]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["openvino", "onnx", "litert"])
def test_engines_agree(things, tmp_path, by_keras, engine):
    """The second run needs no more than the engine."""
    first, second = (
        {"engine": engine, "output": tmp_path / name}
        for name in ("first.mp4", "second.mp4")
    )
    result = generate(things, tmp_path, **first)
    assert result.returncode == 0, result.stderr
    result, modules = generate_apart(things, tmp_path, **second)
    assert result.returncode == 0, result.stderr
    assert {"tensorflow", "keras"}.isdisjoint(modules)
    with (
        VideoReader(tmp_path / "first.mp4") as one,
        VideoReader(tmp_path / "second.mp4") as two,
    ):
        for (a, _), (b, _) in zip(one, two, strict=True):
            np.testing.assert_array_equal(a, b)
    with VideoReader(tmp_path / "first.mp4") as one:
        for (a, _), b in zip(one, by_keras, strict=True):
            assert np.abs(np.int16(a) - b).mean() < 3


def test_picture(things, tmp_path):
    output = tmp_path / "out.png"
    result = generate(
        things,
        tmp_path,
        input="style.jpg",
        output=output,
        style="random",
        seed=7,
        size=32,
    )
    assert result.returncode == 0, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
    with Image.open(output) as picture:
        assert picture.size == (48, 32)


def test_progress_for_programs(things, tmp_path):
    result = generate(things, tmp_path, progress="json")
    assert result.returncode == 0, result.stderr
    told = [json.loads(x) for x in result.stderr.splitlines() if x.startswith("{")]
    assert set(told[-1]) == {"frames", "total", "seconds", "frames_per_second"}
    assert (told[-1]["frames"], told[-1]["total"]) == (9, 9)
    result, _ = generate_apart(things, tmp_path, quiet=True, overwrite=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_damaged_film(things, tmp_path):
    data = (things / "in.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) - 300])
    result = generate(things, tmp_path, input=tmp_path / "cut.mp4")
    assert result.returncode == 3
    told = re.search(r"cut.mp4: (\d) of 9 frames; the rest cannot", result.stderr)
    assert told, result.stderr
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert sum(1 for _ in reader) == int(told[1]) < 9
    (tmp_path / "out.mp4").unlink()
    result = generate(things, tmp_path, input=tmp_path / "cut.mp4", strict=True)
    assert result.returncode == 2
    assert "--strict keeps nothing of it" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["cut.mp4"]


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_made(things, tmp_path):
    with VideoWriter(tmp_path / "long.mp4", fps=25) as writer:
        for i in range(3000):
            writer.write(np.full((160, 160, 3), i % 256, np.uint8), Fraction(i, 25))
    arguments = [
        "--model=generator.keras",
        f"--input={tmp_path}/long.mp4",
        "--style=mosaic",
        f"--output={tmp_path}/out.mp4",
    ]
    child = command(things, tmp_path / "modules", arguments)
    process = subprocess.Popen(**child, stderr=subprocess.PIPE)
    shown = ""
    while not re.search(r" [1-9]\d*/3000", shown):
        shown += (character := process.stderr.read(1))
        assert character, "ended before it began"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"{tmp_path}/out.partial.mp4" in errors.splitlines()[-1]
    assert {path.name for path in tmp_path.glob("*out*")} == {"out.partial.mp4"}
    with VideoReader(tmp_path / "out.partial.mp4") as reader:
        assert 0 < sum(1 for _ in reader) < 3000


def test_help_is_quick(things, tmp_path):
    child = command(things, tmp_path / "modules", ["--help"])
    result = subprocess.run(**child, capture_output=True, timeout=60)
    assert result.returncode == 0
    assert "--strength" in result.stdout
    modules = (tmp_path / "modules").read_text().split()
    assert {"keras", "tensorflow", "numpy"}.isdisjoint(modules)


BAD = [
    ({"model": ""}, "--model: is empty"),
    ({"model": "gone.keras"}, "gone.keras: there is no such file"),
    ({"model": "text.keras"}, "text.keras: is not a Keras model"),
    ({"model": "other.keras"}, "other.keras: holds a Sequential"),
    ({"model": "in.mp4"}, "in.mp4: expected painterly or painterly_small"),
    ({"input": ""}, "--input: is missing"),
    ({"input": "gone.mp4"}, "gone.mp4: no such"),
    ({"input": "text.mp4"}, "text.mp4"),
    ({"input": "empty.mp4"}, "empty.mp4"),
    ({"input": "texts"}, "texts"),
    ({"input": "camera:97"}, "camera:97"),
    ({"input": "style.jpg"}, "a picture becomes"),
    ({"output": None}, "--output: is missing"),
    ({"output": "in.mp4", "overwrite": True}, "is the input itself"),
    ({"output": "text.mp4"}, "text.mp4: exists; give another name or --overwrite"),
    ({"output": "gone/out.mp4"}, "gone/out.mp4"),
    ({"output": "out.doc"}, "out.doc"),
    ({"output": "out.png"}, "a video becomes a video"),
    ({"input": "style.jpg", "output": "text.jpg"}, "text.jpg: exists"),
    ({"input": "style.jpg", "output": "gone/out.jpg"}, "gone/out.jpg"),
    ({"input": "text.jpg", "output": "out.jpg"}, "text.jpg"),
    ({"style": None}, "mosaic, waves"),
    ({"style": "mosiac"}, "knows mosaic, waves"),
    ({"style": "text.jpg"}, "text.jpg"),
    ({"style": "text.txt"}, "text.txt"),
    ({"style": "mosaic:-1"}, "mosaic:-1"),
    ({"style": ["mosaic:0", "waves:0"]}, "all weights are 0"),
    ({"strength": 1.5}, "--strength=1.5"),
    ({"strength": "nan"}, "--strength=nan"),
    ({"strength": "much"}, "--strength=much"),
    ({"size": 3}, "--size=3"),
    ({"fps": -1}, "fps=-1"),
    ({"stile": "mosaic"}, "stile"),
    ({"start": -1}, "--start=-1: give seconds, such as 12.5, 0:20 or 1:02:03.5"),
    ({"end": "soon"}, "--end=soon: give seconds"),
    ({"duration": 0}, "--duration=0: give more than 0 seconds"),
    ({"duration": 1, "end": 1}, "--duration: does not go with --end=; give one"),
    ({"start": "0:20", "end": 15}, "--end=15: is not after --start=0:20"),
    ({"start": 100}, "in.mp4: has no frame at 100 s, it is 0."),
    ({"start": 0.1, "strict": True}, "--strict: does not go with a part of a film"),
    (
        {"input": "style.jpg", "output": "out.jpg", "start": 1},
        "--start: does not go with a picture",
    ),
    ({"input": ["in.mp4", "style.jpg"]}, "--input: is given 2 times"),
]


@pytest.fixture(scope="module")
def refused(things, tmp_path_factory):
    """What came of each bad input, one after the other in a process of their own."""
    empty = tmp_path_factory.mktemp("empty")
    before = sorted(path.name for path in things.iterdir())
    every = [flags_of(empty, **arguments) for arguments, _ in BAD]
    done = subprocess.run(
        [sys.executable, "-c", REFUSED],
        input=json.dumps([str(things), str(empty), every]),
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return before, list(map(json.loads, done.stdout.splitlines()))


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(BAD)), ids=lambda index: str(BAD[index]))
def test_bad_input_is_one_line_at_once(refused, index):
    before, results = refused
    code, said, errors, left, heavy = results[index]
    assert code == 2, errors
    (line,) = errors.splitlines()
    assert line.startswith("vgan.generate: ")
    assert BAD[index][1] in line
    assert said == ""
    assert left == before
    assert heavy == []


@pytest.mark.slow
def test_model_from_another_layout_leaves_nothing(things, tmp_path):
    model = tmp_path / "generator.keras"
    with (
        zipfile.ZipFile(things / "generator.keras") as old,
        zipfile.ZipFile(model, "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'"blocks": 1', b'"blocks": 2'))
    result = generate(things, tmp_path, model=model)
    assert result.returncode == 2
    line = result.stderr.splitlines()[-1]
    assert "does not fit this version of vgan" in line
    assert [path.name for path in tmp_path.iterdir()] == ["generator.keras"]


@pytest.mark.parametrize(
    "name",
    [
        "CORRUPT_invalid_vp9.webm",
        "CORRUPT_truncated_after_moov.m4b",
        "CORRUPT_undecodable_fragmented.mp4",
        "NOVIDEO_audio_only.mp4",
    ],
)
def test_broken_videos(things, tmp_path, shared_data, name):
    result = generate(things, tmp_path, input=shared_data / "videos" / name)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert name in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_all_that_changes_the_look(things, tmp_path):
    """One run with each option on; what they do is tested where they are."""
    mask = np.zeros((45, 81, 3), np.uint8)
    mask[:, 40:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    (tmp_path / "show.json").write_text(
        '{"fade": 0.1, "keyframes": [{"time": 0, "style": "mosaic"}, '
        '{"time": 0.2, "style": "waves", "strength": 0.5}]}'
    )

    def frames(name, **arguments):
        result = generate(
            things, tmp_path, output=tmp_path / f"{name}.mp4", **arguments
        )
        assert result.returncode == 0, result.stderr
        with VideoReader(tmp_path / f"{name}.mp4") as reader:
            return np.stack([frame for frame, _ in reader]).astype(np.int16)

    plain = frames("plain")
    with VideoReader(things / "in.mp4") as reader:
        original = np.stack([frame for frame, _ in reader]).astype(np.int16)
    masked = frames("masked", mask=tmp_path / "mask.png")
    assert np.abs(masked[:, :, :36] - original[:, :, :36]).mean() < 3
    assert np.abs(masked[:, :, 44:] - plain[:, :, 44:]).mean() < 3
    inverted = frames("inverted", mask=tmp_path / "mask.png", mask_invert=True)
    assert np.abs(inverted[:, :, 44:] - original[:, :, 44:]).mean() < 3
    regions = frames(
        "regions", label_mask=tmp_path / "mask.png", style=["mosaic", "waves"]
    )
    assert np.abs(regions[:, :, :36] - plain[:, :, :36]).mean() < 3
    assert np.abs(regions[:, :, 44:] - plain[:, :, 44:]).mean() > 10
    show = frames("show", schedule=tmp_path / "show.json", style=None)
    assert np.abs(show[0] - plain[0]).mean() < 3
    assert np.abs(show[-1] - plain[-1]).mean() > 10
    timed = frames("timed", style=["mosaic@0s", "waves@0.2s"], fade=0.1)
    assert np.abs(timed[0] - plain[0]).mean() < 3
    assert np.abs(timed[-1] - plain[-1]).mean() > 10
    kept = frames("kept", keep_color=True)
    spread = [
        np.ptp(f.reshape(-1, 3)[:200], axis=1).mean() for f in (kept[0], plain[0])
    ]
    assert spread[0] < spread[1]  # the input is gray there
    proxy = frames("proxy", proxy=0.5)
    assert proxy.shape == plain.shape
    compared = frames("compared", compare=True, style="style.jpg")
    assert compared.shape[1] == 46
    assert compared.shape[2] > 2 * 81
    assert np.abs(compared[:, :45, :81] - original).mean() < 3


def test_into_a_pipe(things, tmp_path):
    child = command(
        things,
        tmp_path / "modules",
        [
            *(
                "--model=generator.keras",
                "--input=in.mp4",
                "--style=mosaic",
                "--output=-",
            ),
        ],
    )
    del child["text"]
    done = subprocess.run(**child, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"YUV4MPEG2 W81 H45 ")
    assert b"frames/s" in done.stderr
    path = tmp_path / "piped.y4m"
    path.write_bytes(done.stdout)
    with VideoReader(path) as reader:
        assert sum(1 for _ in reader) > 5


def test_a_folder_of_videos(things, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        (folder / name).write_bytes((things / "in.mp4").read_bytes())
    output = tmp_path / "made"
    result = generate(things, tmp_path, input=folder, output=output)
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in output.iterdir()) == ["a.mp4", "b.mp4"]
    result = generate(things, tmp_path, input=folder, output=output)
    assert result.stdout.count("is there already") == 2


def test_as_if_it_were_a_camera(things, tmp_path):
    result = generate(things, tmp_path, live=True)
    assert result.returncode == 0, result.stderr
    assert "dropped, latency" in result.stdout
    assert (tmp_path / "out.mp4").exists()


def test_resume_needs_a_movie(things, tmp_path):
    result = generate(things, tmp_path, resume=True, output=tmp_path / "out.gif")
    assert result.returncode == 2
    assert "cannot be made in segments" in result.stderr.splitlines()[-1]
