"""The library as README shows it: the same pixels as the command, from any folder."""

import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import vgan
from tests import in_process
from vgan.generate.options import StylizeOptions
from vgan.runtime import engines, styles
from vgan.runtime.engines import cache, exported, keras_file
from vgan.video import VideoReader, VideoWriter, read_image

ROOT = pathlib.Path(__file__).parents[1]


def script_of_readme(film, picture, model, strength, results):
    """The Python of README.md with files, model and strength in their places."""
    (script,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    options = f"strength={strength}"
    for name, value in {
        '"in.mp4"': repr(str(film)),
        'style="painting.jpg"': f"style={str(picture)!r}, {options}",
        '"painting.jpg"': repr(str(picture)),
        '"out.mp4"': f"{str(results[0])!r}, {model!r}, {options}, engine='keras'",
        '"painterly"': f"{model!r}, engine='keras'",
        '"mine.mp4"': repr(str(results[1])),
    }.items():
        assert name in script
        script = script.replace(name, value)
    return script


def run(*arguments, cwd):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("style") / "painting.png"
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 256, (80, 96, 3), np.uint8)).save(path)
    return path


def film(path, height, width, num_frames=4):
    random = np.random.default_rng(1)
    wide = random.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    wide = np.kron(wide, np.ones((8, 8, 1), np.uint8))
    with VideoWriter(path, fps=10) as writer:
        for t in range(num_frames):
            writer.write(np.roll(wide, 3 * t, axis=1), t / 10)
    return path


@pytest.mark.parametrize(
    ("name", "size"), [("tiny", (360, 400)), ("painterly", (64, 96))]
)
def test_the_script_of_readme_and_the_command_agree(
    model_path, picture, tmp_path, name, size
):
    """A large film, of which the network sees a smaller copy, and a small one."""
    source = film(tmp_path / "in.mp4", *size)
    empty = tmp_path / "empty"
    empty.mkdir()
    model = str(model_path) if name == "tiny" else name
    outputs = [tmp_path / each for each in ("command", "function", "object")]
    done = in_process.run(
        *("vgan.generate", "--engine=keras", f"--model={model}"),
        *(f"--input={source}", f"--style={picture}", "--strength=0.8"),
        f"--output={outputs[0]}",
        cwd=empty,
    )
    assert done.returncode == 0, done.stderr
    run("-c", script_of_readme(source, picture, model, 0.8, outputs[1:]), cwd=empty)
    assert not list(empty.iterdir())
    made = [sorted(folder.glob("*.png")) for folder in outputs]
    assert [len(files) for files in made] == [4, 4, 4]
    for files in zip(*made, strict=True):
        one, two, three = map(read_image, files)
        assert one.shape == (*size, 3)
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(one, three)


def test_import_is_light():
    code = (
        "import sys, vgan; print(vgan.__version__, *dir(vgan)); "
        "assert not {'keras', 'tensorflow', 'cv2', 'av', 'numpy'} & set(sys.modules)"
    )
    run("-c", code, cwd=ROOT)
    assert set(vgan.__all__) <= set(dir(vgan))
    assert vgan.VideoGAN.__name__ == "VideoGAN"
    assert vgan.losses.__name__ == "vgan.losses"
    assert vgan.datasets.__name__ == "vgan.datasets"
    with pytest.raises(AttributeError, match="stylise"):
        _ = vgan.stylise


def test_what_a_style_may_be(engine, picture):
    frame = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)

    def stylize(style, **options):
        return vgan.Stylizer(engine, style, **options)(frame)

    painted = stylize(picture)
    np.testing.assert_array_equal(painted, stylize(str(picture)))
    np.testing.assert_array_equal(painted, stylize(read_image(picture)))
    np.testing.assert_array_equal(painted, stylize({picture: 2}))
    np.testing.assert_array_equal(painted, stylize(np.str_(picture)))
    np.testing.assert_array_equal(stylize("mosaic"), stylize(None))
    half = {"mosaic": 0.5, picture: 0.5}
    wanted = styles.read([f"{picture}:0.5", "mosaic:0.5"], engine)
    np.testing.assert_array_equal(
        stylize({picture: 0.5, "mosaic": 0.5}), stylize(styles.encode(wanted, engine))
    )
    assert (stylize(half) != painted).any()
    luma = np.float32([0.299, 0.587, 0.114])
    kept = stylize(picture, keep_color=True)
    np.testing.assert_allclose(kept @ luma, painted @ luma, atol=2)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"style": ["mosaic"]}, "style: is a list"),
        ({"style": "none.jpg"}, r"style=none\.jpg: there is no such file"),
        ({"style": np.zeros((8, 8), np.uint8)}, r"style=uint8 \[8, 8\]: give a pic"),
        ({"style": {"mosaic": -1}}, "style=mosaic:-1: the weight must be 0"),
        ({"style": {"mosaic": 0}}, "style: all weights are 0"),
        ({"style": {}}, "style: is an empty dict"),
        ({"style": {"mosaic": "x"}}, "style=mosaic:x: the weight must be 0"),
        ({"style": {"mosaic": None}}, "style=mosaic:None: the weight must be 0"),
        ({"style": {"mosaic": [1]}}, r"style=mosaic:\[1\]: the weight must be 0"),
        ({"style": {3: 1}}, "style: is of type int; give the path of a picture"),
        ({"style": {None: 1}}, "style: is of type NoneType; give the path"),
        ({"style": 3}, "style: is of type int; give the path of a picture"),
        ({"style": b"mosaic"}, "style: is of type bytes; give the path of a picture"),
        ({"style": object()}, "style: is of type object; give the path of a picture"),
        ({"style": np.zeros((0, 8, 3), np.uint8)}, r"style=uint8 \[0, 8, 3\]: give a"),
        ({"style": np.zeros(3)}, r"style: the model takes codes \[1, 16\].* \[3\]"),
        ({"style": np.full((1, 16), None)}, r"style: the model takes codes .* object"),
        ({"strength": 2}, "strength=2: give a number from 0 to 1"),
        ({"strength": "high"}, "strength='high': give a number from 0 to 1"),
        ({"proxy": 2}, "proxy=2: give"),
        ({"model": "painterly"}, "model=painterly: give what vgan.load returns"),
        ({"model": exported.ExportedEngine}, "model=.*: give what vgan.load returns"),
        ({"strength": True}, "strength=True: give a number from 0 to 1"),
        ({"keep_color": "no"}, "keep_color: expected bool, got 'no'"),
        ({"seed": -1}, "seed=-1: give a whole number of at least 0"),
        ({"seed": "x"}, "seed='x': give a whole number"),
        ({"seed": 1.5}, "seed=1.5: give a whole number"),
    ],
)
def test_bad_arguments_of_a_stylizer(engine, arguments, line):
    with pytest.raises(vgan.InputError, match=f"^{line}"):
        vgan.Stylizer(**{"model": engine, "style": "mosaic", **arguments})


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"strenght": 1}, "strenght: there is no such option; did you mean strength"),
        ({"overwite": 1}, "overwite: there is no such option; did you mean overwrite"),
        ({"output": None}, "output: is missing"),
        ({"strength": 2}, "strength=2: give a number from 0 to 1"),
        ({"fps": 0}, "fps=0: give 0.001 to 1000"),
        ({"model": "none.keras"}, "model none.keras: there is no such file"),
        ({"style": 3}, "style: is of type int; give the path of a picture"),
        ({"style": {"mosaic": "x"}}, "style=mosaic:x: the weight must be 0"),
        ({"style": {None: 1}}, "style: is of type NoneType; give the path"),
        ({"style": ["mosaic", 3]}, "style: is of type int; give the path"),
        ({"style": [{"mosaic": 1}]}, "style: is of type dict; give the path"),
        ({"style": np.zeros((1, 16))}, r"style=float64 \[1, 16\]: give a picture"),
        ({"output": True}, "output=True: give a path"),
        ({"output": "a\0.mp4"}, "output=.*: holds a NUL"),
        ({"output": "a" * 300 + ".mp4"}, "output=.*: its name is longer than 255"),
        ({"model": 3}, "model=3: give a path"),
        ({"model": None}, "model=None: give a path"),
        ({"report": 3}, "report=3: give a function"),
        ({"strength": None}, "strength=None: leave it out"),
        ({"engine": None}, "engine=None: leave it out"),
        ({"mask": 3}, "mask=3: give a path"),
        ({"mask": True}, "mask=True: give a path"),
        ({"label_mask": []}, r"label_mask=\[\]: give a path"),
        ({"seed": 1.5}, "seed=1.5: give a whole number"),
        ({"keep_color": "no"}, "keep_color='no': give True or False"),
    ],
)
def test_bad_arguments_of_stylize(model_path, tmp_path, arguments, line):
    given = {"style": "mosaic", "output": tmp_path / "out.mp4", "model": model_path}
    with pytest.raises(vgan.InputError, match=f"^{line}"):
        vgan.stylize(tmp_path / "in.mp4", **{"engine": "keras", **given, **arguments})
    assert not list(tmp_path.iterdir())


def test_a_loaded_model_is_taken_as_it_is(engine, model_path, tmp_path):
    Image.fromarray(np.zeros((32, 48, 3), np.uint8)).save(tmp_path / "in.png")
    for name, model in (("one.png", model_path), ("two.png", engine)):
        output = tmp_path / name
        vgan.stylize(tmp_path / "in.png", "mosaic", output, model, strength=0.5)
    one, two = (read_image(tmp_path / name) for name in ("one.png", "two.png"))
    assert np.abs(one.astype(int) - two).max() <= 2
    for arguments, says in (
        ({"resume": True}, "resume: does not go with a loaded model"),
        ({"engine": "openvino"}, "engine=openvino: the model is loaded for keras"),
    ):
        with pytest.raises(vgan.InputError, match=f"^{says}"):
            vgan.stylize(tmp_path / "in.png", "mosaic", "no.png", engine, **arguments)
    with pytest.raises(vgan.InputError, match=r"^input=True: give a path"):
        vgan.stylize(True, "mosaic", "no.png")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("",), "model='': give a name"),
        ((3,), "model=3: give a name"),
        (("paintrly",), r"model paintrly: did you mean painterly\? expected"),
        (("painterly", None), "engine=None: give auto, keras"),
        (("painterly", []), r"engine=\[\]: give auto"),
        (("painterly", "keras", "big"), r"size='big': give \(H, W\)"),
        (("painterly", "keras", 5), r"size=5: give \(H, W\)"),
        (("painterly", "keras", (0, 0)), "size: takes a whole number of at least 1"),
        (("painterly", "keras", (-1, 5)), "size: takes a whole number of at least 1"),
    ],
)
def test_bad_arguments_of_load(arguments, says):
    with pytest.raises(vgan.InputError, match=f"^{says}"):
        vgan.load(*arguments)


def test_everything_is_opened_read_and_compiled_once(
    model, picture, tmp_path, monkeypatch
):
    """Of a folder of videos, on an engine that is an export of the model."""
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "b.mp4"):
        film(tmp_path / "in" / name, 32, 48)
    engines.load(model, "openvino")  # is made
    counts = {}

    def counted(place, name):
        function = getattr(place, name)

        def call(*arguments, **options):
            key = name if name != "_session" else arguments[1]
            counts[key] = counts.get(key, 0) + 1
            return function(*arguments, **options)

        monkeypatch.setattr(place, name, call)

    counted(keras_file, "describe")
    counted(cache, "digest")
    counted(styles, "read_one")
    counted(exported.ExportedEngine, "_session")
    vgan.stylize(
        tmp_path / "in",
        {picture: 1, "one": 1, ROOT / "vgan" / "pretrained" / "sample.mp4": 1},
        tmp_path / "out",
        model=model,
        engine="openvino",
    )
    assert len(list((tmp_path / "out").glob("*.mp4"))) == 2
    wanted = {"describe": 1, "digest": 1, "read_one": 3, "style": 1, "step": 1}
    assert counts == wanted


def test_options_take_what_a_stylizer_takes(model, picture):
    texts = StylizeOptions(str(model), "keras", [f"{picture}:2", "one:1"])
    blend = StylizeOptions(str(model), "keras", {str(picture): 2, "one": 1})
    for one, two in zip(texts.read()[0].styles, blend.read()[0].styles, strict=True):
        assert one.weight == two.weight
    with VideoReader(ROOT / "vgan" / "pretrained" / "sample.mp4") as reader:
        frame, _ = next(reader)
    assert StylizeOptions(str(model), style=frame).read()[0].styles[0].weight == 1


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        ((3, "a.jpg", "b.mp4"), {}, "input=3: give a path"),
        (("a.mp4", "a.jpg", 3), {}, "output=3: give a path"),
        (("a.mp4", "a.jpg", "b.mp4"), {"strength": "high"}, "strength='high': give"),
        (("a.mp4", "a.jpg", "b.mp4"), {"fps": True}, "fps=True: give"),
    ],
)
def test_values_of_another_type_are_one_clear_line(arguments, options, says):
    with pytest.raises(vgan.InputError, match=says):
        vgan.stylize(*arguments, **options)
