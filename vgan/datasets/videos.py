"""A short clip out of a video file, without a scene cut in it."""

import contextlib
import functools
import math
import pathlib
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from vgan import InputError, video
from vgan.datasets import motion, stills
from vgan.video import cuts, flow
from vgan.video.resizing import resize

PATIENCE = 4  # a cut-free span is sought within this many times the clip's length


def clip_of_video(
    path: str | pathlib.Path,
    rng: np.random.Generator,
    num_frames: int,
    size: int,
    fps: float,
    training: bool,
    estimate_flow: bool = False,
) -> motion.Clip:
    """Cut a square clip out of a video.

    Args:
        path: The file.
        rng: A numpy Generator; it decides when the clip starts.
        num_frames: T.
        size: Height and width of the clip in pixels.
        fps: Frames per second; the video is resampled.
        training: Whether the crop's size and place are random; else it is the
            center, as large as fits.
        estimate_flow: See `with_flow`.

    Returns:
        A motion.Clip. A scene shorter than the clip is played to and fro.

    Raises:
        InputError: The file cannot be read or decoded, or its picture is too small.
    """
    (frames,) = cut([path], rng, num_frames, size, fps, training)
    return with_flow(frames, estimate_flow)


def with_flow(frames: np.ndarray, estimate: bool) -> motion.Clip:
    """Return the motion.Clip of frames that nothing else is known of.

    Args:
        frames: uint8 [T, H, W, 3].
        estimate: Whether to estimate how they move (Kroeger et al., 2016). If not,
            or under 16 pixels, flow is 0 and occlusion 1 everywhere.
    """
    steps, (height, width) = len(frames) - 1, frames.shape[1:3]
    moves = np.zeros((steps, height, width, 2), np.float32)
    occlusion = np.ones((steps, height, width, 1), np.uint8)
    if estimate and min(height, width) >= flow.SMALLEST_SIDE:
        for t in range(steps):
            moves[t] = flow.estimate_flow(frames[t + 1], frames[t])
            forward = flow.estimate_flow(frames[t], frames[t + 1])
            occlusion[t, ..., 0] = ~flow.flow_holds(moves[t], forward)
    return motion.Clip(frames, moves, occlusion)


def cut(
    paths: Sequence[str | pathlib.Path],
    rng: np.random.Generator,
    num_frames: int,
    size: int,
    fps: float,
    training: bool,
) -> np.ndarray:
    """Cut the same square out of the same moments of videos that differ in look only.

    Args:
        paths: Files of one length, and one shape in any size. The first of them
            decides where a scene is cut.
        rng: A numpy Generator, for `training` and when the clip starts.
        num_frames: T.
        size: Height and width of the clip in pixels.
        fps: Frames per second.
        training: Whether the crop is random.

    Returns:
        uint8 [len(paths), T, size, size, 3].

    Raises:
        InputError: As in `clip_of_video`.
    """
    path = paths[0]
    height, width, _ = measures(path)
    stills.check_size(path, height, width, size)
    start = draw_start(path, rng, num_frames, fps)
    if len(paths) > 1:
        start = _on_grid(start, fps)
    side, place = min(height, width), np.array([0.5, 0.5])
    if training:
        part = rng.uniform(max(0.6, min(1.0, size / side)), 1.0)
        side, place = round(part * side), rng.random(2)
    # Even: then the window has the same place in color as in brightness.
    side -= side % 2
    x, y = (np.rint(place * (width - side, height - side) / 2) * 2).astype(int)
    look = {
        "size": (size, size),
        "window": (x / width, y / height, side / width, side / height),
    }
    if any(measures(other)[:2] != (height, width) for other in paths):
        # Even pixels of one are no pixels of the other: all in one size, then the cut.
        look = {"size": (height, width)}

    def window(frame):
        if frame.shape[:2] == (size, size):
            return frame
        return resize(frame[y : y + side, x : x + side], size, size)

    with contextlib.ExitStack() as stack:
        readers = _open(paths, fps, start, look, stack)
        moments = zip(*readers, strict=False)
        moments = ([window(frame) for frame, _ in moment] for moment in moments)
        scene = longest_scene(moments, num_frames)
    index = np.pad(np.arange(len(scene)), (0, num_frames - len(scene)), mode="reflect")
    return np.stack(scene, axis=1)[:, index]


def draw_start(
    path: str | pathlib.Path, rng: np.random.Generator, num_frames: int, fps: float
) -> float:
    """Draw the second at which a clip of a video begins."""
    duration = measures(path)[2]
    return rng.uniform(0, max(0.0, duration - num_frames / fps))


@functools.lru_cache(maxsize=2**16)
def measures(path: str | pathlib.Path) -> tuple[int, int, float]:
    """Height, width and seconds (0 if unknown) of a video.

    Kept, as each opening decodes a frame.

    Raises:
        InputError: The file cannot be read or decoded.
    """
    with video.VideoReader(path) as reader:
        return reader.height, reader.width, float(reader.duration or 0)


def _on_grid(start, fps):
    """The last k / fps, exactly: there, two files of one video show the same frame."""
    fps = Fraction(fps).limit_denominator(100_000)
    return math.floor(start * fps) / fps


def _open(paths, fps, start, look, stack):
    """Readers of all files from the same second on."""
    try:
        with contextlib.ExitStack() as attempt:
            readers = [
                attempt.enter_context(video.VideoReader(path, fps, start, **look))
                for path in paths
            ]
            stack.push(attempt.pop_all())
    except InputError:  # shorter than its header says, or it cannot seek
        readers = [
            stack.enter_context(video.VideoReader(path, fps, **look)) for path in paths
        ]
    return readers


def longest_scene(
    moments: Iterator[list[np.ndarray]], num_frames: int
) -> list[list[np.ndarray]]:
    """The first cut-free run of `num_frames`, or else the longest one near.

    Args:
        moments: Iterator of lists of frames that are shown at once; the first of them
            says where a scene is cut.
        num_frames: T.

    Returns:
        List of at most T of these lists.
    """
    best, scene, last = [], [], None
    for count, moment in enumerate(moments, start=1):
        thumbnail = cuts.thumbnail(moment[0])
        if last is not None and cuts.is_cut(last, thumbnail):
            scene = []
        scene, last = [*scene, moment], thumbnail
        best = max(best, scene, key=len)
        if len(best) == num_frames or count == PATIENCE * num_frames:
            break
    return best
