"""Exports against Keras, by the loop that their own README shows."""

import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.export import game_engines
from tests.tiny import TINY_PAINTER
from vgan import InputError
from vgan.export import parity, run
from vgan.export.run import export
from vgan.models import Generator, Painter
from vgan.runtime.engines import load
from vgan.runtime.engines.exported import ExportedEngine

SIZE = 32, 48
FORMATS = [name for name in run.FORMATS if name != "web"]  # that is in test_web.py
RUN = [name for name in FORMATS if name != "tf_saved_model"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("model") / "generator.keras")


def saved(path, filters=(8, 12, 16), blocks=1, **arguments):
    keras.utils.set_random_seed(1)
    sizes = {"code_size": 16, "noise_size": 8}
    styles = {"one": [0.5] * 16}
    arguments = {"recursive": True, **sizes, "named_styles": styles, **arguments}
    generator = Generator(filters, 8, blocks, **arguments)
    generator.save(path)
    return path


@pytest.fixture(scope="module")
def exports(model, tmp_path_factory):
    """{format: folder}, each made once."""
    made = {}

    def folder_of(format):
        if format not in made:
            folder = tmp_path_factory.mktemp("exports") / format
            lines = export(model, folder, format, SIZE if format == "litert" else None)
            assert len(lines) == 3
            made[format] = folder
        return made[format]

    return folder_of


def frames_and_code():
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (6, *SIZE, 3), np.uint8)
    return frames, random.standard_normal((1, 16)).astype(np.float32)


def by_keras(model):
    engine = load(model)
    frames, code = frames_and_code()
    state, results = engine.initial_state(*SIZE), []
    for frame in frames:
        content = frame[None, None] / np.float32(127.5) - np.float32(1)
        result, state = engine.step(content, code, state)
        results.append(np.uint8(np.clip(result[0, 0] * 127.5 + 127.5, 0, 255)))
    return np.stack(results)


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_the_loop_of_the_readme(format, model, exports, monkeypatch):
    folder = exports(format)
    page = (folder / "README.md").read_text()
    (loop,) = re.findall(r"```python\n(.+?)```", page, re.DOTALL)
    assert len(loop.splitlines()) < 35
    frames, code = frames_and_code()
    shown = []
    monkeypatch.chdir(folder)
    exec(loop, {"frames": frames, "code": code, "show": shown.append})
    difference = np.abs(np.int16(shown) - by_keras(model))
    assert difference.mean() < 1
    # OpenVINO computes in bfloat16 where the processor can.
    assert difference.max() <= (20 if format == "openvino" else 1)


@pytest.mark.slow
@pytest.mark.parametrize("format", RUN)
def test_as_an_engine(format, model, exports):
    engine = load(exports(format))
    other = load(model)
    assert engine.name == format
    for name in ("stride", "code_size", "noise_size", "named_styles", "num_parameters"):
        assert getattr(engine, name) == getattr(other, name)
    picture = np.random.default_rng(1).uniform(-1, 1, (1, 3, 32, 64, 3))
    picture = picture.astype(np.float32)
    noise = np.ones((1, 8), np.float32)
    np.testing.assert_allclose(
        engine.encode_style(picture), other.encode_style(picture), atol=1e-4
    )
    np.testing.assert_allclose(
        engine.encode_noise(noise), other.encode_noise(noise), atol=1e-4
    )
    if format != "litert":  # another size
        content = np.zeros((1, 1, 16, 16, 3), np.float32)
        result, _ = engine.step(
            content,
            noise[:, :1] * 0 + np.ones(16, np.float32),
            engine.initial_state(16, 16),
        )
        assert result.shape == content.shape
    else:
        with pytest.raises(InputError, match="takes frames of 32 x 48, not 16 x 16"):
            engine.step(np.zeros((1, 1, 16, 16, 3)), np.ones((1, 16)), {})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("format", "mode"),
    [
        ("openvino", "weights"),
        ("openvino", "full"),
        ("onnx", "full"),
        ("litert", "weights"),
    ],
)
def test_eight_bits_are_smaller_and_near(format, mode, model, exports, tmp_path):
    size = SIZE if format == "litert" else None
    (line,) = export(model, tmp_path / "int8", format, size, mode)
    assert float(re.search(r"PSNR ([\d.]+) dB", line)[1]) >= 32
    assert "style strength" in line
    weights = {"openvino": "step.bin", "onnx": "step.onnx", "litert": "step.tflite"}
    small, large = (
        (folder / weights[format]).stat().st_size
        for folder in (tmp_path / "int8", exports(format))
    )
    assert small < large


@pytest.mark.slow
def test_running_statistics_are_carried(tmp_path):
    small = {"filters": (8, 8), "blocks": 0}
    path = saved(tmp_path / "generator.keras", **small, cell="gru", modulation="adain")
    lines = export(path, tmp_path / "out", "litert", SIZE)
    assert lines[-1].startswith("30 recurrent frames: at most")


@pytest.mark.slow
@pytest.mark.parametrize("format", RUN)
def test_a_device_by_name(format, exports):
    code = np.ones((1, 16), np.float32)
    content = np.zeros((1, 1, *SIZE, 3), np.float32)

    def step(**options):
        engine = load(exports(format), "auto", SIZE, **options)
        return engine.step(content, code, engine.initial_state(*SIZE))[0]

    says = "takes none" if format == "litert" else "is not here; give"
    with pytest.raises(InputError, match=f"^device=GPU.9: .*{says}"):
        step(device="GPU.9")
    if format != "litert":
        np.testing.assert_array_equal(step(device="cpu"), step())


@pytest.mark.slow
@pytest.mark.parametrize("format", RUN)
def test_no_state_is_taken_for_another(format, model, exports):
    """Two of the states have the same shape, and some formats sort their inputs."""
    exact = {"precision": "float32"} if format == "openvino" else {}
    frames, code = frames_and_code()
    content = frames[:1, None] / np.float32(127.5) - np.float32(1)
    shape = 1, SIZE[0] // 4, SIZE[1] // 4, 8
    state = {
        "recurrent_hidden": np.full(shape, 0.9, np.float32),
        "recurrent_cell": np.full(shape, -0.3, np.float32),
        "filter_past": np.full((*shape[:3], 5 * 16), 0.5, np.float32),
    }
    (wanted, new), (found, found_new) = (
        engine.step(content, code, state)
        for engine in (load(model), ExportedEngine(exports(format), **exact))
    )
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    for name, value in new.items():
        np.testing.assert_allclose(found_new[name], value, atol=1e-4)
    assert np.abs(new["recurrent_hidden"] - new["recurrent_cell"]).max() > 0.2


def spoiled(folder, target, swapped=(), **facts):
    """A copy of an export with other facts, or other files in the place of some."""
    shutil.copytree(folder, target)
    for one, two in swapped:
        (target / one).write_bytes((folder / two).read_bytes())
    text = json.loads((target / "model.json").read_text()) | facts
    for name, _ in swapped:
        text["files"][name] = hashlib.sha256((target / name).read_bytes()).hexdigest()
    (target / "model.json").write_text(json.dumps(text))
    return target


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"files": ["step.xml"]}, "is damaged"),
        ({"files": {"step.xml": 3}}, "its files are not names"),
        ({"num_parameters": "many"}, "its num_parameters is no integer"),
        ({"state": {"hidden": [1, "two"]}}, "its sizes are out of range"),
        ({"state": [3]}, "is damaged"),
        ({"size": "all"}, "is damaged"),
        ({"format": ["openvino"]}, "its format is no name"),
        ({"state": {"other": [None, None, None, 8]}}, "cannot be loaded"),
    ],
)
def test_wrong_facts_are_one_line(facts, message, exports, tmp_path):
    folder = spoiled(exports("openvino"), tmp_path / "export", **facts)
    with pytest.raises(InputError, match=message):
        by_engine(folder)


def by_engine(folder):
    engine = load(folder)
    frames, code = frames_and_code()
    content = frames[None, :1] / np.float32(127.5) - np.float32(1)
    engine.encode_style(content)
    engine.encode_noise(np.zeros((1, 8), np.float32))
    return engine.step(content, code, engine.initial_state(*SIZE))


@pytest.mark.parametrize("pair", [("step", "style"), ("style", "noise")])
def test_swapped_graphs_are_one_line(pair, exports, tmp_path):
    both, ends = (pair, pair[::-1]), (".xml", ".bin")
    swapped = [(f"{x}{end}", f"{y}{end}") for end in ends for x, y in both]
    folder = spoiled(exports("openvino"), tmp_path / "export", swapped)
    with pytest.raises(InputError, match=r"cannot be loaded|is not what model\.json"):
        by_engine(folder)


@pytest.mark.slow
def test_a_difference_stops_the_export(model, tmp_path, monkeypatch):
    monkeypatch.setattr(parity, "BOUND", 0.0)
    with pytest.raises(RuntimeError, match="report this as a bug"):
        export(model, tmp_path / "out", "openvino")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "litert"}, "^size=dynamic: LiteRT runs frames of one size"),
        ({"format": "onnx", "size": (30, 48)}, "^size=30x48: .* multiples of 4"),
        ({"format": "litert", "int8": "full"}, "^int8=full: not for litert"),
        ({"format": "tf_saved_model", "int8": "weights"}, "not for tf_saved_model"),
        ({"folder": "none/out"}, "there is no folder none"),
        ({"folder": "full"}, "full: holds something else"),
        ({"folder": "file"}, "file: is a file"),
        ({"model": "gone.keras"}, "there is no such file"),
    ],
)
def test_bad_arguments(arguments, message, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    (tmp_path / "file").touch()
    given = {"model": model, "folder": "out", "format": "onnx", **arguments}
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=message):
        export(**given)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_a_painter_is_exported(format, tmp_path):
    """`export` itself compares styles, noise and a stream of frames with Keras."""
    keras.utils.set_random_seed(1)
    path = tmp_path / "generator.keras"
    Painter(**TINY_PAINTER).save(path)
    lines = export(path, tmp_path / format, format, SIZE)
    assert len(lines) == 3
    if format not in RUN:
        return
    engine, other = load(tmp_path / format), load(path)
    picture = np.random.default_rng(1).uniform(-1, 1, (1, 1, 32, 48, 3))
    codes = [e.encode_style(picture.astype(np.float32)) for e in (engine, other)]
    np.testing.assert_allclose(*codes, atol=1e-3)
    if format == "onnx":
        game_engines.check(tmp_path / format, other)


@pytest.mark.slow
def test_openvino_needs_no_onnx(model, tmp_path):
    """`make setup` installs the default engine, not the formats of others."""
    if importlib.util.find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    code = (
        "import sys\n"
        "sys.modules |= dict.fromkeys(('onnx', 'onnxruntime', 'tf2onnx', 'jax'))\n"
        "from vgan.export.run import export\n"
        "export(*sys.argv[1:], 'openvino')\n"
    )
    arguments = [sys.executable, "-c", code, str(model), str(tmp_path / "out")]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
