"""One function of an export in OpenVINO."""

import collections
import concurrent.futures
import contextlib
import functools
import hashlib
import json
import math
import pathlib
from collections.abc import Sequence

import numpy as np

from vgan import files
from vgan.runtime.engines.openvino_library import openvino

KEPT = 8  # compiled models; one takes some megabytes, and there is one for each size
# Multiply-accumulates of a call up to which it runs on one thread. A second one made
# painterly_small at 512 x 288 (0.6e9) a tenth faster for a quarter more processor time,
# at times twice as much, which encoding needs; painterly (2.4e9) nearly twice as fast.
FOR_ONE_THREAD = 1e9
CHANNELS = 16  # from which on a mean is taken by convolutions
CHANGES = 1  # what is done to models before they are compiled: count on when it changes


def _aside(function):
    """Let a thread of its own call it.

    OpenVINO gives the thread that compiles another signal stack. Once two models have
    ended in the order in which they were made, the thread is left with one that is
    gone, and Ctrl-C would crash it.
    """

    @functools.wraps(function)
    def call(*args, **named):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(function, *args, **named).result()

    return call


@_aside
def devices() -> list[str]:
    """Names of the devices that are here: CPU, GPU or GPU.0 and so on, NPU."""
    return openvino.Core().available_devices


@functools.cache
@_aside
def facts(device: str) -> list[str]:
    """What a device is and what it can do, with the processor's flags."""
    core = openvino.Core()
    said = [device]
    for name in "FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES":
        with contextlib.suppress(RuntimeError):
            said.append(str(core.get_property(device, name)))
    with contextlib.suppress(OSError, StopIteration):
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        said.append(next(line for line in lines if line.startswith("flags")))
    return said


class Session:
    """Callable: {name: array} -> {name: array}.

    Args:
        path: An `.xml` beside its `.bin`.
        shapes: {name: shape} that all calls will have; fixed shapes run faster.
        precision: "float32", or None: what the processor does best, bfloat16 where it
            has instructions for it.
        compiled: Folder to keep what is compiled in, for the next time; or None.
        device: One of `devices()`.
        profiled: Whether `profile` is wanted.
    """

    def __init__(
        self,
        path: str | pathlib.Path,
        shapes: dict[str, Sequence[int]] | None = None,
        precision: str | None = None,
        compiled: pathlib.Path | None = None,
        device: str = "CPU",
        profiled: bool = False,
    ) -> None:
        config = {"PERFORMANCE_HINT": "LATENCY"}
        if profiled:
            config["PERF_COUNT"] = "YES"
        if precision == "float32" or not shapes:
            config["INFERENCE_PRECISION_HINT"] = "f32"
        file = compiled and compiled / _name(device, path, shapes, config)
        model, self._names = _load(path, shapes, file, device, config)
        self._request = model.create_infer_request()

    def __call__(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run it once; arrays of float32, also those that come back."""
        inputs = {k: np.ascontiguousarray(v, np.float32) for k, v in inputs.items()}
        outputs = self._request.infer(inputs, share_inputs=True)
        return dict(zip(self._names, outputs.values(), strict=True))

    def profile(self) -> dict[str, float]:
        """{kind of operation: seconds} of the last call, of a `profiled` one."""
        seconds = collections.Counter()
        for node in self._request.get_profiling_info():
            seconds[node.node_type] += node.real_time.total_seconds()
        return dict(seconds.most_common())


@_aside
def _load(path, shapes, file, device, config):
    """The compiled model, from its file if that is there, and names of its outputs."""
    core = openvino.Core()
    found = file and _import(core, file, device)
    if not found:
        found = _compile(core, path, shapes, device, config)
        if file:
            _keep(file, *found)
    model, about = found
    return model, about["names"]


def _compile(core, path, shapes, device, config):
    """A model ready to run, and the names of its outputs and its settings."""
    model = core.read_model(path)
    if shapes:
        model.reshape(shapes)
        if device == "CPU":
            if _count_macs(model) < FOR_ONE_THREAD:
                config = {**config, "INFERENCE_NUM_THREADS": 1}
            average_by_convolutions(model)
    # Compiled models name some outputs after what computes them.
    about = {"names": [port.get_any_name() for port in model.outputs], "config": config}
    return core.compile_model(model, device, config), about


def average_by_convolutions(model: "openvino.Model") -> None:
    """Replace means over height and width by two depthwise convolutions each.

    OpenVINO's reduction wants the channels apart and convolutions leave them together:
    with it, data is sorted anew for each mean, a tenth of the time of painterly_small.

    Args:
        model: Of fixed shapes, channels first; changed in place.
    """
    opset = openvino.opset13
    for node in model.get_ordered_ops():
        if node.get_type_name() != "ReduceMean":
            continue
        data, axes = node.input_values()
        constant = axes.get_node().get_type_name() == "Constant"
        shape = data.get_partial_shape()
        if not constant or shape.is_dynamic or len(shape) != 4:
            continue
        _, channels, height, width = data.shape
        if channels < CHANNELS or set(axes.get_node().data.ravel() % 4) != {2, 3}:
            continue
        mean = data
        for size in (height, 1), (1, width):
            dtype = data.get_element_type().to_dtype()
            kernel = np.full((channels, 1, 1, *size), 1 / math.prod(size), dtype)
            mean = opset.group_convolution(mean, kernel, size, (0, 0), (0, 0), (1, 1))
        whole = opset.constant(np.int64(node.output(0).shape))
        node.output(0).replace(opset.reshape(mean, whole, False).output(0))


def _count_macs(model):
    """Multiply-accumulates of the convolutions of a model of fixed shapes."""
    macs = 0
    for node in model.get_ops():
        # Kernels are [out, in, h, w], and [groups, out, in, h, w].
        beside = {"Convolution": 1, "GroupConvolution": 2}.get(node.get_type_name())
        if beside:
            macs += math.prod(node.output(0).shape) * math.prod(
                node.input_value(1).shape[beside:]
            )
    return macs


def _name(device, path, shapes, config):
    """Of the file for it: no other model, version or device has the same."""
    made_of = [
        hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest(),
        shapes and {name: list(shape) for name, shape in shapes.items()},
        config,
        [openvino.__version__, FOR_ONE_THREAD, CHANGES],
        facts(device),
    ]
    key = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    return f"{pathlib.Path(path).stem}-{key[:16]}.compiled"


def _import(core, file, device):
    """What `_keep` kept, or None."""
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        digest, about, data = file.read_bytes().split(b"\n", 2)
        if hashlib.sha256(about + data).hexdigest().encode() == digest:
            file.touch()
            about = json.loads(about)
            return core.import_model(data, device, about["config"]), about
    return None


def _keep(file, model, about):
    """Keep a compiled model, and no more than KEPT of them."""
    with contextlib.suppress(OSError, RuntimeError):
        file.parent.mkdir(exist_ok=True)
        about, data = json.dumps(about).encode(), model.export_model().getvalue()
        digest = hashlib.sha256(about + data).hexdigest().encode()
        files.write_bytes(file, b"\n".join((digest, about, data)))
        others = sorted(file.parent.iterdir(), key=lambda one: -one.stat().st_mtime)
        for old in others[KEPT:]:
            old.unlink()
