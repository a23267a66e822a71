r"""Frames per second from file to file, ours beside other networks on the same film.

python -m tools.compare_speed --input film.mp4 --size 360 --size 720 \
    --model painterly --model painterly_small \
    --predict style_predict.tflite --transfer style_transfer.tflite

All go through the package's own reader, queue and writer, sound included. The others
run as their authors give them:

* magenta (Ghiasi et al., 2017): a pair of LiteRT files, in LiteRT, at 384 x 384.
* fast_neural_style (Johnson et al., 2016; instance norm: Ulyanov et al., 2016): one
  network per style, in ONNX Runtime, at the size of the film; made here with random
  weights, for its speed does not depend on them.

They take turns; the table gives the median of the rounds.
"""

import contextlib
import dataclasses
import pathlib
import statistics
import sys
import tempfile
import types
from collections.abc import Callable, Iterator

import numpy as np

from tools import evaluate_magenta
from vgan import InputError, command
from vgan.generate.convert import convert
from vgan.generate.options import StylizeOptions
from vgan.video import VideoReader
from vgan.video.resizing import resize

FLAGS = evaluate_magenta.FLAGS
FLAGS.DEFINE_string("input", None, "a film")
FLAGS.DEFINE_multi_integer("size", [360, 720], "short side that it is brought to")
FLAGS.DEFINE_multi_string("model", ["painterly", "painterly_small"], "ours")
FLAGS.DEFINE_integer("rounds", 5, "times that each is run", lower_bound=1)


class Process:
    """What `convert` takes: frames uint8 RGB [H, W, 3] in and out."""

    def __init__(self, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self._function = function

    def prepare(self, frame: np.ndarray, timestamp: object) -> types.SimpleNamespace:
        """Take a frame."""
        return types.SimpleNamespace(frame=np.asarray(frame), timestamp=timestamp)

    def paint(self, job: types.SimpleNamespace) -> types.SimpleNamespace:
        """Stylize it."""
        job.frame = self._function(job.frame)
        return job

    def finish(self, job: types.SimpleNamespace) -> np.ndarray:
        """Give it back."""
        return job.frame

    def warm_up(self, height: int, width: int) -> None:
        """Run it once on a frame of that size."""
        self._function(np.zeros((height, width, 3), np.uint8))


@dataclasses.dataclass(frozen=True)
class Other(StylizeOptions):
    """StylizeOptions for a network that is not ours."""

    function: Callable[[np.ndarray], np.ndarray] | None = None

    def read(self) -> None:
        """Nothing is read."""

    @contextlib.contextmanager
    def processor(self, like: object, **_: object) -> Iterator[Process]:
        """The network as it is."""
        yield Process(self.function)


def magenta() -> Callable[[np.ndarray], np.ndarray]:
    """Magenta's transfer network in the code of a gray picture."""
    predict = evaluate_magenta.Network(FLAGS.predict, "predict", num_inputs=1)
    transfer = evaluate_magenta.Network(FLAGS.transfer, "transfer", num_inputs=2)
    code = predict(np.full((*predict.size, 3), 128, np.uint8))

    def paint(frame):
        result = transfer(resize(frame, *transfer.size), code)[0]
        result = np.uint8(np.clip(result * 255, 0, 255))
        return resize(result, *frame.shape[:2])

    return paint


def fast_neural_style() -> Callable[[np.ndarray], np.ndarray]:
    """The network of Johnson et al. with instance norm, of random weights."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = FLAGS.threads
    session = onnxruntime.InferenceSession(
        _johnson(), options, providers=["CPUExecutionProvider"]
    )

    def paint(frame):
        frame = frame.transpose(2, 0, 1)[None].astype(np.float32)
        (result,) = session.run(None, {"x": frame})
        return np.uint8(np.clip(result[0], 0, 255)).transpose(1, 2, 0)

    return paint


def _johnson() -> bytes:
    """9 x 9, two convolutions down, five residual blocks of 128, two up, 9 x 9."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    nodes, weights, last = [], [], ["x"]

    def add(kind, *inputs, **attributes):
        name = f"t{len(nodes)}"
        nodes.append(helper.make_node(kind, [last[0], *inputs], [name], **attributes))
        last[0] = name

    def constant(value):
        name = f"w{len(weights)}"
        weights.append(numpy_helper.from_array(value, name))
        return name

    def conv(before, after, size, stride=1, norm=True, relu=True):
        edge = size // 2
        pads = np.int64([0, 0, edge, edge, 0, 0, edge, edge])
        add("Pad", constant(pads), mode="reflect")
        kernel = rng.normal(
            0, (before * size * size) ** -0.5, (after, before, size, size)
        )
        add("Conv", constant(np.float32(kernel)), strides=[stride, stride])
        if norm:
            ones = constant(np.ones(after, np.float32))
            add("InstanceNormalization", ones, constant(np.zeros(after, np.float32)))
        if relu:
            add("Relu")

    def enlarge():
        scales = constant(np.float32([1, 1, 2, 2]))
        add("Resize", "", scales, mode="nearest")

    conv(3, 32, 9)
    conv(32, 64, 3, stride=2)
    conv(64, 128, 3, stride=2)
    for _ in range(5):
        skipped = last[0]
        conv(128, 128, 3)
        conv(128, 128, 3, relu=False)
        add("Add", skipped)
    enlarge()
    conv(128, 64, 3)
    enlarge()
    conv(64, 32, 3)
    conv(32, 3, 9, norm=False, relu=False)
    add("Identity")
    any_size = [1, 3, "height", "width"]
    graph = helper.make_graph(
        *(nodes, "johnson"),
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, any_size)],
        [helper.make_tensor_value_info(last[0], TensorProto.FLOAT, any_size)],
        weights,
    )
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(
        graph, opset_imports=opset, ir_version=8
    ).SerializeToString()


def main(argv: list[str]) -> None:
    """Print the table."""
    del argv
    if not FLAGS.input:
        raise InputError("--input: give a film")
    others = {"magenta": magenta(), "fast_neural_style": fast_neural_style()}
    print("| size | system | frames/s | processor time | first of ours over it |")
    print("| --- | --- | --- | --- | --- |")
    for size in FLAGS.size:
        systems = {
            name: StylizeOptions(name, size=size, style=("irises",))
            for name in FLAGS.model
        }
        for name, function in others.items():
            systems[name] = Other(name, size=size, function=function)
        runs = {name: [] for name in systems}
        for _ in range(FLAGS.rounds):
            for name, options in systems.items():
                runs[name].append(_run(options))
        speeds = {n: statistics.median(fps for fps, _ in r) for n, r in runs.items()}
        for name, each in runs.items():
            cpu = statistics.median(ms for _, ms in each)
            ratio = speeds[FLAGS.model[0]] / speeds[name]
            print(
                f"| {size} | {name} | {speeds[name]:.1f} | {cpu:.0f} ms | {ratio:.1f} |"
            )
            sys.stdout.flush()


def _run(options):
    """(frames/s, ms of processor time per frame) from file to file."""
    with tempfile.TemporaryDirectory() as folder, VideoReader(FLAGS.input) as reader:
        output = pathlib.Path(folder, "out.mp4")
        result = convert(options, reader, output, show="none")
    frames = result.num_frames
    return frames / result.seconds, 1000 * result.cpu_seconds / frames


if __name__ == "__main__":
    command.run(main, FLAGS)
