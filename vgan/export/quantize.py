"""Eight-bit exports: smaller files, and on some processors faster frames.

"weights": the kernels of convolutions as int8 with a scale per output channel, the rest
stays float. "full": what goes into convolutions as well, its ranges read from
calibration frames; the recurrent cell, the first and the last layer and all that sets
statistics stay float, as errors of the state are carried from frame to frame (Jacob et
al., "Quantization and Training of Neural Networks", 2018).

Only `step` is quantized: a style is encoded once.
"""

import pathlib
import tempfile

import numpy as np
import tensorflow as tf

from vgan import InputError
from vgan.export import formats, parity
from vgan.export.graphs import Graphs

CAN = {
    "openvino": ("weights", "full"),
    "onnx": ("weights", "full"),
    "litert": ("weights",),
}
STYLES = 3  # of each kind that calibration looks at
FLOAT = ("recurrent", "stem", "to_rgb")  # layers that are never quantized


def check(int8: str | None, format: str) -> None:
    """Raise InputError where a format cannot be quantized so."""
    if int8 and int8 not in CAN.get(format, ()):
        able = ", ".join(name for name, modes in CAN.items() if int8 in modes)
        raise InputError(f"int8={int8}: not for {format}; export to {able}")


def write(graphs: Graphs, folder: pathlib.Path, format: str, int8: str) -> None:
    """Write all functions of a generator, `step` quantized.

    Args:
        graphs: Graphs.
        folder: Where to.
        format: A key of CAN.
        int8: One of its modes.
    """
    rest = [name for name in graphs.names if name != "step"]
    if format == "litert":
        formats.write_litert(graphs, folder, rest)
        lite = formats.convert_litert(
            graphs, "step", optimizations=[tf.lite.Optimize.DEFAULT]
        )
        (folder / "step.tflite").write_bytes(lite)
        return
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        formats.write_onnx(graphs, scratch, ["step"])
        path = scratch / "quantized.onnx"
        if int8 == "weights":
            _quantize_weights(scratch / "step.onnx", path)
        else:
            _quantize_fully(graphs, scratch / "step.onnx", path)
        if format == "onnx":
            formats.write_onnx(graphs, folder, rest)
            (folder / "step.onnx").write_bytes(path.read_bytes())
        else:
            formats.write_openvino(graphs, folder, rest)
            names = graphs.tensors("step")
            formats.convert_openvino(str(path), names, folder / "step.xml")


def _quantize_weights(source, target):
    """Replace kernels by int8 and a DequantizeLinear per convolution."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(source)
    graph = model.graph
    kernels = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type == "Conv" and node.input[1] in kernels and _may(node.name):
            name = node.input[1]
            kernel = numpy_helper.to_array(kernels.pop(name))
            scale = np.abs(kernel).max(axis=(1, 2, 3), initial=1e-8) / 127
            rounded = np.rint(kernel / scale[:, None, None, None]).astype(np.int8)
            parts = (rounded, scale.astype(np.float32), np.zeros(len(scale), np.int8))
            names = [f"{name}_{part}" for part in ("int8", "scale", "zero")]
            for part, array in zip(names, parts, strict=True):
                graph.initializer.append(numpy_helper.from_array(array, part))
            nodes.append(
                helper.make_node(
                    "DequantizeLinear", names, [name], name=f"{name}_float", axis=0
                )
            )
            graph.initializer.remove(_named(graph.initializer, name))
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, target)


def _named(tensors, name):
    return next(tensor for tensor in tensors if tensor.name == name)


def _may(node):
    """Whether a convolution, by the name of its node, may be quantized."""
    return not any(f"/{layer}" in node for layer in FLOAT)


def _quantize_fully(graphs, source, target):
    """Quantize kernels and what convolutions read, by ONNX Runtime."""
    import onnx
    from onnxruntime import quantization

    float_nodes = [
        node.name
        for node in onnx.load(source).graph.node
        if node.op_type == "Conv" and not _may(node.name)
    ]
    quantization.quantize_static(
        str(source),
        str(target),
        _calibration(graphs, source),
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
        op_types_to_quantize=["Conv"],
        nodes_to_exclude=float_nodes,
    )


def _calibration(graphs, source):
    """Frames of a pan in some styles, with the state that each meets."""
    from onnxruntime import quantization

    from vgan.runtime.engines import onnx_session

    random = np.random.default_rng(0)
    session = onnx_session.Session(source)
    engine = graphs.generator

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self._feeds = self._run()

        def get_next(self):
            return next(self._feeds, None)

        def _run(self):
            height, width = graphs.size or parity.SIZE
            for code in _codes(engine, random):
                state = {
                    name: np.asarray(value)
                    for name, value in engine.initial_state(1, height, width).items()
                }
                for frame in parity.pan(height, width):
                    feeds = {"frame": frame[None], "code": code, **state}
                    yield feeds
                    outputs = session(feeds)
                    state = {name: outputs[f"new_{name}"] for name in state}

    return Reader()


def _codes(engine, random):
    """Style codes of all kinds: of noise, of pictures, and those with a name."""
    for _ in range(STYLES):
        noise = random.standard_normal((1, engine.noise_size)).astype(np.float32)
        yield np.asarray(engine.encode_noise(noise))
        picture = random.uniform(-1, 1, (1, 1, 64, 96, 3)).astype(np.float32)
        picture = picture * random.uniform(0, 1) + random.uniform(-0.5, 0.5, 3)
        yield np.asarray(engine.encode_style(np.float32(np.clip(picture, -1, 1))))
    for code in list(engine.named_styles.values())[:STYLES]:
        yield np.float32([code])
