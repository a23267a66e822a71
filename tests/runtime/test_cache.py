"""Exports that are kept beside a model: made once, and again when they are damaged."""

import shutil

import numpy as np
import pytest

from vgan import InputError
from vgan.models import Generator
from vgan.runtime import engines
from vgan.runtime.engines import cache


def stylize(model):
    engine = engines.load(model, "openvino")
    content = np.zeros((1, 1, 16, 16, 3), np.float32)
    code = np.ones((1, 16), np.float32)
    return engine.step(content, code, engine.initial_state(16, 16))[0]


@pytest.mark.slow
def test_what_is_damaged_is_made_again(model):
    wanted = stylize(model)
    folder = cache.find(model, "openvino")
    when = (folder / "step.bin").stat().st_mtime_ns
    np.testing.assert_array_equal(stylize(model), wanted)
    assert (folder / "step.bin").stat().st_mtime_ns == when
    data = bytearray((folder / "step.bin").read_bytes())
    data[1000:1400] = bytes(400)
    (folder / "step.bin").write_bytes(data)
    (folder.parent / "openvino-0.1-1-abc").mkdir()
    assert cache.find(model, "openvino") is None
    np.testing.assert_array_equal(stylize(model), wanted)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_another_model_of_the_same_name(model, tmp_path):
    copy = tmp_path / "generator.keras"
    copy.write_bytes(model.read_bytes())
    one = cache._places(copy, "openvino", None)[0]
    Generator((8, 8), 8, 0, code_size=16, noise_size=8).save(copy)
    assert cache._places(copy, "openvino", None)[0] != one
    assert cache._places(copy, "litert", (16, 16))[0].name.endswith("-16x16")


@pytest.mark.slow
def test_a_place_that_cannot_be_written(model, tmp_path, monkeypatch):
    copy = tmp_path / "generator.keras"
    copy.write_bytes(model.read_bytes())
    (tmp_path / ".generator.keras.engines").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    stylize(copy)
    folder = cache.find(copy, "openvino")
    assert folder.is_relative_to(tmp_path / "cache" / "vgan")
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").touch()
    with pytest.raises(
        InputError, match=r"\.engines: cannot be written, nor .*engine=keras"
    ):
        engines.load(copy, "openvino")


def test_names():
    with pytest.raises(InputError, match="engine=fast: give auto, keras, "):
        engines.load("generator.keras", "fast")


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        (("openvino", "onnx", "litert"), "openvino"),
        (("onnx", "litert"), "onnx"),
        (("litert",), "keras"),
        ((), "keras"),
    ],
)
def test_auto_is_the_fastest_that_is_there(model, monkeypatch, installed, chosen):
    monkeypatch.setattr(engines.shutil, "which", lambda name: None)
    monkeypatch.setattr(engines, "_is_installed", lambda name: name in installed)
    assert engines.resolve(model, "auto") == chosen
    monkeypatch.setattr(engines.shutil, "which", lambda name: f"/bin/{name}")
    assert engines.resolve(model, "auto") == "keras"  # on the GPU
