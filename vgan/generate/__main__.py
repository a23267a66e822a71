r"""Stylise a video, a folder of videos, a camera, a stream or a picture.

python -m vgan.generate --input=in.mp4 --style=painting.jpg --output=out.mp4

The result has the size, the timestamps and the sound of the input. Several styles are
blended: --style=a.jpg:0.7 --style=b.jpg:0.3
"""

import os
import pathlib
import sys
import tempfile

from vgan import InputError, command, pretrained

ENGINES = ("auto", "keras", "openvino", "litert", "onnx")

FLAGS = command.Flags()
FLAGS.DEFINE_string(
    "model",
    None,
    "a generator.keras, what vgan.export made, or a model that ships: painterly (the "
    "default) or painterly_small, which is faster",
)
FLAGS.DEFINE_string(
    "input",
    None,
    "a video, a folder of videos or of numbered pictures, camera:0, rtsp://..., - for "
    "standard input, or a picture",
)
FLAGS.DEFINE_multi_string(
    "style",
    [],
    "a picture, a clip, a folder of pictures, a style that the model knows by name, or "
    "random; with a weight after a colon, and repeated, styles are blended; with a "
    "time, as in a.jpg@4s, they follow one another",
)
FLAGS.DEFINE_string(
    "output",
    None,
    "mp4, webm, mkv, gif, a folder of pictures or of videos; png or jpg of a picture; "
    "rtmp://..., udp://...; /dev/video2, a virtual camera; - for a pipe (y4m)",
)
FLAGS.DEFINE_string("schedule", None, "JSON file of styles over time")
FLAGS.DEFINE_float("fade", None, "seconds from a style to the next (default: 1)")
FLAGS.DEFINE_float(
    "strength", 1.0, "share of the stylised picture over the input's own, 0 to 1"
)
FLAGS.DEFINE_bool("keep_color", False, "keep the colours of the input")
FLAGS.DEFINE_string("mask", None, "picture or video: style where it is white")
FLAGS.DEFINE_bool("mask_invert", False, "style where the mask is black")
FLAGS.DEFINE_float(
    "mask_soft", 0, "blur of the edges of masks, its standard deviation in pixels"
)
FLAGS.DEFINE_string(
    "label_mask",
    None,
    "picture or video of flat colours: the first --style goes to the darkest, and so "
    "on; where there are no more styles, the input stays",
)
FLAGS.DEFINE_bool("compare", False, "show input, style and output side by side")
FLAGS.DEFINE_integer(
    "size",
    None,
    "short side of the result in pixels, also inside the network: smaller is faster; "
    "sides are rounded to even numbers (default: the size of the input)",
)
FLAGS.DEFINE_float(
    "proxy",
    None,
    "the network works at this fraction of the size: less is faster, with larger "
    "strokes (default: 1; where the short side is over 320 pixels, 288 / short side)",
)
FLAGS.DEFINE_enum("engine", "auto", ENGINES, "what runs the network")
FLAGS.DEFINE_float("fps", None, "frames per second to resample to (default: all)")
FLAGS.DEFINE_integer("seed", 0, "which random style")
FLAGS.DEFINE_bool(
    "preview",
    False,
    "show a window, in real time also of a file; keys choose a style, h helps; "
    "with --output all is recorded until r is pressed, without sound",
)
FLAGS.DEFINE_bool("live", False, "play a file in real time, as if it were a camera")
FLAGS.DEFINE_bool(
    "resume",
    False,
    "keep what is finished when stopped, in pieces of 100 frames, and go on from there "
    "(folders always do)",
)
FLAGS.DEFINE_float(
    "quality",
    None,
    "of H.264 and VP9: 0, the best, to 51; files of 18 are half as large as by default",
)
FLAGS.DEFINE_bool("overwrite", False, "replace an output that exists")


def main(_):
    """Check what is cheap to check, then stylise."""
    _check_flags()
    FLAGS.model = pretrained.find(FLAGS.model or str(pretrained.PAINTERLY))
    from vgan.generate.job import Job
    from vgan.runtime import engines

    names = [field for field in Job.__dataclass_fields__ if field in FLAGS]
    job = Job(**{name: FLAGS[name].value for name in names})
    engines.describe(FLAGS.model)
    if engines.resolve(FLAGS.model, FLAGS.engine) == "keras":
        job.read()  # what is wrong with styles is said before the seconds of this
        command.import_keras()
    from vgan import video
    from vgan.generate import convert

    if video.is_image(FLAGS.input):
        _refuse("a picture", "preview", "live", "resume", "fps")
        _stylise_picture(job)
    elif FLAGS.input != "-" and convert.is_folder_of_videos(FLAGS.input):
        _refuse("a folder of videos", "preview", "live")
        if FLAGS.output == "-" or "://" in FLAGS.output:
            raise InputError(f"--output={FLAGS.output}: give a folder for a folder")
        convert.convert_folder(
            *(job, FLAGS.input, FLAGS.output, FLAGS.fps, FLAGS.overwrite),
            *(FLAGS.quality, _say),
        )
    else:
        _stylise_video(job)


def _check_flags():
    for name, example in (
        ("input", "in.mp4"),
        ("output", "out.mp4"),
    ):
        if not FLAGS[name].value and not (name == "output" and FLAGS.preview):
            raise InputError(f"--{name}: is missing; give one, such as {example}")
    for name, low, high, what in (
        ("strength", 0, 1, "a number from 0 to 1"),
        ("seed", 0, float("inf"), "0 or more"),
        ("fps", 1e-3, 1000, "0.001 to 1000 frames per second"),
        ("size", 16, 8192, "16 to 8192 pixels"),
        ("proxy", 0.1, 1, "0.1 to 1"),
        ("fade", 0, 1e6, "0 or more seconds"),
        ("mask_soft", 0, 1000, "0 to 1000 pixels"),
        ("quality", 0, 51, "0 to 51"),
    ):
        value = FLAGS[name].value
        if value is not None and not low <= value <= high:
            raise InputError(f"--{name}={value}: give {what}")
    for name in ("model", "mask", "label_mask", "schedule"):
        if FLAGS[name].value == "":
            raise InputError(f"--{name}: is empty; give a file, or leave it out")
    if FLAGS.mask_invert and not FLAGS.mask:
        raise InputError("--mask_invert: give --mask too")


def _refuse(what, *names):
    for name in names:
        if FLAGS[name].value:
            raise InputError(f"--{name}: does not go with {what}; leave it out")


def _say(line):
    """To the user, but never into a pipe of frames."""
    file = sys.stderr if FLAGS.output == "-" else sys.stdout
    print(command.with_flags(line, FLAGS), file=file, flush=True)


def _stylise_video(job):
    from vgan.generate import convert
    from vgan.video import VideoReader, is_image

    if FLAGS.output and is_image(FLAGS.output):
        raise InputError(
            f"--output={FLAGS.output}: a video becomes a video; "
            "give .mp4, .webm, .mkv, .gif or a folder"
        )
    with VideoReader(FLAGS.input, fps=FLAGS.fps) as reader:
        if FLAGS.live or FLAGS.preview or reader.is_live:
            _refuse("live video", "resume")
            from vgan.generate.live import Broadcaster

            broadcaster = Broadcaster(job)
            broadcaster.run(
                *(reader, FLAGS.output, FLAGS.preview, FLAGS.overwrite), FLAGS.quality
            )
            _say(f"{FLAGS.output or 'preview'}: {broadcaster.summary()}")
            return
        result = convert.convert(
            *(job, reader, FLAGS.output, FLAGS.overwrite, FLAGS.resume),
            FLAGS.quality,
        )
    _say(str(result))


def _stylise_picture(job):
    from PIL import Image

    from vgan.generate.job import Size
    from vgan.video import is_image, read_image

    output = pathlib.Path(FLAGS.output)
    if not is_image(output):
        raise InputError(f"--output={output}: a picture becomes a .png or .jpg")
    if output.exists() and not FLAGS.overwrite:
        raise InputError(f"{output}: exists; give another name or --overwrite")
    if output.exists() and output.samefile(FLAGS.input):
        raise InputError(f"{output}: is the input itself; give another output")
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise InputError(f"{output}: cannot be written; give another folder")
    frame = job.resized(read_image(FLAGS.input))
    with job.look(job.read(), Size(*frame.shape[:2])) as look:
        frame = look(frame, 0)
    try:
        # Beside the target and renamed at the end: there never is half a picture.
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".") as folder:
            Image.fromarray(frame).save(f"{folder}/{output.name}", quality=95)
            os.replace(f"{folder}/{output.name}", output)
    except OSError as error:
        raise InputError(
            f"{output}: cannot be written ({error.strerror or error}); "
            "free space on the disk or give another folder"
        ) from error
    print(f"{output}: {frame.shape[1]} x {frame.shape[0]}")


if __name__ == "__main__":
    command.run(main, FLAGS)
