"""A trained generator as files that run without Keras: OpenVINO, ONNX, LiteRT, ..."""
