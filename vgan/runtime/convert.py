"""A video in, a video out: one file, or a folder of them."""

import os
import pathlib
import sys
import time

import tqdm

from vgan import InputError
from vgan.runtime.pipeline import Ahead, Behind
from vgan.video import VIDEO_SUFFIXES, VideoReader, VideoWriter

WRITABLE = (".mp4", ".mkv", ".mov", ".webm", ".gif")
HELD = 64_000_000  # bytes of frames that wait between two stages


def convert(job, reader, output, overwrite=False):
    """Stylise a video to its end; no frame is dropped.

    Args:
        job: runtime.job.Job.
        reader: VideoReader.
        output: What VideoWriter writes.
        overwrite: Replace an output that exists.

    Returns:
        The VideoWriter, and the seconds that it took once all was loaded.

    Raises:
        InputError: Anything of it cannot be used; nothing is left behind.
        KeyboardInterrupt: Ctrl-C; what was made is kept.
    """
    schedules = job.read()
    with (
        VideoWriter(output, like=reader, overwrite=overwrite) as writer,
        job.look(schedules, reader) as look,
        progress(reader.num_frames) as bar,
    ):
        began = time.monotonic()

        def write(frame, timestamp):
            writer.write(frame, timestamp)
            bar.update()

        depth = max(1, min(3, HELD // (3 * reader.height * reader.width)))
        with Ahead(reader, depth) as frames, Behind(write, depth) as behind:
            for frame, timestamp in frames:
                frame = job.resized(frame)
                behind(look(frame, timestamp), timestamp)
                del frame  # large ones count
    return writer, time.monotonic() - began


def progress(total):
    """A bar over frames on the terminal."""
    return tqdm.tqdm(total=total, unit="frame", file=sys.stderr)


def is_folder_of_videos(path):
    """Whether a folder is to be converted file by file, as it holds a video."""
    path = pathlib.Path(path)
    return path.is_dir() and bool(_videos(path))


def convert_folder(job, folder, output, fps=None, overwrite=False, report=print):
    """Stylise every video of a folder, and of those inside, into another.

    What is there already is not made again, so that the same command after a stop goes
    on with the rest. A file that cannot be used does not stop the others.

    Args:
        job: runtime.job.Job.
        folder: pathlib.Path that holds videos.
        output: Folder to make; files keep their names, and their suffixes if these can
            be written, else they become .mp4.
        fps: Frames per second to resample to, or None.
        overwrite: Make all again.
        report: Called with a line for each file.

    Raises:
        InputError: The output cannot be a folder, or some files could not be used, once
            all others are done.
    """
    folder, output = pathlib.Path(folder), pathlib.Path(output)
    if output.exists() and not output.is_dir():
        raise InputError(f"--output={output}: a folder of videos becomes a folder")
    if output.resolve() == folder.resolve():
        raise InputError(f"--output={output}: is the input; give another folder")
    sources = [path for path in _videos(folder) if output not in path.parents]
    targets = _targets(sources, folder, output)
    broken = 0
    for index, (source, target) in enumerate(zip(sources, targets, strict=True), 1):
        head = f"[{index}/{len(sources)}] {source}"
        if target.exists() and not overwrite:
            report(f"{head}: is there already, as {target}")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with VideoReader(source, fps=fps) as reader:
                writer, seconds = convert(job, reader, target, overwrite)
        except InputError as error:
            broken += 1
            report(f"{head}: left out: {error}")
            continue
        rate = writer.num_frames / max(seconds, 1e-9)
        report(f"{head}: {target}, {writer.num_frames} frames, {rate:.1f} frames/s")
    if broken:
        raise InputError(
            f"{folder}: {broken} of {len(sources)} videos could not be used, see above;"
            " the others are done"
        )


def _videos(folder):
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            pathlib.Path(place, name)
            for name in names
            if name.lower().endswith(VIDEO_SUFFIXES) and not name.startswith(".")
        ]
    return sorted(found)


def _targets(sources, folder, output):
    """Where each result goes: a.avi becomes a.mp4, or a.avi.mp4 beside an a.mp4."""
    targets = []
    names = {path.relative_to(folder) for path in sources}
    for path in sources:
        name = path.relative_to(folder)
        if path.suffix.lower() not in WRITABLE:
            name = name.with_suffix(".mp4")
            if name in names:
                name = path.relative_to(folder).with_name(f"{path.name}.mp4")
        targets.append(output / name)
    return targets
