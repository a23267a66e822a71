"""Cameras and streams: always the newest frame, shown, recorded, sent on."""

import collections
import contextlib
import logging
import os
import statistics
import time
import typing
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from vgan.generate.pipeline import BackgroundWriter
from vgan.generate.preview import Controls, Preview
from vgan.generate.progress import progress
from vgan.generate.schedule import Schedule
from vgan.runtime import styles
from vgan.runtime.engines import Engine
from vgan.video import VideoReader, VideoWriter
from vgan.video.codecs import Coding
from vgan.video.live import Latest, Paced

if typing.TYPE_CHECKING:
    from vgan.generate.options import StylizeOptions

_log = logging.getLogger("vgan")
_RECENT = 1000  # frames whose latency is remembered


class Broadcaster:
    """Stylizes a live source until it ends, Ctrl-C, or `q` in the preview.

    Frames that come while the network works are dropped but for the newest two: latency
    stays at a frame of the network and two of the source, however slow it is.

    Args:
        options: StylizeOptions.

    Attributes:
        num_frames: Stylized so far.
        dropped: Frames of the source that were not.
        latencies: Seconds from a frame's arrival to its result, of the last thousand.
    """

    def __init__(self, options: "StylizeOptions") -> None:
        self._options = options
        self._names = None  # of the styles to choose among
        self.num_frames = self.dropped = 0
        self.latencies = collections.deque(maxlen=_RECENT)

    def run(
        self,
        reader: VideoReader,
        output: str | os.PathLike | None = None,
        preview: bool = False,
        overwrite: bool = False,
        coding: Coding | None = None,
        show: str = "auto",
    ) -> None:
        """Run to the end.

        Args:
            reader: VideoReader; a file is played in real time.
            output: What VideoWriter writes, or None.
            preview: Whether to show a window, in which keys choose among the styles.
            overwrite: Replace an output that exists.
            coding: As of VideoWriter.
            show: Kind of `progress`.

        Raises:
            InputError: Anything of it cannot be used.
            KeyboardInterrupt: SIGTERM or SIGHUP; the output is complete even so.
        """
        stopped = None
        with contextlib.ExitStack() as stack:
            controls = window = None
            if preview:
                window = stack.enter_context(Preview("vgan"))
                chosen = self._options.choices()
                controls = Controls(len(chosen))
                controls.recording = output is not None
                schedules = [Chosen(chosen, controls)]
                self._names = styles.listed(self._options.style) or None
            else:
                schedules = self._options.schedules
            source = reader if reader.is_live else Paced(reader)
            write = None
            if output is not None:
                if preview:
                    # Pauses would put sound out of step.
                    reader.again = reader.audio = None
                writer = VideoWriter(
                    output, like=reader, coding=coding, overwrite=overwrite
                )
                reader.deep = writer.deep and not preview  # which shows 8 bits
                opaque = preview or self._options.compare
                reader.keep_alpha = writer.alpha and not opaque
                recorder = Recorder(stack.enter_context(writer), controls)
                write = recorder.write
                if preview:
                    write = stack.enter_context(BackgroundWriter(write, depth=1))
            if not preview and (output is None or not writer.deep):
                reader.keep_planes()
            process = stack.enter_context(self._options.processor(reader, schedules))
            process.warm_up(*self._options.out_size(reader.height, reader.width))
            frames = stack.enter_context(Latest(source))
            bar = stack.enter_context(progress(None, show))
            # A live source has no other end than Ctrl-C, which is a good one.
            try:
                if preview:
                    self._show(frames, process, write, window, controls, bar)
                else:
                    self._run(frames, process, write, bar)
            except KeyboardInterrupt as stop:
                stopped = stop
            self.dropped = frames.dropped
        if stopped is not None and stopped.args:  # by another signal
            raise stopped

    def _run(self, frames, process, write, bar):
        def finish(job, arrived):
            result = process.finish(job)
            if write is not None:
                write(result, job.timestamp)
            self._count(frames, arrived, bar)

        with BackgroundWriter(finish, depth=1) as background:
            for frame, timestamp in frames:
                arrived = frames.arrived
                job = process.prepare(self._options.resized(frame), timestamp)
                background(process.paint(job), arrived)

    def _show(self, frames, process, write, window, controls, bar):
        for frame, timestamp in frames:
            result = process(self._options.resized(frame), timestamp)
            if write is not None:
                write(result, timestamp)
            self._count(frames, frames.arrived, bar)
            key = window.show(result, controls.status(self._names))
            if key == "record" and write is None:
                _log.warning("nothing is recorded: start it with an output")
                key = None
            controls.press(key)
            if controls.quit:
                return

    def _count(self, frames, arrived, bar):
        self.latencies.append(time.monotonic() - arrived)
        self.num_frames += 1
        bar.update()
        if frames.dropped:
            bar.note(f"{frames.dropped} dropped")

    def summary(self) -> str:
        """One line of what was done."""
        if not self.latencies:
            return "no frame came"
        latency = 1000 * statistics.median(self.latencies)
        line = (
            f"{self.num_frames} frames, {self.dropped} dropped, "
            f"latency {latency:.0f} ms (median of the last {len(self.latencies)})"
        )
        if self.dropped > self.num_frames // 4:
            line += "; proxy=0.5 or a smaller size keeps up better"
        return line


class Recorder:
    """Writes while the user wants it; pauses leave no gap in the recording.

    Args:
        writer: VideoWriter.
        controls: preview.Controls, or None: records always.
    """

    def __init__(self, writer: VideoWriter, controls: Controls | None) -> None:
        self._writer, self._controls = writer, controls
        self._paused_at, self._gap = None, 0

    def write(self, frame: np.ndarray, timestamp: Fraction) -> None:
        """Append a frame, or leave it out."""
        if self._controls is not None and not self._controls.recording:
            if self._paused_at is None:
                self._paused_at = timestamp
            return
        if self._paused_at is not None:
            self._gap += timestamp - self._paused_at
            self._paused_at = None
        self._writer.write(frame, timestamp - self._gap)


class Chosen:
    """What a user has chosen by keys, in the place of a schedule.

    Args:
        schedules: Of one style each.
        controls: preview.Controls.
    """

    def __init__(self, schedules: Sequence[Schedule], controls: Controls) -> None:
        self._schedules, self._controls = schedules, controls
        self.styles = [style for one in schedules for style in one.styles]

    def encode(self, engine: Engine) -> typing.Self:
        """Encode every style once; returns itself."""
        for schedule in self._schedules:
            schedule.encode(engine)
        return self

    def at(self, seconds: Fraction | float) -> tuple[np.ndarray, float]:
        """Return code [1, D] and strength, whatever the second."""
        codes = [schedule.at(0)[0] for schedule in self._schedules]
        code = styles.blend(codes, self._controls.weights())
        return code, self._controls.strength
