"""Devices: those that are not here are told, and the fastest is measured once."""

import json

import numpy as np
import pytest

import vgan
from tests import in_process
from vgan import InputError
from vgan.runtime import engines
from vgan.runtime.engines import cache, devices, timing

ALL = {"openvino": ["CPU", "GPU.0", "GPU.1", "NPU"], "onnx": ["cuda", "cpu"]}


@pytest.fixture
def many(monkeypatch):
    """A machine with two GPUs and an NPU."""
    monkeypatch.setattr(devices, "available", lambda name: ALL.get(name, []))
    monkeypatch.setattr(devices, "_LINUX", ["/"])


@pytest.fixture
def one(tmp_path):
    """The path of an ONNX file: y = 2 x."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    tensor = onnx.helper.make_tensor_value_info
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Add", ["x", "x"], ["y"])],
        "double",
        [tensor("x", kind, [3])],
        [tensor("y", kind, [3])],
    )
    opset = [onnx.helper.make_opsetid("", 15)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.save(model, tmp_path / "step.onnx")
    return tmp_path / "step.onnx"


@pytest.mark.parametrize(
    ("device", "names", "found"),
    [
        ("gpu", ["openvino", "onnx"], ("openvino", "GPU.0")),
        ("GPU.1", ["openvino"], ("openvino", "GPU.1")),
        ("npu", ["onnx", "openvino"], ("openvino", "NPU")),
        ("CUDA", ["openvino", "onnx"], ("onnx", "cuda")),
        ("cpu", ["openvino", "onnx"], ("openvino", "CPU")),
        ("CPU", ["onnx"], ("onnx", "cpu")),
    ],
)
def test_a_device_by_its_name(many, device, names, found):
    assert devices.find(device, names) == found


@pytest.mark.parametrize(
    ("device", "names", "says"),
    [
        (
            "GPU.2",
            ["onnx"],
            r"^device=GPU.2: is not here; give cuda, cpu \(engine=onnx",
        ),
        (
            "directml",
            ["openvino", "onnx"],
            r"NPU \(engine=openvino\) or cuda, cpu \(en",
        ),
        ("GPU", ["keras"], "^device=GPU: keras takes none; leave it out, or give"),
        ("", ["litert"], "^device=: litert takes none"),
    ],
)
def test_what_is_not_here_is_one_line(many, device, names, says):
    with pytest.raises(InputError, match=says):
        devices.find(device, names)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["keras"], [("keras", None)]),
        (["litert"], [("litert", None)]),
        (
            ["openvino", "onnx"],
            [
                ("openvino", None),
                *(("openvino", device) for device in ALL["openvino"][1:]),
                ("onnx", "cuda"),
            ],
        ),
        (["onnx"], [("onnx", None)]),  # which takes CUDA by itself
        (["keras", "onnx"], [("keras", None), ("onnx", None)]),
    ],
)
def test_what_auto_tries(many, monkeypatch, names, found):
    assert devices.candidates(names) == found
    monkeypatch.setattr(devices, "_LINUX", [])
    monkeypatch.setattr(devices.sys, "platform", "linux")
    assert len(devices.candidates(names)) == 1 + (names == ["keras", "onnx"])


def test_the_fastest_is_measured_once(model, tmp_path, monkeypatch):
    copy = tmp_path / "generator.keras"
    copy.write_bytes(model.read_bytes())
    among = [("openvino", None), ("openvino", "GPU"), ("keras", None)]
    times = {None: 1.0, "GPU": 0.95}
    calls, lines = [], []

    def measure(path, engine, device, size):
        calls.append((engine, device, size))
        return times[device] if engine == "openvino" else 3.0

    def fastest(size=(16, 16), among=among):
        return devices.fastest(copy, among, size, lines.append)

    monkeypatch.setattr(devices, "_measure", measure)
    assert fastest(among=among[:1]) == among[0]
    assert not calls
    assert fastest() == fastest() == among[0]  # 5 % is noise
    assert len(calls) == 3
    assert len(lines) == 1
    (file,) = cache.folders(copy, "")[0].iterdir()
    assert json.loads(file.read_text())["seconds"] == {
        "openvino": 1.0, "openvino on GPU": 0.95, "keras": 3.0,
    }  # fmt: skip
    times["GPU"] = 0.85
    assert fastest() == among[0]
    assert fastest(size=(32, 32)) == among[1]
    times[None] = np.inf  # does not run
    assert fastest(size=(48, 48)) == among[1]
    assert fastest(size=None) == among[1]
    assert fastest(size=(9000, 9000)) == among[1]
    assert {size for *_, size in calls[-3:]} == {devices.USUAL_SIZE}
    before = len(calls)
    monkeypatch.setattr(cache, "versions", lambda: {"openvino": "2099.1"})
    assert fastest() == among[1]
    assert len(calls) == before + 3
    (tmp_path / "generator.keras").write_bytes(b"another")
    fastest()
    (file,) = cache.folders(copy, "")[0].iterdir()  # those of before are gone


def test_a_model_takes_what_is_fastest(model, monkeypatch):
    tried = []

    def fastest(path, among, size, tell):
        tried.append((among, size))
        return "keras", None

    monkeypatch.setattr(devices, "fastest", fastest)
    opened = engines.Model(model, "auto")
    assert opened.load((16, 32)).name == opened.load((32, 32)).name == "keras"
    assert opened.name == "keras"
    assert [size for _, size in tried] == [(16, 32)]
    engines.Model(model, "keras").load()
    assert len(tried) == 1


def test_one_that_does_not_run_takes_forever(tmp_path):
    assert devices._measure(tmp_path / "none.keras", "keras", None, (16, 16)) == np.inf


def test_a_frame_is_timed(model):
    assert 0 < timing.seconds(str(model), "keras", "", 30, 30) < 5


def test_onnx_runtime_does_not_fall_back(one, monkeypatch):
    from vgan.runtime.engines import onnx_session

    frame = {"x": np.ones(3, np.float32)}
    assert onnx_session.Session(one, device="cpu")(frame)["y"][0] == 2
    known = ["CUDAExecutionProvider", "DmlExecutionProvider", "AzureExecutionProvider"]
    if "CUDAExecutionProvider" in onnx_session.onnxruntime.get_available_providers():
        pytest.skip("CUDA is here")
    monkeypatch.setattr(
        onnx_session.onnxruntime,
        "get_available_providers",
        lambda: [*known, "CPUExecutionProvider"],
    )
    assert onnx_session.devices() == ["cuda", "directml", "cpu"]
    with pytest.raises(
        InputError, match=r"^device=cuda: .* cannot start it here; inst"
    ):
        onnx_session.Session(one, device="cuda")


def test_a_loaded_model_has_its_device(engine):
    with pytest.raises(InputError, match=r"^device=GPU: the model is loaded"):
        vgan.stylize("in.png", "mosaic", "out.png", engine, device="GPU")


@pytest.mark.parametrize("engine", ["openvino", "auto"])
def test_the_command_names_those_that_are_here(model, tmp_path, engine):
    done = in_process.run(
        *("vgan.generate", f"--model={model}", f"--engine={engine}", "--device=gpu7"),
        *("--style=one", "--input=in.mp4", "--output=out.mp4"),
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--device=gpu7: is not here; give CPU" in done.stderr
