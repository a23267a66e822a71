"""What the samples for game engines do, done by ONNX Runtime in their order."""

import re

import numpy as np

# Of what Sentis supports on all its backends ("Supported ONNX operators" in the manual
# of com.unity.ai.inference), what is used. Look there before adding one.
SENTIS = """
Abs Add Cast Concat Conv DepthToSpace Div Exp Gather Gemm GlobalAveragePool Greater
LeakyRelu Log MatMul Max MaxPool Min Mul Neg Not Pad Reciprocal ReduceMax ReduceMean
ReduceSum Relu Reshape Shape Sigmoid Slice SpaceToDepth Split Sqrt Squeeze Sub Tanh Tile
Transpose Unsqueeze
"""


def check(folder, keras_engine):
    """Both samples of an export of one size paint as Keras does."""
    import onnx

    for path in folder.glob("*.onnx"):
        graph = onnx.load(path)
        assert {node.op_type for node in graph.graph.node} <= {*SENTIS.split()}
        assert {one.version for one in graph.opset_import if not one.domain} == {15}
    height, width = 32, 48
    random = np.random.default_rng(0)
    frames = random.uniform(-1, 1, (4, height, width, 3)).astype(np.float32)
    painting = random.uniform(-1, 1, (1, 1, 32, 48, 3)).astype(np.float32)
    code = keras_engine.encode_style(painting)
    state, wanted = keras_engine.initial_state(height, width), []
    for frame in frames:
        painted, state = keras_engine.step(frame[None, None], code, state)
        wanted.append(painted[0, 0].ravel())
    for sample in unity, unreal:
        found_code, found = sample(folder, painting[0], frames)
        np.testing.assert_allclose(found_code, code[0], atol=1e-3)
        np.testing.assert_allclose(found, wanted, atol=1e-3)


def session(folder, name):
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / f"{name}.onnx")
    return session, [output.name for output in session.get_outputs()]


def unity(folder, pictures, frames):
    """By name: each input of SetInput, each output of CopyOutput and PeekOutput."""
    text = (folder / "Stylizer.cs").read_text()
    names, shapes = unity_state(text)
    pictures_name, *inputs = re.findall(r'SetInput\("(\w+)"', text)
    code_name, output = re.findall(r'PeekOutput\("(\w+)"', text)
    (prefix,) = re.findall(r'CopyOutput\("(\w+)" \+ Names\[i\]', text)
    step, _ = session(folder, "step")
    style, _ = session(folder, "style")
    (code,) = style.run([code_name], {pictures_name: pictures})
    (size,) = re.findall(r"TensorShape\(1, (\d+)\), code\)", text)
    assert code.shape == (1, int(size))
    state, painted = [np.zeros(shape, np.float32) for shape in shapes], []
    for frame in frames:
        given = dict(zip(names, state, strict=True))
        given |= dict(zip(inputs, (frame[None], code), strict=True))
        assert set(given) == {one.name for one in step.get_inputs()}
        copied = [prefix + name for name in names]
        *state, picture = step.run([*copied, output], given)
        painted.append(picture.ravel())
    return code[0], painted


def unity_state(text):
    """Names and shapes of the state in Stylizer.cs."""
    (names,) = re.findall(r"Names = \{ (.+?) \};", text)
    (shapes,) = re.findall(r"Shapes =\s+\{(.+?)\};", text, re.DOTALL)
    shapes = re.findall(r"TensorShape\((.+?)\)", shapes)
    names = re.findall(r'"(\w+)"', names)
    return names, [tuple(map(int, shape.split(","))) for shape in shapes]


def unreal(folder, pictures, frames):
    """By place: arrays in the order of the file's inputs and outputs, made flat."""
    text = (folder / "Stylizer.h").read_text()
    names = unreal_state(text)
    (prefix,) = re.findall(r'FString\(TEXT\("(\w+)"\)\) \+ Name', text)
    (output,) = re.findall(r'Rgb = Network\.Out\[TEXT\("(\w+)"\)\]', text)
    frame_name, *rest = re.findall(r'In\[TEXT\("(\w+)"\)\] = Rgb', text)[::-1]
    (code_name,) = re.findall(r'In\[TEXT\("(\w+)"\)\] = Code', text)
    (encoded,) = re.findall(
        r'Network\.Run\(\) \? Network\.Out\[TEXT\("(\w+)"\)\]', text
    )
    style, outputs = session(folder, "style")
    assert [one.name for one in style.get_inputs()] == rest
    code = dict(zip(outputs, style.run(None, {rest[0]: pictures}), strict=True))[
        encoded
    ]
    step, outputs = session(folder, "step")
    shapes = {one.name: one.shape for one in step.get_inputs()}
    into = {name: np.zeros(np.prod(shape)) for name, shape in shapes.items()}
    out = {prefix + name: into[name] for name in names} | {output: None}
    assert set(out) == set(outputs)
    into[code_name], painted = code.ravel(), []
    for frame in frames:
        into[frame_name] = frame.ravel()
        given = {n: np.float32(into[n]).reshape(shape) for n, shape in shapes.items()}
        found = dict(zip(outputs, step.run(None, given), strict=True))
        into |= {name: found[prefix + name].ravel() for name in names}
        painted.append(found[output].ravel())
    return code[0], painted


def unreal_state(text):
    """Names of the state in Stylizer.h."""
    (names,) = re.findall(r"Names\[\] = \{ (.+?) \};", text)
    return re.findall(r'TEXT\("(\w+)"\)', names)
