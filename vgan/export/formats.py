"""Writers of one format each: graphs in, files in a folder out."""

import importlib
import pathlib
import tempfile
import typing
import warnings
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from vgan import InputError
from vgan.export.graphs import Graphs


def write_tf_saved_model(graphs: Graphs, folder: pathlib.Path) -> None:
    """A SavedModel with one signature per function, and `initial_state`."""
    module = tf.Module()
    module.generator = graphs.generator  # holds the weights
    signatures = {name: graphs.concrete(name) for name in graphs.names}
    signatures["initial_state"] = graphs.initial_state()
    tf.saved_model.save(module, str(folder), signatures)


def write_openvino(
    graphs: Graphs, folder: pathlib.Path, functions: Sequence[str] = Graphs.names
) -> None:
    """step.xml with step.bin, and so on: OpenVINO's intermediate representation."""
    for name in functions:
        names = graphs.tensors(name)
        convert_openvino(graphs.concrete(name), names, folder / f"{name}.xml")


def convert_openvino(
    source: typing.Any, names: Sequence[str], path: pathlib.Path
) -> None:
    """Write one function as an `.xml` with its `.bin`.

    Args:
        source: What OpenVINO converts: a traced function, or the path of an `.onnx`.
        names: Of its inputs and outputs.
        path: The `.xml`.
    """
    library = _library("vgan.runtime.engines.openvino_library", "fast", "openvino")
    openvino, converter = library.openvino, importlib.import_module(library.CONVERTER)
    model = converter.convert_model(source)
    for port in (*model.inputs, *model.outputs):
        # Some carry the names of what is next to them as well, or end in ":0".
        known = {name.removesuffix(":0") for name in port.get_names()}
        port.get_tensor().set_names(known & set(names))
    openvino.save_model(model, path, compress_to_fp16=False)


def write_onnx(
    graphs: Graphs,
    folder: pathlib.Path,
    names: Sequence[str] = Graphs.names,
    suffix: str = "",
) -> None:
    """step.onnx and so on, with a suffix after the name."""
    _library("onnx", "onnx")
    tf2onnx = _library("tf2onnx", "onnx")
    from keras.src.export.tf2onnx_lib import patch_tf2onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch_tf2onnx()  # for NumPy 2
    for name in names:
        tf2onnx.convert.from_function(
            graphs.function(name),
            input_signature=list(graphs.signature(name).values()),
            output_path=str(folder / f"{name}{suffix}.onnx"),
            custom_op_handlers={"MirrorPad": (_convert_mirror_pad, [])},
        )


def _convert_mirror_pad(graph, node, name, args):
    """MirrorPad as one Pad, for tf2onnx.

    ONNX has no symmetric mode, for which tf2onnx makes a dozen nodes, some of which no
    GPU has. By one pixel, and no more are padded so here, it is to repeat the edge.
    """
    pads = np.array(node.inputs[1].get_tensor_value(), np.int64)
    mode = node.get_attr("mode").s.decode().lower()
    if mode == "symmetric":
        if pads.max() > 1:
            raise NotImplementedError(f"{name} pads {pads.max()} pixels symmetrically")
        mode = "edge"
    node.type = "Pad"
    node.set_attr("mode", mode)
    pads = graph.make_const(f"{name}_pads", pads.T.flatten()).output[0]
    graph.replace_input(node, node.input[1], pads, 1)


def write_litert(
    graphs: Graphs, folder: pathlib.Path, names: Sequence[str] = Graphs.names
) -> None:
    """step.tflite and so on, each with the signature "serve"."""
    if graphs.size is None:
        raise InputError(
            "size=dynamic: LiteRT runs frames of one size; give it, as in 360x640"
        )
    for name in names:
        (folder / f"{name}.tflite").write_bytes(convert_litert(graphs, name))


def convert_litert(graphs: Graphs, name: str, **settings: typing.Any) -> bytes:
    """Return one function as a `.tflite`.

    Args:
        graphs: Graphs.
        name: Of the function.
        **settings: Attributes of the TFLiteConverter.
    """
    with tempfile.TemporaryDirectory() as saved:
        tf.saved_model.save(tf.Module(), saved, {"serve": graphs.frozen(name)})
        converter = tf.lite.TFLiteConverter.from_saved_model(
            saved, signature_keys=["serve"]
        )
        for key, value in settings.items():
            setattr(converter, key, value)
        return converter.convert()


def _library(module, extra, name=None):
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"{name or module} is not installed; pip install -e '.[{extra}]'"
        ) from error
