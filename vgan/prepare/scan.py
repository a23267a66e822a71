"""One video or photo to a part, which holds its clips, and facts."""

import contextlib
import dataclasses
import logging
import os
import pathlib
import re
import typing
import zipfile
from collections.abc import Callable

import av

from vgan import InputError, files
from vgan.prepare import clip_archive, palettes, provenance, report, shots, signatures
from vgan.prepare.inputs import Source
from vgan.prepare.settings import LEAST_SIZE, Settings
from vgan.video import VideoReader, is_image, read_image
from vgan.video.resizing import resize

MOST_ENLARGED = 2
MOST_STRETCHED = 8  # long side over short side
SAMPLES = 25  # frames of a shot that its signature is made of
PALETTE_FRAMES = 50  # of a style
_log = logging.getLogger("vgan")


def scan(
    source: Source,
    settings: Settings,
    folder: pathlib.Path,
    tell: Callable[[float, int], object] = lambda share, clips: None,
) -> dict[str, typing.Any]:
    """Find the clips of a source and write them as a part; what is done stays done.

    Args:
        source: inputs.Source.
        settings: Settings.
        folder: Folder of the parts, which exists.
        tell: Called now and then with the share of the file that is read, 0 to 1, and
            the number of clips so far.

    Returns:
        Facts, see `report`. A source that cannot be used has an "error" and no part.
        Without a "stamp" they are not kept: it is to be tried again.

    Raises:
        OSError: The part cannot be written, as when the disk is full.
    """
    part_path, facts_path = clip_archive.places(folder, source.name)
    facts = blank(source, settings)
    try:
        stamp = clip_archive.stamp(source, settings)
    except OSError as error:
        facts["error"] = f"cannot be read ({error.strerror}); was it moved?"
        return facts
    known = clip_archive.read_json(facts_path)
    if _is_whole(known, facts, part_path) and known["stamp"] == stamp:
        tell(1, known["clips"])
        return known
    facts["bytes"] = stamp[0]
    part_path.unlink(missing_ok=True)
    with files.replacing(part_path) as beside, _warnings(source, facts):
        with clip_archive.Part(beside) as part:
            error = _error(source, _Scan(source, settings, part, facts, tell).run)
        if error:
            facts.update(error=error, shots=[], clips=0)
        with contextlib.suppress(OSError):
            if clip_archive.stamp(source, settings) == stamp:
                facts["stamp"] = stamp
        if "stamp" not in facts:
            facts.update(
                error="changed while it was read; run the same again",
                **{"shots": [], "clips": 0},
            )
    if not facts["clips"]:
        part_path.unlink(missing_ok=True)
    if "stamp" in facts:
        files.write_json(facts_path, facts, sort_keys=True)
    tell(1, facts["clips"])
    return facts


def _is_whole(known, blank, part_path):
    """Whether these are facts, and their part is there and not cut short."""
    if not isinstance(known, dict) or not {"stamp", *blank} <= known.keys():
        return False
    return not known["clips"] or zipfile.is_zipfile(part_path)


def blank(source: Source, settings: Settings) -> dict[str, typing.Any]:
    """Return the facts of a source that nothing is known of yet."""
    return {
        "source": source.name,
        "path_below_input": source.below,
        "bytes": None,
        "kind": "photo" if is_image(source.path) else "video",
        "error": "",
        "warnings": [],
        **dict.fromkeys(("height", "width", "fps", "duration", "codec")),
        **dict.fromkeys(("kept_height", "kept_width", "variable_frame_rate")),
        "kept_fps": settings.fps,
        "label": source.label,
        "licence": source.license,
        "provenance": source.provenance,
        "shots": [],
        "clips": 0,
    }


def _error(source, read):
    """Call `read`; return what is wrong with the source, or ""."""
    try:
        read()
    except InputError as error:
        return _without_path(str(error), source)
    except MemoryError:
        return "needs more memory than there is; give fewer workers or leave it out"
    except Exception as error:
        # Of the disk that parts are written to; those of reading are PyAV's own.
        if isinstance(error, OSError) and not isinstance(error, av.FFmpegError):
            raise
        return f"cannot be read ({type(error).__name__}: {error}); leave it out"
    return ""


def _without_path(text, source):
    text = text.removeprefix(f"{source.path}: ").replace(source.path, source.name)
    return " ".join(text.split())


@contextlib.contextmanager
def _warnings(source, facts):
    """Put what is logged of the source into its facts."""

    class Handler(logging.Handler):
        def emit(self, record):
            line = record.getMessage()
            if line.startswith(source.path):
                facts["warnings"].append(_without_path(line, source))

    handler = Handler()
    _log.addHandler(handler)
    try:
        yield
    finally:
        _log.removeHandler(handler)


class _Scan:
    """A source that is read, and its facts as they come."""

    def __init__(self, source, settings, part, facts, tell):
        self._source, self._settings = source, settings
        self._part, self._facts, self._tell = part, facts, tell
        self._folder = os.path.dirname(part.file)
        self._seen = []  # frames that say what colors a style has

    def run(self):
        """Read it."""
        if self._facts["kind"] == "photo":
            self._photo()
        else:
            self._video()
        if self._seen:
            self._facts["palette"] = palettes.palette(self._seen)

    def _photo(self):
        if not os.path.isfile(self._source.path):
            raise InputError("is a pipe or a device, not a file; leave it out")
        picture, facts = read_image(self._source.path), self._facts
        facts["height"], facts["width"] = picture.shape[:2]
        facts["codec"] = pathlib.Path(self._source.path).suffix[1:].lower()
        picture = resize(picture, *self._fit())
        moments = enumerate(shots.moments([(picture, 0)]))
        settings = dataclasses.replace(self._settings, clip_length=1)
        for shot in shots.shots(moments, settings, self._folder):
            self._keep(shot, 1, signatures.picture_signature(picture))

    def _video(self):
        facts, settings = self._facts, self._settings
        with VideoReader(self._source.path) as reader:
            facts["height"], facts["width"] = reader.height, reader.width
            facts["fps"] = round(float(reader.fps), 3)
            size = self._fit(reader.sample_aspect_ratio)
        if facts["fps"] < 0.9 * settings.fps:
            facts["warnings"].append(
                f"has {facts['fps']:g} frames/s: they are repeated for fps="
                f"{settings.fps:g}"
            )
        # Scaled while it is converted: of 8K, a frame would take 100 MB.
        start, end = provenance.span(self._source.provenance)
        try:
            reader = VideoReader(self._source.path, size=size, start=start)
        except InputError as error:
            if not start:
                raise
            raise InputError(
                f"{error}; the list says start={start:g}: give one within the video"
            ) from error
        with reader:
            pace = _Pace(facts, float(reader.duration or 0), self._tell)
            moments = shots.moments(pace.of(reader, end))
            clocked = shots.on_clock(moments, settings.rate)
            for shot in shots.shots(clocked, settings, self._folder):
                self._keep(
                    *(shot, settings.clip_length),
                    signatures.signature(shot.samples(SAMPLES)),
                )
        facts["codec"], length = _header(self._source.path)
        told = min(end, length)
        if facts["duration"] is not None and facts["duration"] < 0.9 * told:
            facts["warnings"].append(
                f"ends early: {facts['duration']:g} of {told:g} seconds can be read; "
                "copy it again, if it is cut off"
            )

    def _fit(self, pixel_ratio=None):
        """(H, W) of the clips: the short side as set, pixels made square, even."""
        facts, size = self._facts, self._settings.size
        height, width = facts["height"], facts["width"]
        shown = width * float(pixel_ratio or 1)
        short, long = sorted((height, shown))
        if size > MOST_ENLARGED * short:
            fits = int(MOST_ENLARGED * short)
            other = f", or give size={fits} or less" if fits >= LEAST_SIZE else ""
            raise InputError(
                f"is {width}x{height} pixels: it would be enlarged more than twice; "
                f"leave it out{other}"
            )
        if long > MOST_STRETCHED * short:
            raise InputError(
                f"is {width}x{height} pixels: one side is more than {MOST_STRETCHED} "
                "times the other; crop it, or leave it out"
            )
        height, width = (2 * round(side * size / short / 2) for side in (height, shown))
        facts["kept_height"], facts["kept_width"] = height, width
        return height, width

    def _keep(self, shot, length, signature):
        """Write the clips of a shot, and down what it is."""
        source, facts, rate = self._source, self._facts, self._settings.rate
        starts = shot.clips()
        for start in starts:
            clip = {
                "key": key(source.name, start),
                "source": source.name,
                "start": float(start / rate),
                "fps": self._settings.fps,
                "label": source.label,
                "licence": source.license,
                "shot": len(facts["shots"]),
                "frames": length,
                "height": facts["kept_height"],
                "width": facts["kept_width"],
            }
            first = start - shot.first
            self._part.add(clip, shot.frames(range(first, first + length)))
        (middle,) = shot.frames([len(shot) // 2])
        middle = shots.decode(middle)
        if starts and self._settings.role == "style":
            self._seen = [*self._seen, middle][:PALETTE_FRAMES]
        end = 0 if facts["kind"] == "photo" else shot.first + len(shot)
        facts["shots"].append(
            {
                "start": float(shot.first / rate),
                "end": float(end / rate),
                "frames": len(shot),
                "signature": signature,
                "thumbnail": report.thumbnail(middle),
                "reason": shot.reason(),
                "duplicate_of": "",
                "clips": len(starts),
                "clip_starts": starts,
            }
        )
        facts["clips"] += len(starts)


class _Pace:
    """Looks at the timestamps that pass."""

    def __init__(self, facts, duration, tell):
        self._facts, self._duration, self._tell = facts, duration, tell

    def of(self, reader, end):
        steps, last = [float("inf"), 0.0], None
        for count, (frame, time) in enumerate(reader):
            if time >= end:
                break
            if last is not None:
                step = float(time - last)
                steps = [min(step, steps[0]), max(step, steps[1])]
                self._facts["duration"] = round(float(time) + step, 3)
            last = time
            yield frame, time
            del frame
            if count % 50 == 0:
                share = float(time) / self._duration if self._duration else 0
                self._tell(min(share, 0.99), self._facts["clips"])
        # Matroska's milliseconds are no variable rate.
        self._facts["variable_frame_rate"] = steps[1] > 1.5 * steps[0] + 0.002


def _header(path):
    """Return the codec, and the seconds of pictures, 0 where it is not said."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        said = re.fullmatch(
            r"(\d+):(\d+):([\d.]+)", stream.metadata.get("DURATION", "")
        )
        seconds = 0.0
        if stream.duration:
            seconds = float(stream.duration * stream.time_base)
        elif said:  # by Matroska
            hours, minutes, seconds = map(float, said.groups())
            seconds += 60 * minutes + 3600 * hours
        elif container.duration and not container.streams.audio:  # sound may be longer
            seconds = container.duration / av.time_base
        return stream.codec_context.name, round(seconds, 3)


def key(name: str, start: int) -> str:
    """Return the key of the clip of source `name` whose first frame is k = `start`."""
    return f"{name}#{start:08d}"
