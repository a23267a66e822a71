"""How fast a model is, and what it takes: time, memory, parameters, operations."""

import pathlib
import sys
import tempfile
import time

import cv2
import numpy as np

from vgan.runtime import Stylizer
from vgan.runtime.engines import Engine, padded
from vgan.video import VideoReader, VideoWriter

MOST_BYTES = 400_000_000  # of frames held to time the encoder


def measure(
    engine: Engine, frame_size: tuple[int, int], num_frames: int = 60, warm_up: int = 5
) -> dict[str, float]:
    """Time `Stylizer` frame by frame, uint8 in to uint8 out, state carried along.

    The frames are those of a pan over a random picture. Lower is better throughout;
    at a median of 33 ms, 30 frames a second are live.

    Args:
        engine: From `vgan.runtime.engines.load`.
        frame_size: (H, W) in pixels, any that the Stylizer takes.
        num_frames: How many to time.
        warm_up: How many to run before; the first one compiles.

    Returns:
        A dict:
        "ms_median" and "ms_p95": Milliseconds per frame.
        "peak_memory_mib": The most main memory that this process has held so far,
        whatever for, the backend's code included; no GPU memory.
        "parameters": Of the whole generator.
        "gmac": Billions of multiply-accumulates per frame, in convolutions and
        matrix products, of the frame as padded to the network's stride.

    Raises:
        ValueError: `num_frames` is less than 1.
    """
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, got {num_frames}")
    height, width = frame_size
    random = np.random.default_rng(0)
    code = random.normal(size=(1, engine.code_size))
    stylizer = Stylizer(engine, code, proxy=1)
    picture = random.integers(0, 256, (9, 16, 3), np.uint8)
    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)
    times = []
    for t in range(warm_up + num_frames):
        frame = np.roll(picture, 2 * t, axis=1)
        start = time.perf_counter()
        stylizer(frame)
        times.append(time.perf_counter() - start)
    times = 1000 * np.array(times[warm_up:])
    return {
        "ms_median": float(np.median(times)),
        "ms_p95": float(np.percentile(times, 95)),
        "peak_memory_mib": peak_memory_mib(),
        "parameters": engine.num_parameters,
        "gmac": engine.count_macs(*padded(*frame_size, engine.stride)) / 1e9,
    }


def measure_codec(path: str | pathlib.Path, num_frames: int = 30) -> dict[str, float]:
    """Time decoding and encoding apart, in milliseconds per frame of a video.

    Decoding: `VideoReader`, file to uint8 RGB, after the first frame, which opening
    the file costs. Encoding: `VideoWriter` at its defaults to a temporary .mp4, from
    opening to the finished file, without sound.

    Args:
        path: A video of at least two frames.
        num_frames: Read at most so many, fewer of large ones: they are held in memory.

    Returns:
        {"decode_ms", "encode_ms"}.

    Raises:
        InputError: The video cannot be read.
        ValueError: It has a single frame.
    """
    with VideoReader(path) as reader:
        fps = reader.fps
        frames = [next(reader)]
        num_frames = min(num_frames, max(2, MOST_BYTES // frames[0][0].nbytes))
        start = time.perf_counter()
        for frame in reader:
            frames.append(frame)
            if len(frames) == num_frames:
                break
        decoding = time.perf_counter() - start
    if len(frames) < 2:
        raise ValueError(f"{path}: a single frame tells no speed; give a longer video")
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with VideoWriter(pathlib.Path(folder, "encoded.mp4"), fps=fps) as writer:
            for frame, timestamp in frames:
                writer.write(frame, timestamp)
        encoding = time.perf_counter() - start
    return {
        "decode_ms": 1000 * decoding / (len(frames) - 1),
        "encode_ms": 1000 * encoding / len(frames),
    }


def peak_memory_mib() -> float:
    """The most main memory that this process has held so far, in MiB.

    Windows, which Python's own library does not ask for it, counts as 0.
    """
    status = pathlib.Path("/proc/self/status")
    if status.exists():  # getrusage would count what held the parent when it forked
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].removesuffix("kB")) / 2**10
    try:
        import resource
    except ImportError:  # on Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2 ** (20 if sys.platform == "darwin" else 10)  # bytes, else KiB
