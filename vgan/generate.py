r"""Stylise a video, a folder of pictures, a camera, a stream or a picture.

python -m vgan.generate --model=runs/quickstart/generator.keras --input=in.mp4 \
    --style=painting.jpg --output=out.mp4

The result has the size, the timestamps and the sound of the input. Several styles are
blended: --style=a.jpg:0.7 --style=b.jpg:0.3
"""

import os
import pathlib
import tempfile
import time

from absl import flags

from vgan import InputError, command

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "the generator.keras of a run")
flags.DEFINE_string(
    "input",
    None,
    "a video, a folder of numbered pictures, camera:0, rtsp://..., or a picture",
)
flags.DEFINE_multi_string(
    "style",
    [],
    "a picture, a clip, a folder of pictures, a style that the model knows by name, or "
    "random; with a weight after a colon, and repeated, styles are blended",
)
flags.DEFINE_string(
    "output", None, "mp4, webm, mkv, gif, a folder of pictures; png or jpg of a picture"
)
flags.DEFINE_float(
    "strength", 1.0, "share of the stylised picture over the input's own, 0 to 1"
)
flags.DEFINE_integer(
    "size",
    None,
    "short side of the result in pixels, also inside the network: smaller is faster; "
    "sides are rounded to even numbers (default: the size of the input)",
)
flags.DEFINE_float("fps", None, "frames per second to resample to (default: all)")
flags.DEFINE_integer("seed", 0, "which random style")
flags.DEFINE_bool("overwrite", False, "replace an output that exists")


def main(_):
    """Check what is cheap to check, load the model, stylise."""
    _check_flags()
    from vgan import video
    from vgan.runtime import engines, styles

    model = engines.describe(FLAGS.model)
    wanted = styles.read([text for text in FLAGS.style if text], model, FLAGS.seed)

    def stylizer():
        from vgan.runtime import Stylizer

        command.import_keras()
        engine = engines.load(FLAGS.model)
        return Stylizer(engine, styles.encode(wanted, engine), FLAGS.strength)

    if video.is_image(FLAGS.input):
        _stylise_picture(stylizer)
    else:
        _stylise_video(stylizer)


def _check_flags():
    for name, example in (
        ("model", "runs/quickstart/generator.keras"),
        ("input", "in.mp4"),
        ("output", "out.mp4"),
    ):
        if not FLAGS[name].value:
            raise InputError(f"--{name}: is missing; give one, such as {example}")
    if not 0 <= FLAGS.strength <= 1:
        raise InputError(f"--strength={FLAGS.strength}: give a number from 0 to 1")
    if FLAGS.seed < 0:
        raise InputError(f"--seed={FLAGS.seed}: give 0 or more")
    if FLAGS.fps is not None and not 1e-3 <= FLAGS.fps <= 1000:
        raise InputError(f"--fps={FLAGS.fps}: give 0.001 to 1000 frames per second")
    if FLAGS.size is not None and not 16 <= FLAGS.size <= 8192:
        raise InputError(f"--size={FLAGS.size}: give 16 to 8192 pixels")


def _stylise_video(make_stylizer):
    import tqdm

    from vgan.video import VideoReader, VideoWriter, is_image

    if is_image(FLAGS.output):
        raise InputError(
            f"--output={FLAGS.output}: a video becomes a video; "
            "give .mp4, .webm, .mkv, .gif or a folder"
        )
    with (
        VideoReader(FLAGS.input, fps=FLAGS.fps) as reader,
        VideoWriter(FLAGS.output, like=reader, overwrite=FLAGS.overwrite) as writer,
    ):
        stylizer = make_stylizer()
        began = time.monotonic()
        with tqdm.tqdm(total=reader.num_frames, unit="frame") as bar:
            try:
                for frame, timestamp in reader:
                    writer.write(stylizer(_resize(frame)), timestamp)
                    bar.update()
            except KeyboardInterrupt:
                if not reader.is_live:
                    raise  # a live source has no other end
        seconds = time.monotonic() - began
    print(f"{FLAGS.output}: {bar.n} frames, {bar.n / seconds:.1f} frames/s")


def _stylise_picture(make_stylizer):
    from PIL import Image

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
    frame = _resize(read_image(FLAGS.input))
    frame = make_stylizer()(frame)
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


def _resize(frame):
    if FLAGS.size is None:
        return frame
    import cv2

    scale = FLAGS.size / min(frame.shape[:2])
    height, width = (max(2, 2 * round(n * scale / 2)) for n in frame.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(frame, (width, height), interpolation=method)


if __name__ == "__main__":
    command.run(main)
