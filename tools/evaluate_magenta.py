r"""Measure Magenta's arbitrary stylizer, alone or beside a model, in the same way.

python -m tools.evaluate_magenta --predict style_predict.tflite \
    --transfer style_transfer.tflite --model painterly --baseline identity \
    --content clips/ --styles paintings/ --output report/

All flags of `vgan.evaluate`; Magenta's row is called magenta. The pair of LiteRT files
(Ghiasi et al., 2017, Apache-2.0) is not part of this project. Its transfer network
gives 384 x 384 whatever it is fed: frames are stretched to what it takes, and its
results back. Style pictures are cropped to the middle square, as its example does. It
was trained with a VGG-16: a judge of that family flatters it.
"""

import functools
import pathlib

import numpy as np

from vgan import InputError, command
from vgan.evaluate import __main__ as evaluate

FLAGS = command.Flags()
FLAGS.DEFINE_string("predict", None, "style picture -> 100 numbers, a .tflite")
FLAGS.DEFINE_string("transfer", None, "content and those numbers -> result, a .tflite")
FLAGS.DEFINE_integer("threads", 2, "threads that each network takes", lower_bound=1)


class Network:
    """A LiteRT file: float32 arrays in and out.

    Args:
        path: The .tflite.
        flag: What the user calls it, for messages.
        num_inputs: How many inputs it must have.

    Raises:
        InputError: It cannot be read, or is another network.
    """

    def __init__(self, path, flag, num_inputs):
        from ai_edge_litert.interpreter import Interpreter

        if not path or not pathlib.Path(path).is_file():
            raise InputError(f"--{flag}={path or ''}: there is no such file")
        try:
            self._interpreter = Interpreter(str(path), num_threads=FLAGS.threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InputError(f"--{flag}={path}: is no LiteRT model") from error
        inputs = self._interpreter.get_input_details()
        pictures = [each for each in inputs if tuple(each["shape"][3:]) == (3,)]
        if len(inputs) != num_inputs or len(pictures) != 1:
            raise InputError(f"--{flag}={path}: is another network than Magenta's")
        self._picture = pictures[0]["index"]
        self._codes = [e["index"] for e in inputs if e["index"] != self._picture]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self.size = tuple(int(side) for side in pictures[0]["shape"][1:3])

    def __call__(self, picture, *codes):
        """Picture uint8 RGB [h, w, 3] of `size`, codes [1, 1, 1, 100] -> the output."""
        picture = np.float32(picture)[None] / 255
        self._interpreter.set_tensor(self._picture, picture)
        for index, code in zip(self._codes, codes, strict=True):
            self._interpreter.set_tensor(index, code)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)


class Magenta:
    """A system of `vgan.evaluate.systems`.

    Args:
        styles: {name: path of a picture or clip}; of a clip, the first frame counts.
    """

    names = any_frame = ("magenta",)
    engine = None

    def __init__(self, styles):
        from vgan.evaluate import sources
        from vgan.video.resizing import resize

        self.files = (FLAGS.predict, FLAGS.transfer)
        predict = Network(FLAGS.predict, "predict", num_inputs=1)
        self._transfer = Network(FLAGS.transfer, "transfer", num_inputs=2)
        self._codes = {
            name: predict(resize(square(sources.style_frames(path)[0]), *predict.size))
            for name, path in styles.items()
        }

    def method(self, name, style, limit=None):
        """Return the Method of one result."""
        del name, limit
        from vgan.evaluate.systems import Painted

        return Painted(functools.partial(self._paint, code=self._codes[style]))

    def _paint(self, frame, code):
        from vgan.video.resizing import resize

        small = resize(frame, *self._transfer.size)
        result = self._transfer(small, code)[0]
        result = np.uint8(np.clip(result * 255, 0, 255).round())
        return resize(result, *frame.shape[:2])


def square(picture):
    """The middle square of a picture [h, w, C]."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


if __name__ == "__main__":
    command.run(functools.partial(evaluate.main, rival=Magenta), FLAGS, evaluate.FLAGS)
