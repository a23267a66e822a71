"""A film shot by shot: where its cuts are, each shot by itself, and all joined.

The generator's memory starts afresh at a cut, so that a shot needs nothing of those
before it, and can be stylized anywhere, and any time.
"""

import contextlib
import pathlib
import types
import typing
import zlib
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from vgan import InputError
from vgan.generate.options import Size, StylizeOptions
from vgan.runtime.upsampling import shrunk
from vgan.video import VideoReader
from vgan.video.codecs import Coding
from vgan.video.cuts import CutDetector
from vgan.video.segment_file import DamagedSegmentError, SegmentFile
from vgan.video.segmented_movie import Shot, join

_EARLIER = 2  # seconds that a filter or a late key frame may need before a frame


def find(
    options: StylizeOptions, source: pathlib.Path, reading: dict[str, typing.Any]
) -> dict[str, typing.Any]:
    """Read a film once, and find its shots as `vgan.Stylizer` sees them.

    Args:
        options: StylizeOptions. With a strength that is 0 at times, when the Stylizer
            sees no cuts, all is one shot.
        source: The film.
        reading: {argument: value} of VideoReader.

    Returns:
        JSON-able dict: "shots", a list of {"start": timestamp, "checks": a checksum of
        each frame and its timestamp}; "damage" and "doubt", a line or None; and what is
        known of the film.

    Raises:
        InputError: It cannot be read.
    """
    with VideoReader(source, **reading) as reader:
        scale = options.working_scale(*options.out_size(reader.height, reader.width))
        is_cut, shots = CutDetector(), []
        reader.keep_planes()
        whole = not options.strength or any(one.has_pauses for one in options.schedules)
        for frame, timestamp in reader:
            begins = is_cut(shrunk(options.resized(frame), scale)) and not whole
            if begins or not shots:
                shots.append({"start": str(timestamp), "checks": []})
            shots[-1]["checks"].append(_check(frame, timestamp))
        return {
            "size": [reader.height, reader.width],
            "fps": str(reader.fps),
            "time_base": str(reader.time_base),
            "colors": reader.colors,
            "sample_aspect_ratio": str(reader.sample_aspect_ratio or 1),
            "offset": str(reader.offset),
            "shown": [str(seconds) for seconds in reader.shown],
            "damage": reader.damage,
            "doubt": reader.doubt,
            "shots": shots,
        }


def stylize(
    options: StylizeOptions,
    open_source: Callable[[], contextlib.AbstractContextManager],
    reading: dict[str, typing.Any],
    film: dict[str, typing.Any],
    shot: dict[str, typing.Any],
    path: pathlib.Path,
    movie: pathlib.PurePath,
    quality: float | None = None,
) -> None:
    """Make a shot: a SegmentFile, the same whoever makes it.

    It is read from its first frame on. Of some films a jump gives other frames, which
    the checksums tell: then all is read from a little before, or from the beginning.

    Args:
        options: StylizeOptions, whose engine is loaded once.
        open_source: Function that returns the film, a path or a binary file, for the
            time of a `with` block.
        reading: As of `find`.
        film: What `find` returned; "shots" are not needed.
        shot: One of its "shots".
        path: The SegmentFile to make.
        movie: Name of the movie that it will be joined to; its suffix counts.
        quality: As of VideoWriter.

    Raises:
        InputError: The film does not give these frames any more, or a mask cannot be
            used.
    """
    like = types.SimpleNamespace(
        fps=Fraction(film["fps"]),
        time_base=Fraction(film["time_base"]),
        colors=film["colors"] and tuple(film["colors"]),
        sample_aspect_ratio=_unless_square(Fraction(film["sample_aspect_ratio"])),
    )
    start = Fraction(shot["start"])
    size = Size(*film["size"], like.fps, Fraction(film["offset"]))
    for earlier in dict.fromkeys((0, min(_EARLIER, start), start)):
        encoder = Shot(path, pathlib.Path(movie), like, Coding(quality))
        try:
            with (
                options.processor(size) as process,
                open_source() as source,
                VideoReader(source, start=start - earlier, **reading) as reader,
            ):
                reader.keep_planes()
                for frame, timestamp in _checked(reader, start, shot["checks"]):
                    result = process(options.resized(frame), timestamp)
                    encoder.write(result, timestamp)
            encoder.save(None, shot)
            return
        except InputError:
            if earlier == start:
                raise
        finally:
            encoder.abandon()


def join_all(
    film: dict[str, typing.Any],
    source: pathlib.Path,
    reading: dict[str, typing.Any],
    segments: Sequence[pathlib.Path],
    path: pathlib.Path,
    quality: float | None = None,
) -> str | None:
    """Join the shots of a film, with its sound and all else.

    Args:
        film: What `find` returned.
        source: The film.
        reading: As of `find`.
        segments: The SegmentFiles of its shots, in order.
        path: The movie to make.
        quality: As of VideoWriter.

    Returns:
        One line of what is lost of the sound, or None.

    Raises:
        DamagedSegmentError: A SegmentFile is not what `stylize` made of the shot.
        InputError: The film cannot be read any more.
    """
    shots = []
    for segment, shot in zip(segments, film["shots"], strict=True):
        shots.append(SegmentFile(segment))
        if shots[-1].made_of != shot:
            raise DamagedSegmentError(str(segment))
    with VideoReader(source, **reading) as reader:
        reader.shown = tuple(map(Fraction, film["shown"]))
        fps, coding = Fraction(film["fps"]), Coding(quality)
        join(shots, path, reader, fps, coding, reproducible=True)
        return reader.sound_damage


def _checked(reader, start, checks):
    """Yield the frames of a shot, each compared with its checksum."""
    frames = (item for item in reader if item[1] >= start)
    for check in checks:
        frame, timestamp = next(frames, (None, None))
        if frame is None or _check(frame, timestamp) != check:
            raise InputError(
                f"{reader.source}: gives other frames than when its cuts were found; "
                "leave it as it is while it is stylized, or copy it again"
            )
        yield frame, timestamp


def _check(frame, timestamp):
    frame = np.ascontiguousarray(frame)  # rows of a decoder may be padded
    return zlib.adler32(frame, zlib.adler32(str(timestamp).encode()))


def _unless_square(ratio):
    return None if ratio == 1 else ratio
