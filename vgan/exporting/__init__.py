"""A trained generator as files that run without Keras: OpenVINO, ONNX, LiteRT, ...

    export("runs/quickstart/generator.keras", "stylise.openvino", "openvino")

makes a folder that `vgan.runtime.engines` loads, and whose README shows others how.
"""

from vgan.exporting.export import FORMATS, export

__all__ = ["FORMATS", "export"]
