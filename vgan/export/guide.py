"""The README of an export: how to run it in ten lines, right and wrong."""

import pathlib

from vgan.export import game_engines
from vgan.runtime.engines.exported import Manifest

_RUN = {
    "openvino": """\
import numpy as np, openvino
model = openvino.Core().read_model("step.xml")
names = [port.get_any_name() for port in model.outputs]
# Fixed sizes run faster.
model.reshape({SHAPES})
request = openvino.compile_model(model, "CPU").create_infer_request()

def step(inputs):
    return dict(zip(names, request.infer(inputs).values()))
""",
    "onnx": """\
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession("step.onnx")
names = [output.name for output in session.get_outputs()]

def step(inputs):
    return dict(zip(names, session.run(None, inputs)))
""",
    "litert": """\
import numpy as np
from ai_edge_litert.interpreter import Interpreter
# Feed by name: LiteRT sorts its inputs.
run = Interpreter("step.tflite").get_signature_runner("serve")

def step(inputs):
    return {name: np.array(value) for name, value in run(**inputs).items()}
""",
    "tf_saved_model": """\
import numpy as np, tensorflow as tf
signatures = tf.saved_model.load(".").signatures

def step(inputs):
    outputs = signatures["step"](**{k: tf.constant(v) for k, v in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}
""",
}

_PAGE = """\
# A vgan generator for {format}

| function | takes, float32 | gives |
| --- | --- | --- |
| step | {step} | {new} |
| style | {style} | {style_code} |
| noise | {noise} | {style_code} |

H and W of frames are multiples of {stride}{size}. Bring pictures of styles to a short
side of {style_size}, sides to multiples of 16, and encode them once for all frames.
The `code` of a style that the model knows by name:
`np.float32([json.load(open("model.json"))["model"]["named_styles"]["..."]])`.

## The loop

With `frames`, `code` and `show` of yours:

```python
H, W = {height}, {width}
{run}
# The state before the first frame, and at every cut to another scene: zeros.
state = {{
{state}}}
for frame in frames:  # uint8 RGB [H, W, 3]
    content = frame[None] / np.float32(127.5) - np.float32(1)
    outputs = step({{"frame": content, "code": code, **state}})
    state = {{name: outputs[f"new_{{name}}"] for name in state}}  # right: carried along
    show(np.clip(outputs["stylised"][0] * 127.5 + 127.5, 0, 255).astype(np.uint8))
```

Wrong: to pass the first state again at every frame. It runs, and the result flickers.
Wrong: to carry a state over to another video, or to frames of another size.
"""

_GAMES = """
## In Unity and Unreal

`Stylizer.cs` (Unity's Sentis 2) and `Stylizer.h` (Unreal's NNE) hold this loop, with
the names and shapes of this export. They are tested by ONNX Runtime in their order of
calls, not inside these engines.
"""


def write(manifest: Manifest, folder: str | pathlib.Path) -> None:
    """Write README.md into the folder of an export."""
    height, width = manifest.size or ("H", "W")

    def shape(sizes):
        near = [f"{side}/{manifest.model.stride}" for side in "HW"]
        return [size or near[axis - 1] for axis, size in enumerate(sizes)]

    tensors = {
        "frame": [1, height, width, 3],
        "code": [1, manifest.model.code_size],
        **{name: shape(sizes) for name, sizes in manifest.state.items()},
    }
    state = "".join(
        f'    "{name}": np.zeros({_code(tensors[name])}, np.float32),\n'
        for name in manifest.state
    )
    outputs = {
        "stylised": tensors["frame"],
        **{f"new_{name}": tensors[name] for name in manifest.state},
    }
    shapes = ",\n    ".join(
        f'"{name}": {_code(sizes)}' for name, sizes in tensors.items()
    )
    page = _PAGE.format(
        format=manifest.format,
        step=_listed(tensors),
        new=_listed(outputs),
        style_size=manifest.model.style_size,
        style="`pictures` [T', h, w, 3] in [-1, 1] of one style",
        noise=f"`noise` [1, {manifest.model.noise_size}], standard normal",
        style_code=f"`code` [1, {manifest.model.code_size}]",
        stride=manifest.model.stride,
        size=f"; this export takes {height} x {width} only" if manifest.size else "",
        run=_RUN[manifest.format].replace("{SHAPES}", f"{{\n    {shapes},\n}}"),
        state=state,
        height=manifest.size[0] if manifest.size else "frames[0].shape[0]",
        width=manifest.size[1] if manifest.size else "frames[0].shape[1]",
    )
    if manifest.format == "onnx" and manifest.size and not manifest.int8:
        game_engines.write(manifest, folder)
        page += _GAMES
    pathlib.Path(folder, "README.md").write_text(page)


def _listed(tensors):
    return ", ".join(f"`{name}` {_plain(shape)}" for name, shape in tensors.items())


def _plain(shape):
    return f"[{', '.join(map(str, shape))}]"


def _code(shape):
    return _plain(shape).replace("/", " // ")
