"""A video in, a video out: one file, or a folder of them."""

import collections
import contextlib
import dataclasses
import hashlib
import logging
import os
import pathlib
import time
import typing
from collections.abc import Callable, Collection, Sequence

import numpy as np

from vgan import DamagedError, InputError, files
from vgan.generate.pipeline import BackgroundWriter, Prefetcher
from vgan.generate.progress import progress
from vgan.runtime import styles
from vgan.video import VIDEO_SUFFIXES, VideoReader, VideoWriter, sound
from vgan.video.codecs import Coding
from vgan.video.image_source import is_shot
from vgan.video.segmented_movie import FORMATS
from vgan.video.segments import SegmentedWriter

if typing.TYPE_CHECKING:
    from vgan.generate.options import StylizeOptions

_log = logging.getLogger("vgan")
WRITABLE = (".mp4", ".mkv", ".mov", ".webm", ".gif")
SEGMENT = 100  # frames; shorter ones take more bits
HELD = 64_000_000  # bytes of frames that wait between two stages
_log = logging.getLogger("vgan")


@dataclasses.dataclass(frozen=True)
class Result:
    """A video that was made.

    Attributes:
        path: Where it is.
        num_frames: How long it is.
        num_made: Frames of it that this run has made; others are of an earlier one.
        seconds: What these took, with the end of the file, once all was loaded.
        cpu_seconds: Processor time of all threads in these.
    """

    path: object
    num_frames: int
    num_made: int
    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        fps = self.num_made / max(self.seconds, 1e-9)
        return f"{self.path}: {self.num_frames} frames, {fps:.1f} frames/s"


def convert(
    options: "StylizeOptions",
    reader: VideoReader,
    output: str | os.PathLike,
    overwrite: bool = False,
    resume: bool = False,
    coding: Coding | None = None,
    strict: bool = False,
    show: str = "auto",
) -> Result:
    """Stylize a video to its end; no frame is dropped.

    Args:
        options: StylizeOptions.
        reader: VideoReader.
        output: What VideoWriter writes.
        overwrite: Replace an output that exists.
        resume: Whether to keep what is finished when the run is stopped, in pieces of
            SEGMENT frames, and to go on from there.
        coding: As of VideoWriter.
        strict: Whether damage of the input is an error, and leaves nothing.
        show: Kind of `progress`.

    Returns:
        Result. Of a damaged input it is that of what can be decoded, and
        `reader.damage` says what is lost.

    Raises:
        InputError: Anything of it cannot be used; nothing is left behind.
        KeyboardInterrupt: Ctrl-C; what was made is kept.
    """
    options.read()
    sound.check(reader, pathlib.Path(output).suffix.lower())
    snapshots = collections.deque()
    if resume:
        writer = SegmentedWriter(
            *(output, reader, _fingerprint(options, reader), snapshots.popleft),
            coding=coding,
            overwrite=overwrite,
            segment_frames=SEGMENT,
        )
    else:
        writer = VideoWriter(output, like=reader, coding=coding, overwrite=overwrite)

    def approve():
        if strict and reader.damage:
            raise InputError(
                f"{reader.source}: {reader.damage}; strict=True keeps nothing of it"
            )

    writer.approve = approve
    reader.deep = writer.deep
    reader.keep_alpha = writer.alpha and not options.compare
    if not writer.deep:
        reader.keep_planes()
    with (
        writer,
        options.processor(reader) as process,
        progress(reader.num_frames, show) as bar,
    ):
        process.warm_up(*options.out_size(reader.height, reader.width))
        began, cpu_began = time.monotonic(), time.process_time()
        done, source = 0, reader
        if resume:
            done, source = writer.done, writer.remaining(reader)
            bar.skip(done)
            if writer.snapshot:
                process.restore(writer.snapshot)

        def write(count, job):
            result = process.finish(job)
            if resume and writer.ends_segment(count):
                snapshots.append(process.snapshot())
            writer.write(result, job.timestamp)
            bar.update()

        prepared = (process.prepare(options.resized(f), at) for f, at in source)
        depth = max(1, min(3, HELD // (3 * reader.height * reader.width)))
        with (
            Prefetcher(prepared, depth) as jobs,
            BackgroundWriter(write, depth) as background,
        ):
            for count, job in enumerate(jobs, done):
                background(count, process.paint(job))
                del job  # large ones count
    if reader.doubt:
        _log.warning("%s: %s", reader.source, reader.doubt)
    return Result(
        *(writer.path, writer.num_frames, writer.num_frames - done),
        *(time.monotonic() - began, time.process_time() - cpu_began),
    )


def _fingerprint(options, reader):
    """All that a result depends on."""
    reading = {name: getattr(reader, name) for name in ("deinterlace", "gaps")}
    made_of = fingerprint(options, reader.source, reader.path or reader.source)
    if reader.cut:
        reading["cut"] = str(reader.cut)
    if reader.sound != "keep":
        reading["sound"] = reader.sound
    return {**made_of, "fps": str(reader.fps), **reading}


def fingerprint(options: "StylizeOptions", *paths: str | os.PathLike) -> dict:
    """What was said, and the size and time of each file that it names.

    Args:
        options: StylizeOptions.
        paths: More files, and folders of files.

    Returns:
        JSON-able dict.
    """
    said = {
        name: os.fspath(value) if isinstance(value, os.PathLike) else value
        for name, value in dataclasses.asdict(options).items()
    }
    style = options.style
    if isinstance(style, np.ndarray):
        said["style"] = hashlib.sha256(style.tobytes()).hexdigest()
    elif isinstance(style, dict):
        said["style"] = {str(source): float(share) for source, share in style.items()}
    else:
        said["style"] = styles.listed(style)
    paths = [*paths, *(value for value in said.values() if isinstance(value, str))]
    paths += [
        style.source
        for one in options.schedules
        for style in one.styles
        if style.source
    ]
    stamps = {}
    for path in paths:
        inside = [pathlib.Path(path)]
        if os.path.isdir(path):
            inside += sorted(pathlib.Path(path).iterdir())
        for file in inside:
            if file.is_file():
                stat = file.stat()
                stamps[os.path.abspath(file)] = [stat.st_size, stat.st_mtime_ns]
    return {"job": said, "files": stamps}


def is_folder_of_videos(path: str | os.PathLike) -> bool:
    """Whether a folder is to be converted file by file, as it holds a video.

    Not one of numbered frames, beside which a preview may lie: see `is_shot`.
    """
    path = pathlib.Path(path)
    videos = files.find_below(path, VIDEO_SUFFIXES) if path.is_dir() else []
    if not videos:
        return False
    if not is_shot(path, videos):
        return True
    _log.warning(
        "%s: is taken as numbered pictures; of its videos (%d) none is converted",
        path, len(videos),
    )  # fmt: skip
    return False


def convert_folder(
    options: "StylizeOptions",
    folder: str | os.PathLike,
    output: str | os.PathLike,
    reading: dict[str, typing.Any] | None = None,
    overwrite: bool = False,
    coding: Coding | None = None,
    strict: bool = False,
    show: str = "auto",
    report: Callable[[str], object] = print,
) -> None:
    """Stylize every video of a folder, and of those inside, into another.

    What is there already is not made again, so that the same command after a stop goes
    on with the rest, also within a file. One that cannot be used does not stop the
    others.

    Args:
        options: StylizeOptions.
        folder: pathlib.Path that holds videos.
        output: Folder to make; files keep their names, and their suffixes if these can
            be written, else they become .mp4.
        reading: {argument: value} of VideoReader, or None.
        overwrite: Make all again.
        coding: As of VideoWriter.
        strict: As of `convert`.
        show: As of `convert`.
        report: Called with a line for each file.

    Raises:
        InputError: The output cannot be a folder, or some files could not be used, once
            all others are done.
        DamagedError: Some are damaged, as `report` was told, and none is worse.
    """
    folder, output = pathlib.Path(folder), pathlib.Path(output)
    if (output.exists() and not output.is_dir()) or output.suffix.lower() in WRITABLE:
        raise InputError(f"output={output}: a folder of videos becomes a folder")
    if output.resolve() == folder.resolve():
        raise InputError(f"output={output}: is the input; give another folder")
    options.read()  # what is wrong for all is said once
    sources = [
        path
        for path in files.find_below(folder, VIDEO_SUFFIXES)
        if output.resolve() not in path.resolve().parents
    ]
    suffixes = (coding or Coding()).among(WRITABLE)
    paths = targets(sources, folder, output, suffixes)
    broken = damaged = 0
    for index, (source, target) in enumerate(zip(sources, paths, strict=True), 1):
        head = f"[{index}/{len(sources)}] {source}"
        if target.exists() and not overwrite:
            report(
                f"{head}: is there already, as {target}; overwrite=True makes it again"
            )
            continue
        made = []
        try:
            made = _make_folder(target.parent)
            with VideoReader(source, **(reading or {})) as reader:
                resume = target.suffix.lower() in FORMATS
                result = convert(
                    *(options, reader, target, overwrite, resume, coding),
                    *(strict, show),
                )
                damage = reader.damage
        except InputError as error:
            broken += 1
            report(f"{head}: left out: {error}")
            for folder_made in made:
                with contextlib.suppress(OSError):  # something is in it
                    folder_made.rmdir()
            continue
        damaged += damage is not None
        report(f"{head}: {result}" + (f"; damaged: {damage}" if damage else ""))
    if broken:
        raise InputError(
            f"{folder}: {broken} of {len(sources)} videos could not be used, see above;"
            " the others are done"
        )
    if damaged:
        raise DamagedError(
            f"{folder}: {damaged} of {len(sources)} videos are damaged, see above; "
            "what can be decoded of them is done"
        )


def _make_folder(path):
    """Make a folder and those above; return the new ones, the innermost first."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be made ({error.strerror}); give another output"
        ) from error
    return missing


def targets(
    sources: Sequence[pathlib.PurePath],
    folder: pathlib.PurePath,
    output: pathlib.PurePath,
    writable: Collection[str] = WRITABLE,
) -> list[pathlib.PurePath]:
    """Where each result goes: a.avi becomes a.mp4, or a.avi.mp4 beside an a.mp4.

    Args:
        sources: All videos of a folder.
        folder: That folder.
        output: Folder of the results.
        writable: Suffixes that stay; others become the first of these.

    Returns:
        As many paths in `output`.
    """
    other = next(iter(writable))
    taken = {path.relative_to(folder) for path in sources}
    targets = []
    for path in sources:
        name = path.relative_to(folder)
        if path.suffix.lower() not in writable:
            name = name.with_suffix(other)
            if name in taken:
                name = path.relative_to(folder).with_name(f"{path.name}{other}")
            taken.add(name)
        targets.append(output / name)
    return targets
