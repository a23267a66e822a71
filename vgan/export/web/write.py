"""The page with its networks and styles, as a folder of static files."""

import pathlib
import shutil

import cv2
import numpy as np

from vgan import InputError, pretrained
from vgan.export import formats
from vgan.export.graphs import Graphs
from vgan.export.web import onnxruntime_web
from vgan.runtime.engines.keras_engine import KerasEngine
from vgan.runtime.tiling import TiledEngine
from vgan.video import VideoReader
from vgan.video.resizing import resize

PAGE = pathlib.Path(__file__).with_name("page")
DEMO = pretrained.SAMPLE
DEMO_START = 1.0  # seconds into it, where the pictures of styles are from
THUMBNAIL = 160, 240  # height and width of the pictures of styles
STRIPS = 4  # of the poster, each in a style
SETTLING = 3  # frames until running statistics have


def write_web(graphs: Graphs, folder: pathlib.Path) -> None:
    """Write all but `model.json`, which tells the page sizes and styles.

    Networks are those of ONNX exports: step.onnx, style.onnx and noise.onnx, and
    step_turned.onnx for frames of W x H, such as those of a phone held upright.

    Args:
        graphs: Of one size.
        folder: That is there.

    Raises:
        InputError: The size is not fixed, or onnxruntime-web is not to be had.
    """
    if graphs.size is None:
        raise InputError(
            "size=dynamic: a page paints frames of one size; give it, as in 288x512"
        )
    onnxruntime_web.copy(folder / "ort")
    shutil.copytree(PAGE, folder, dirs_exist_ok=True)
    shutil.copyfile(DEMO, folder / "demo.mp4")
    formats.write_onnx(graphs, folder)
    height, width = graphs.size
    if height != width:
        turned = Graphs(graphs.generator, (width, height))
        formats.write_onnx(turned, folder, ["step"], suffix="_turned")
    _write_pictures(KerasEngine(graphs.generator), graphs.size, folder)


def _write_pictures(engine, size, folder):
    """A frame of the demo in each style, and a poster.

    styles/0.jpg, 1.jpg, ... are in the order of the names, which are what people write
    and may hold what no file or address may.
    """
    (folder / "styles").mkdir()
    with VideoReader(str(DEMO), start=DEMO_START) as reader:
        frame = next(reader)[0]
    painter, small = (
        TiledEngine(engine),
        resize(frame, *_near(THUMBNAIL, engine.stride)),
    )
    codes = list(engine.named_styles.values())
    for index, code in enumerate(codes):
        _write_jpeg(folder / f"styles/{index}.jpg", _painted(painter, small, code))
    _write_jpeg(folder / "poster.jpg", _poster(painter, resize(frame, *size), codes))


def _poster(painter, frame, codes):
    """The frame in strips of some styles."""
    poster = frame.copy()
    codes = codes[:: max(1, round(len(codes) / STRIPS))][:STRIPS]
    edges = np.linspace(0, frame.shape[1], len(codes) + 1).astype(int)
    for code, left, right in zip(codes, edges, edges[1:], strict=False):
        poster[:, left:right] = _painted(painter, frame, code)[:, left:right]
    return poster


def _painted(painter, frame, code):
    state = painter.initial_state(*frame.shape[:2])
    for _ in range(SETTLING):
        result, state = painter.step_pixels(frame, np.float32([code]), state)
    return result


def _write_jpeg(path, picture):
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    path.write_bytes(data)


def _near(sizes, stride):
    return [max(2, round(size / stride)) * stride for size in sizes]
