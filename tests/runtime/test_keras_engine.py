import json
import os
import pathlib
import subprocess
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest

from vgan import InputError
from vgan.runtime import engines
from vgan.runtime.engines import keras_engine

ROOT = pathlib.Path(__file__).resolve().parents[2]


def clip(num_frames, height, width, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (1, num_frames, height, width, 3)).astype(np.float32)


def stream(engine, content, code):
    """Frame by frame, as the stylizer does."""
    state = engine.initial_state(*content.shape[2:4])
    frames = []
    for t in range(content.shape[1]):
        frame, state = engine.step(content[:, t : t + 1], code, state)
        frames.append(frame)
    return np.concatenate(frames, axis=1)


@pytest.mark.parametrize(
    "arguments",
    [
        {"cell": "lstm", "modulation": "weight"},
        {"cell": "lstm", "modulation": "adain"},
        {"cell": "gru", "modulation": "adain"},
        {"cell": "gru", "modulation": "weight", "patch_size": 2},
    ],
    ids=str,
)
def test_stream_equals_clip(make_generator, arguments):
    engine = keras_engine.KerasEngine(make_generator(**arguments))
    code = engine.encode_noise(np.ones((1, 8), np.float32))
    for height, width in (32, 48), (64, 32):
        content = clip(5, height, width)
        whole, _ = engine.step(content, code, engine.initial_state(height, width))
        frames = stream(engine, content, code)
        assert np.ptp(whole) > 0.01
        np.testing.assert_allclose(frames, whole, atol=1e-5)
        # The state matters: a frame on its own comes out otherwise.
        alone = stream(engine, content[:, 4:], code)
        assert np.abs(alone - whole[:, 4:]).max() > 1e-4


def test_step_is_traced_once_per_size(engine, make_generator):
    generator = make_generator()
    calls = []

    class Counting(type(generator)):
        def call(self, *inputs):
            calls.append(inputs[0].shape)
            return super().call(*inputs)

    generator.__class__ = Counting
    engine = keras_engine.KerasEngine(generator)
    code = np.ones((1, 16), np.float32)
    for size in 16, 32, 16, 32:
        stream(engine, clip(3, size, size), code)
    assert len(calls) == 2


def output(path):
    engine = engines.load(path)
    content, style = clip(3, 32, 32), clip(1, 32, 32, seed=1)
    return stream(engine, content, engine.encode_style(style))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_same_output_in_a_fresh_process_on_either_backend(
    model_path, tmp_path, backend
):
    pytest.importorskip(backend)
    script = f"""
import sys
import numpy as np
sys.path.insert(0, {str(ROOT)!r})
from tests.runtime import test_keras_engine as here
from tests.tiny import TINY
from vgan.models import Generator

Generator(**TINY).save("made.keras")
np.savez("outputs", given=here.output(sys.argv[1]), made=here.output("made.keras"))
"""
    subprocess.run(
        [sys.executable, "-c", script, model_path],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": backend},
        check=True,
        timeout=240,
    )
    there = np.load(tmp_path / "outputs.npz")
    np.testing.assert_allclose(there["given"], output(model_path), atol=1e-5)
    np.testing.assert_allclose(
        there["made"], output(tmp_path / "made.keras"), atol=1e-5
    )


@pytest.mark.parametrize(
    "change",
    [
        {"depth": 3},
        {"hidden_filters": 16},
        {"blocks": 2},
        {"blocks": 0},
        {"cell": "gru"},
        {"cell": "elman"},
        {"modulation": "adain"},
        {"style_filters": [8, 8, 8, 8]},
        {"noise_size": None},
        {"named_styles": {"short": [1.0]}},
        {"named_styles": {"beyond_float32": [1e300] * 16}},
        {"named_styles": {"beyond_float": [10**400] * 16}},
        {"code_size": float("inf")},
        {"hidden_filters": 10**9},
        {"filters": [10**6, 10**6]},
        {"filters": [None]},
        {"blocks": 10**5},
    ],
    ids=lambda change: str(change)[:50],
)
def test_model_from_another_layout(model_path, tmp_path, change):
    path = tmp_path / "generator.keras"
    with zipfile.ZipFile(model_path) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"].update(change)
                content = json.dumps(config)
            new.writestr(name, content)
    with pytest.raises(InputError, match="does not fit this version of vgan") as error:
        engines.load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_other_files_are_no_models(model_path, tmp_path):
    text = tmp_path / "text.keras"
    text.write_text("no zip")
    half = tmp_path / "half.keras"
    half.write_bytes(model_path.read_bytes()[:2000])
    other = tmp_path / "other.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(other)
    for path, message in [
        (text, "is not a Keras model"),
        (half, "is not a Keras model"),
        (other, "holds a Sequential, not a vgan generator"),
        (tmp_path / "gone.keras", "no such file"),
        (tmp_path, "is a folder without model.json"),
    ]:
        for read in engines.describe, engines.load:
            with pytest.raises(InputError, match=message):
                read(path)


def test_damaged_weights(model_path, tmp_path):
    path = tmp_path / "generator.keras"
    with zipfile.ZipFile(model_path) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[:1000] if name.endswith(".h5") else content)
    with pytest.raises(InputError, match=r"generator\.keras"):
        engines.load(path)


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
def test_damaged_compression(member, model_path, tmp_path):
    path = tmp_path / "generator.keras"
    with zipfile.ZipFile(model_path) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name), zipfile.ZIP_DEFLATED)
        start = new.getinfo(member).header_offset + len(member) + 50
    content = bytearray(path.read_bytes())
    content[start : start + 40] = b"\xff" * 40
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"generator\.keras"):
        engines.load(path, "keras")


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
def test_sizes_are_checked_before_anything_is_unpacked(member, model_path, tmp_path):
    path = tmp_path / "generator.keras"
    with zipfile.ZipFile(model_path) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            data += bytes(100 * 2**20) if name == member else b""
            new.writestr(name, data, zipfile.ZIP_DEFLATED)
    for read in engines.describe, engines.load:
        with pytest.raises(InputError, match=f"its {member} would unpack to 1.. MB"):
            read(path)


def test_weights_that_are_larger_than_what_is_stored(model_path, tmp_path):
    path, weights = tmp_path / "generator.keras", tmp_path / "model.weights.h5"
    with zipfile.ZipFile(model_path) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if name == weights.name:
                weights.write_bytes(old.read(name))
                with h5py.File(weights, "a") as file:
                    file.create_dataset("layers/huge", (10**6, 10**6), "f4")
                new.write(weights, name)
            else:
                new.writestr(name, old.read(name))
    with pytest.raises(InputError, match=r"layers/huge is of 4000000000000 bytes"):
        engines.load(path, "keras")


def test_describe_tells_what_the_engine_has(model_path, engine):
    info = engines.describe(model_path)
    assert info.code_size == engine.code_size == 16
    assert info.noise_size == engine.noise_size == 8
    assert info.named_styles == engine.named_styles == {"mosaic": [1.0] * 16}
