"""What FFmpeg demuxes and decodes: files, cameras, network streams."""

import logging
import pathlib
import sys
from fractions import Fraction

import av

from vgan import InputError
from vgan.video.color import BT2020, UNSPECIFIED, ToRGB

_log = logging.getLogger("vgan")
_FPS = Fraction(25)  # where neither the container nor the codec tells a rate
_OPTIONS = {"rtsp": {"rtsp_transport": "tcp"}}  # UDP loses packets in most networks


class StreamSource:
    """One video stream of what FFmpeg opens. See VideoReader for the attributes.

    Args:
        location: Path, address, or the number of a camera.
        name: What messages call it.
        timeout: Seconds to wait for a network.
        camera: Whether `location` is the number of a camera.
    """

    def __init__(self, location, name, timeout, camera=False):
        self._name = name
        self._warning = None  # said once, and only if frames can be decoded at all
        self._works = False
        self.path = location if isinstance(location, pathlib.Path) else None
        self._container = self._open(str(location), timeout, camera)
        try:
            self._stream = self._choose_stream()
            self._describe(camera, str(location))
        except BaseException:
            self.close()
            raise

    def _open(self, location, timeout, camera):
        format_name, options = None, {}
        if camera:
            location, format_name, options = _camera(location, self._name)
        elif self.path is None:
            options = _OPTIONS.get(location.split("://")[0], {})
        try:
            return av.open(
                location, format=format_name, options=options, timeout=timeout
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise InputError(
                _cannot_open(self._name, self.path, camera, error)
            ) from error

    def _choose_stream(self):
        """The first video stream marked as default, which is what players show."""
        streams = [
            stream
            for stream in self._container.streams.video
            if not stream.disposition & av.stream.Disposition.attached_pic
            and stream.codec_context is not None
        ]
        if not streams:
            what = (
                "only a cover picture" if self._container.streams.video else "no video"
            )
            raise InputError(
                f"{self._name}: there is {what} in it; give a file with moving pictures"
            )
        default = av.stream.Disposition.default
        return next((s for s in streams if s.disposition & default), streams[0])

    def _describe(self, camera, location):
        container, stream = self._container, self._stream
        self.time_base = stream.time_base
        rate = stream.average_rate or stream.guessed_rate or _FPS
        # Cameras and broken headers give rates such as 1/0 or a million.
        self.fps = Fraction(rate) if 0 < rate <= 1000 else _FPS
        length = container.duration
        self.duration = Fraction(length, av.time_base) if (length or 0) > 0 else None
        self.is_live = camera or (
            self.path is None and (self.duration is None or location.startswith("rtsp"))
        )
        self.num_frames = None
        if not self.is_live:
            estimate = round(self.duration * self.fps) if self.duration else None
            self.num_frames = stream.frames or estimate
        # PyAV's default, slice threads, stays: frame threads lose the good frames next
        # to a damaged one and delay a live picture.
        # Broadcast and cut-out clips begin anywhere on their clock; a file that begins
        # within its first second means it (edit list, late first frame).
        start = Fraction(container.start_time or 0, av.time_base)
        self._origin = None if self.is_live else 0
        if abs(start) >= 1:
            self._origin = round(start / self.time_base)
        self.origin = (self._origin or 0) * self.time_base
        self.audio = location if container.streams.audio and not self.is_live else None
        self._decoded = self._decode()
        frame = self._first = self._first_frame()
        self._to_rgb = ToRGB(frame)
        self.width, self.height = self._to_rgb.width, self._to_rgb.height
        ratio = stream.sample_aspect_ratio
        if not ratio or ratio == 1:
            ratio = None
        elif self._to_rgb.transposed:
            ratio = 1 / ratio
        self.sample_aspect_ratio = ratio
        self.colors = None
        if frame.color_primaries not in (UNSPECIFIED, BT2020, 0):
            self.colors = frame.color_primaries, frame.color_trc

    def _first_frame(self):
        try:
            first = next(self._decoded)
        except StopIteration:
            codec = self._stream.codec_context.name
            raise InputError(
                f"{self._name}: no frame of its {codec} video can be decoded; "
                "the file is damaged or protected, convert or copy it again"
            ) from None
        self._works = True
        if self._warning:
            _log.warning("%s: %s", self._name, self._warning)
        return first

    def frames(self, start):
        """Yield (frame `[H, W, 3]`, timestamp, duration) from `start` seconds on."""
        fresh, self._first = self._first, None
        if (fresh is None and not self.is_live) or start:
            self._seek(start)
            fresh = None
        decoded = self._decoded if fresh is None else _chain(fresh, self._decoded)
        del fresh
        held = last = None
        duration = 1 / self.fps
        for frame in decoded:
            timestamp = self._timestamp(frame, last, duration)
            last = timestamp
            duration = frame.duration * self.time_base or 1 / self.fps
            if start and timestamp <= start:
                held = frame, timestamp, duration
                continue
            if held:
                yield self._to_rgb(held[0]), *held[1:]
                held = None
            yield self._to_rgb(frame), timestamp, duration
        if held and held[1] + held[2] > start:
            yield self._to_rgb(held[0]), *held[1:]

    def _timestamp(self, frame, last, duration):
        if self._origin is None:
            self._origin = frame.pts or 0
        if frame.pts is not None:
            timestamp = (frame.pts - self._origin) * self.time_base
            if last is None or timestamp > last:
                return timestamp
        # No time, the same again, or a clock that was set back: just go on.
        return Fraction(0) if last is None else last + duration

    def _seek(self, start):
        """Decode from the last key frame before `start`, which indexes may misjudge."""
        for earlier in (0, 10, start):
            position = max(start - earlier, 0)
            ticks = int(position / self.time_base) + (self._origin or 0)
            try:
                self._container.seek(ticks, stream=self._stream)
            except av.FFmpegError as error:
                raise InputError(
                    f"{self._name}: cannot go to {float(start):g} s "
                    f"({error.strerror}); convert it to MP4 or MKV"
                ) from error
            self._decoded = self._decode()
            frame = next(self._decoded, None)
            if frame is not None:
                self._decoded = _chain(frame, self._decoded)
            known = frame is not None and frame.pts is not None
            if not position or (known and frame.pts <= ticks):
                return

    def _decode(self):
        """Decoded frames; what is damaged is skipped, and said once."""
        try:
            for packet in self._container.demux(self._stream):
                try:
                    frames = packet.decode()
                except av.FFmpegError as error:
                    self._warn(f"skipping what cannot be decoded ({error.strerror})")
                    continue
                yield from frames
        except av.FFmpegError as error:
            self._warn(f"ends early ({error.strerror})")

    def _warn(self, what):
        if self._warning is None:
            self._warning = what
            if self._works:
                _log.warning("%s: %s", self._name, what)

    def close(self):
        """Close the file or the connection."""
        self._container.close()


def _chain(frame, rest):
    """The frame, then the rest, without holding on to the frame."""
    box = [frame]
    del frame
    yield box.pop()
    yield from rest


def _camera(number, name):
    """File, format and options of camera `number` for FFmpeg, by operating system."""
    if sys.platform == "darwin":
        return f"{number}:none", "avfoundation", {"framerate": "30"}
    if sys.platform == "win32":
        devices = av.device.enumerate_input_devices("dshow")
        cameras = [d.name for d in devices if "video" in d.media_types]
        if int(number) >= len(cameras):
            raise InputError(f"{name}: there are {len(cameras)} cameras; plug it in")
        return f"video={cameras[int(number)]}", "dshow", {}
    device = pathlib.Path(f"/dev/video{number}")
    if not device.exists():
        raise InputError(
            f"{name}: there is no camera {device}; plug it in or give another number"
        )
    return str(device), "v4l2", {}


def _cannot_open(name, path, camera, error):
    reason = getattr(error, "strerror", None) or str(error)
    if camera:
        what = f"the camera cannot be opened ({reason}); is another program using it?"
    elif path is None:
        what = f"cannot be reached ({reason}); check the address and the network"
    elif isinstance(error, PermissionError):
        what = "may not be read; change its permissions"
    else:
        what = f"is not a video that can be read ({reason}); convert or copy it again"
    return f"{name}: {what}"
