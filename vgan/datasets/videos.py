"""A short clip out of a video file, without a scene cut in it."""

import functools

import cv2
import numpy as np

from vgan import InputError
from vgan.datasets import motion, stills
from vgan.video import VideoReader, cuts, flow

PATIENCE = 4  # a cut-free span is sought within this many times the clip's length


def clip_of_video(path, rng, num_frames, size, fps, training, estimate_flow=False):
    """Cut a square clip out of a video.

    A scene shorter than the clip is played to and fro.

    Args:
        path: The file.
        rng: A numpy Generator; it decides when the clip starts.
        num_frames: T.
        size: Height and width of the clip in pixels.
        fps: Frames per second; the video is resampled.
        training: Whether the crop's size and place are random; else it is the
            centre, as large as fits.
        estimate_flow: Estimate how the clip moves (Kroeger et al., 2016); else, and in
            clips under 16 pixels, flow is 0 and occlusion 1 everywhere.

    Returns:
        A motion.Clip.

    Raises:
        InputError: The file cannot be read or decoded, or its picture is too small.
    """
    height, width, duration = _measures(path)
    stills.check_size(path, height, width, size)
    start = rng.uniform(0, max(0.0, duration - num_frames / fps))
    side, place = min(height, width), np.array([0.5, 0.5])
    if training:
        part = rng.uniform(max(0.6, min(1.0, size / side)), 1.0)
        side, place = round(part * side), rng.random(2)
    x, y = np.rint(place * (width - side, height - side)).astype(int)
    with _open(path, fps, start) as reader:
        frames = (frame[y : y + side, x : x + side] for frame, _ in reader)
        scene = _longest_scene(frames, num_frames, size)
    index = np.pad(np.arange(len(scene)), (0, num_frames - len(scene)), mode="reflect")
    return _with_flow(np.stack(scene)[index], estimate_flow)


def _with_flow(frames, estimate):
    """The motion.Clip of frames [T, H, W, 3]: estimated, or hidden everywhere."""
    steps, (height, width) = len(frames) - 1, frames.shape[1:3]
    moves = np.zeros((steps, height, width, 2), np.float32)
    occlusion = np.ones((steps, height, width, 1), np.uint8)
    if estimate and min(height, width) >= flow.SMALLEST_SIDE:
        for t in range(steps):
            moves[t] = flow.estimate_flow(frames[t + 1], frames[t])
            forward = flow.estimate_flow(frames[t], frames[t + 1])
            occlusion[t, ..., 0] = ~flow.flow_holds(moves[t], forward)
    return motion.Clip(frames, moves, occlusion)


@functools.lru_cache(maxsize=2**16)
def _measures(path):
    """Height, width and seconds; kept, as each opening decodes a frame."""
    with VideoReader(path) as reader:
        return reader.height, reader.width, float(reader.duration or 0)


def _open(path, fps, start):
    try:
        return VideoReader(path, fps=fps, start=start)
    except InputError:  # shorter than its header says, or it cannot seek
        return VideoReader(path, fps=fps)


def _longest_scene(frames, num_frames, size):
    """The first cut-free run of `num_frames`, or else the longest one near."""
    best, scene, last = [], [], None
    for count, frame in enumerate(frames, start=1):
        shrinks = min(frame.shape[:2]) > size
        way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        frame = cv2.resize(frame, (size, size), interpolation=way)
        thumbnail = cuts.thumbnail(frame)
        if last is not None and cuts.is_cut(last, thumbnail):
            scene = []
        scene, last = [*scene, frame], thumbnail
        best = max(best, scene, key=len)
        if len(best) == num_frames or count == PATIENCE * num_frames:
            break
    return best
