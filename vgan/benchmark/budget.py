"""Where the processor time of a frame goes: all threads, each part by itself.

Encoders work in threads of their own, whose time would count for whatever else goes on
then. So a film is decoded first, then stylized, then encoded.
"""

import collections
import contextlib
import functools
import itertools
import pathlib
import tempfile
import time
import typing
from collections.abc import Callable, Iterator

from vgan.generate.options import StylizeOptions
from vgan.runtime.noise import MovingNoise
from vgan.runtime.tiling import TiledEngine
from vgan.runtime.upsampling import JointUpsampler
from vgan.video import VideoReader, VideoWriter
from vgan.video.color import ToYUV
from vgan.video.cuts import CutDetector
from vgan.video.planes import PlanarFrame

HELD = 48  # frames at most; they are in memory
WARM_UP = 5  # frames
UNAVOIDABLE = "decode", "network", "encode"
_PARTS = {  # what each is called here, and the methods that do it
    "shrink": [(PlanarFrame, "shrunk")],
    "cuts": [(CutDetector, "__call__")],
    "noise field": [(MovingNoise, "follow"), (MovingNoise, "lay")],
    "to floats and back": [(TiledEngine, "step_pixels")],
    "upsample": [(JointUpsampler, "__call__"), (JointUpsampler, "planar")],
    "to planes": [(ToYUV, "__call__")],
}


def measure(
    options: StylizeOptions, path: str, num_frames: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Milliseconds of processor time per frame, {part: ms}; parts do not overlap.

    Args:
        options: StylizeOptions.
        path: Of a video of more than a few frames.
        num_frames: Most frames to take.

    Returns:
        {part: ms}, and {kind of operation: share of the network's time}, as the engine
        itself tells, or {}.
    """
    count = min(num_frames, HELD)
    spent: collections.Counter = collections.Counter()
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(VideoReader(path))
        reader.keep_planes()
        process = stack.enter_context(
            options.processor(reader, wrap=functools.partial(_Network, spent))
        )
        process.warm_up(*options.out_size(reader.height, reader.width))
        with _timed(spent, "decode", time.process_time):
            frames = list(itertools.islice(reader, count))
        for frame, timestamp in frames[:WARM_UP]:
            process(options.resized(frame), timestamp)
        spent.pop("network", None)
        for name, methods in _PARTS.items():
            # In the thread that calls: an encoder's are at work meanwhile.
            clock = time.thread_time if name == "to planes" else time.process_time
            for owner, method in methods:
                stack.enter_context(_watched(spent, name, owner, method, clock))
        results = []
        with _timed(spent, "Python", time.process_time):
            for frame, timestamp in frames:
                results.append((process(options.resized(frame), timestamp), timestamp))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        with (
            _timed(spent, "encode", time.process_time),
            VideoWriter(pathlib.Path(folder, "out.mp4"), like=reader) as writer,
        ):
            for result, timestamp in results:
                writer.write(result, timestamp)
    profile = getattr(process.engine, "profile", lambda *_: {})(*process.engine.last)
    order = ("decode", *_PARTS, "network", "Python", "encode")
    return {name: 1000 * spent[name] / len(frames) for name in order}, profile


_open: list[float] = []  # seconds of what was timed inside of each block


@contextlib.contextmanager
def _timed(
    spent: collections.Counter, name: str, clock: Callable[[], float]
) -> Iterator[None]:
    """Add what a block takes, but for what is timed inside of it."""
    start = clock()
    _open.append(0.0)
    try:
        yield
    finally:
        whole, inside = clock() - start, _open.pop()
        spent[name] += whole - inside
        if _open:
            _open[-1] += whole


@contextlib.contextmanager
def _watched(spent, name, owner, method, clock):
    """Time a method of a class."""
    plain = getattr(owner, method)

    @functools.wraps(plain)
    def watched(*arguments, **named):
        with _timed(spent, name, clock):
            return plain(*arguments, **named)

    setattr(owner, method, watched)
    try:
        yield
    finally:
        setattr(owner, method, plain)


class _Network:
    """An engine whose steps are timed; `last` is what the last one was given."""

    def __init__(self, spent, engine):
        self._spent, self._engine = spent, engine
        self.last = ()

    def __getattr__(self, name: str) -> typing.Any:
        return getattr(self._engine, name)

    def step(self, content, code, state):
        self.last = content, code, state
        with _timed(self._spent, "network", time.process_time):
            return self._engine.step(content, code, state)
