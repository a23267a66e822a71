"""What is compiled is kept, and found again."""

import subprocess
import sys

import numpy as np
import pytest

from vgan.runtime.engines import openvino_session
from vgan.runtime.engines.openvino_library import openvino
from vgan.runtime.engines.openvino_session import Session

INPUT = {"x": np.arange(12, dtype=np.float32).reshape(3, 4)}


@pytest.fixture
def model(tmp_path):
    """The path of a model of any [N, 4]: y = 2 x, and z = the sums of rows."""
    opset = openvino.opset13
    x = opset.parameter([-1, 4], np.float32, name="x")
    outputs = opset.multiply(x, np.float32(2)), opset.reduce_sum(x, [1])
    whole = openvino.Model(list(outputs), [x])
    x.output(0).set_names({"x"})
    for name, output in zip("yz", whole.outputs, strict=True):
        output.set_names({name})
    openvino.save_model(whole, tmp_path / "step.xml")
    return tmp_path / "step.xml"


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def refuse(*_):
    raise AssertionError("compiled again")


def test_what_is_compiled_is_found_again(model, tmp_path, monkeypatch):
    folder, shapes = tmp_path / "compiled", {"x": [3, 4]}
    wanted = Session(model, shapes)(INPUT)
    first = Session(model, shapes, compiled=folder)(INPUT)
    monkeypatch.setattr(openvino_session, "_compile", refuse)
    again = Session(model, shapes, compiled=folder)(INPUT)
    assert list(wanted) == list(first) == list(again) == ["y", "z"]
    for name in wanted:
        np.testing.assert_array_equal(wanted[name], first[name])
        np.testing.assert_array_equal(wanted[name], again[name])
    with pytest.raises(AssertionError, match="compiled again"):
        Session(model, {"x": [5, 4]}, compiled=folder)


def test_what_is_damaged_is_made_anew(model, tmp_path):
    folder = tmp_path / "compiled"
    Session(model, compiled=folder)
    (file,) = folder.iterdir()
    good = file.read_bytes()
    file.write_bytes(good[:-3] + b"bad")
    np.testing.assert_array_equal(Session(model, compiled=folder)(INPUT)["y"][0, 1], 2)
    digest = good.split(b"\n")[0]
    assert len(digest) == 64
    assert file.read_bytes() != good[:-3] + b"bad"


def test_few_are_kept(model, tmp_path, monkeypatch):
    monkeypatch.setattr(openvino_session, "KEPT", 2)
    folder = tmp_path / "compiled"
    for rows in range(1, 5):
        Session(model, {"x": [rows, 4]}, compiled=folder)
    assert len(files(folder)) == 2


def test_a_folder_that_cannot_be_made_is_done_without(model, tmp_path):
    found = Session(model, compiled=tmp_path / "none" / "compiled")(INPUT)
    np.testing.assert_array_equal(found["z"], [6, 22, 38])


def test_each_device_has_its_own(model, tmp_path):
    assert "CPU" in openvino_session.devices()
    name = openvino_session._name("CPU", model, None, {})
    assert name != openvino_session._name("GPU", model, None, {})
    with pytest.raises(RuntimeError):  # `exported` makes a line of it
        Session(model, device="GPU.7", compiled=tmp_path)


def threads(session):
    model = session._request.get_compiled_model()
    return model.get_property("INFERENCE_NUM_THREADS")


def test_small_networks_run_on_one_thread(tmp_path, monkeypatch):
    opset, kernel = openvino.opset13, np.ones((2, 3, 5, 5), np.float32)
    x = opset.parameter([1, 3, -1, -1], np.float32, name="x")
    y = opset.convolution(x, kernel, [1, 1], [2, 2], [2, 2], [1, 1])
    kernels = np.ones((2, 1, 1, 3, 3), np.float32)
    y = opset.group_convolution(y, kernels, [1, 1], [1, 1], [1, 1], [1, 1])
    whole = openvino.Model([y], [x])
    whole.input(0).set_names({"x"})
    openvino.save_model(whole, tmp_path / "step.xml")
    macs = 20 * 30 * (2 * 3 * 25 + 2 * 9)
    folder, shapes = tmp_path / "compiled", {"x": [1, 3, 20, 30]}
    monkeypatch.setattr(openvino_session, "FOR_ONE_THREAD", macs)
    many = threads(Session(tmp_path / "step.xml", shapes, compiled=folder))
    monkeypatch.setattr(openvino_session, "FOR_ONE_THREAD", macs + 1)
    for _ in range(2):  # compiled, and kept
        session = Session(tmp_path / "step.xml", shapes, compiled=folder)
        assert threads(session) == 1
    assert many == threads(Session(tmp_path / "step.xml"))


@pytest.mark.skipif(sys.platform != "linux", reason="there are signal stacks on Linux")
def test_ctrl_c_is_heard_after_two_sessions_have_ended(model):
    """OpenVINO leaves the thread that compiled on a signal stack that is gone."""
    program = """
import faulthandler, signal, sys
from vgan.runtime.engines.openvino_session import Session
faulthandler.enable()
first, second = Session(sys.argv[1]), Session(sys.argv[1])
del first
del second
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("heard")
"""
    made = subprocess.run(
        [sys.executable, "-c", program, model],
        capture_output=True,
        text=True,
    )
    assert (made.returncode, made.stdout) == (0, "heard\n"), made.stderr


@pytest.mark.parametrize("keep_dims", [False, True])
def test_means_are_taken_by_convolutions(tmp_path, keep_dims):
    """Of many channels over height and width, and no others."""
    opset, shape = openvino.opset13, [2, 24, 36, 50]
    x = opset.parameter([-1, -1, -1, -1], np.float32, name="x")
    outputs = [
        opset.reduce_mean(opset.multiply(x, x), axes, keep_dims)
        for axes in ([2, 3], [-1, -2], [1, 2])
    ]
    whole = openvino.Model(outputs, [x])
    x.output(0).set_names({"x"})
    for name, output in zip("abc", whole.outputs, strict=True):
        output.set_names({name})
    openvino.save_model(whole, tmp_path / "step.xml", compress_to_fp16=False)
    data = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found = Session(tmp_path / "step.xml", {"x": shape}, "float32")({"x": data})
    for name, axis in zip("abc", ((2, 3), (2, 3), (1, 2)), strict=True):
        wanted = np.mean(data**2, axis=axis, keepdims=keep_dims)
        np.testing.assert_allclose(found[name], wanted, rtol=1e-5)

    def kinds(model):
        openvino_session.average_by_convolutions(model)
        return [node.get_type_name() for node in model.get_ops()]

    model = openvino.Core().read_model(tmp_path / "step.xml")
    assert kinds(model).count("ReduceMean") == 3
    model.reshape({"x": shape})
    assert kinds(model).count("ReduceMean") == 1
    assert kinds(model).count("GroupConvolution") == 4
    model = openvino.Core().read_model(tmp_path / "step.xml")
    model.reshape({"x": [2, 8, 36, 50]})
    assert kinds(model).count("ReduceMean") == 3
