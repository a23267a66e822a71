"""Runs of a SegmentedWriter, and what is in their files."""

import zlib

import av
import numpy as np

from vgan.video import VideoReader, VideoWriter
from vgan.video.segments import SegmentedWriter

NAMES = ["b.mp4", "b.mov", "b.mkv", "b.webm"]


class Trail:
    """Stands for a recurrent network: each frame leaves a trace in the next ones."""

    def __init__(self):
        self.trace, self.count = None, 0

    def __call__(self, frame):
        old = frame if self.trace is None else self.trace
        self.trace = np.float32(0.7) * old + np.float32(0.3) * frame
        self.count += 1
        return np.uint8(self.trace)

    def save(self):
        return {"trace/0": self.trace, "count": self.count}

    def restore(self, snapshot):
        self.trace, self.count = snapshot["trace/0"], snapshot["count"]


def run(source, target, stop=None, error=ZeroDivisionError, task="trail", **options):
    """Stylise; raise `error` instead of writing frame number `stop` of this run."""
    trail = Trail()
    options = {"segment_frames": 5, **options}
    with (
        VideoReader(source) as reader,
        SegmentedWriter(target, reader, task, trail.save, **options) as writer,
    ):
        if writer.snapshot:
            trail.restore(writer.snapshot)
        for made, (frame, timestamp) in enumerate(writer.remaining(reader)):
            if made == stop:
                raise error
            writer.write(trail(frame), timestamp)
        if stop is not None:
            raise error
    return writer


def run_whole(source, target):
    """The same with a VideoWriter."""
    trail = Trail()
    with VideoReader(source) as reader, VideoWriter(target, reader) as writer:
        for frame, timestamp in reader:
            writer.write(trail(frame), timestamp)


def times(path):
    """Seconds of all frames as FFmpeg decodes them, and how long the picture is."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        seconds = [frame.pts * frame.time_base for frame in container.decode(stream)]
        length = stream.duration and stream.duration * stream.time_base
        return seconds, length, container.duration


def decode_times(path):
    with av.open(str(path)) as container:
        return [p.dts for p in container.demux(video=0) if p.size]


def pictures(path):
    with av.open(str(path)) as container:
        return [
            (
                zlib.crc32(frame.to_ndarray(format="rgb24").tobytes()),
                frame.pts * frame.time_base,
            )
            for frame in container.decode(video=0)
        ]


def segments(target):
    folder = target.with_name(f".{target.name}.segments")
    return sorted(folder.glob("*.segment"))
