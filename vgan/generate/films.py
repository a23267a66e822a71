"""Films by the thousand: a folder of them, here or at a URL, on Apache Beam."""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import sys
import threading
import time
import typing
from collections.abc import Callable, Sequence

import av

from vgan import DamagedError, InputError, __version__, files
from vgan.generate import places
from vgan.generate.beam import Job, run
from vgan.generate.convert import WRITABLE, fingerprint, targets
from vgan.generate.options import StylizeOptions
from vgan.video import VIDEO_SUFFIXES
from vgan.video.segmented_movie import FORMATS

WORK = ".shots"  # folder of what is under way
_EVERY = 5  # seconds between two lines of progress, six times that where it costs
_MOST = 16  # workers that are told apart in the report


def stylize_films(
    options: StylizeOptions,
    folder: str | os.PathLike,
    output: str | os.PathLike,
    flags: Sequence[str],
    reading: dict[str, typing.Any] | None = None,
    overwrite: bool = False,
    quality: float | None = None,
    strict: bool = False,
    show: str = "auto",
    report: Callable[[str], object] = print,
) -> None:
    """Stylize every film of a folder into another, on the workers of Apache Beam.

    As `convert.convert_folder`, but each shot is encoded by itself: bytes are the same
    whatever the number of workers, and frames those of `convert_folder` but for what
    the encoder makes of them.

    Args:
        options: StylizeOptions; model, styles and masks are where every worker finds
            them under the same names.
        folder: Path or URL of the films.
        output: Path or URL of the folder to make.
        flags: Of Apache Beam, as of `pipelines.run`.
        reading: {argument: value} of VideoReader, or None.
        overwrite: Make all again.
        quality: As of VideoWriter.
        strict: As of `convert`.
        show: Kind of `progress`.
        report: Called with a line for each film, and one for all at the end.

    Raises:
        InputError: Nothing could be made, or the pipeline failed.
        DamagedError: Some films could not be made or are damaged; the others are done.
    """
    folder, output = places.local(folder), places.local(output)
    _check(folder, output)
    options.read()
    job = Job(
        *(dataclasses.replace(options), dict(reading or {}), places.join(output, WORK)),
        *(quality, strict),
    )
    films = _films(options, job, folder, output)
    with _alone(output, job.work):
        there = set() if overwrite else set(places.listed(output))
        todo = [film for film in films if film["name"] not in there]
        _clean(job.work, todo)
        if todo:
            with _progress(job.work, len(todo), show):
                run(job, todo, flags)
        results = {film["key"]: job.read(film, "result") for film in todo}
        places.remove(job.path(film, "result") for film in todo)
    _tell(films, results, report)


def _check(folder, output):
    if not places.is_url(folder) and not os.path.isdir(folder):
        what = "is a file" if os.path.exists(folder) else "there is no such folder"
        raise InputError(f"input={folder}: {what}; give a folder of videos, or a URL")
    is_file = not places.is_url(output) and os.path.isfile(output)
    if is_file or pathlib.PurePath(output).suffix.lower() in WRITABLE:
        raise InputError(f"output={output}: a folder of videos becomes a folder")
    inner, outer = _steps(output), _steps(folder)
    if inner[: len(outer)] == outer:
        what = "is in the input" if inner != outer else "is the input"
        raise InputError(f"output={output}: {what}; give another folder")


def _steps(place):
    """The folders on the way to one."""
    place = place.rstrip("/") if places.is_url(place) else os.path.realpath(place)
    return place.split("/")


def _films(options, job, folder, output):
    """All films of a folder, and where each goes, as dicts."""
    found = {
        pathlib.PurePosixPath(name): stamp
        for name, stamp in places.listed(folder).items()
        if files.ends(name, VIDEO_SUFFIXES)
        and not any(part[0] == "." for part in name.split("/"))
    }
    if not found:
        raise InputError(f"input={folder}: holds no video; give a folder of videos")
    made_of = {
        "options": fingerprint(options, options.opened.path),
        "reading": {name: str(value) for name, value in job.reading.items()},
        "quality": job.quality,
        "encoder": [__version__, av.__version__, *av.library_versions["libavcodec"]],
    }
    here, films = pathlib.PurePosixPath(), []
    for name, target in zip(found, targets([*found], here, here, FORMATS), strict=True):
        made_of["film"] = [str(name), *found[name], str(target)]
        key = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode())
        films.append(
            {
                "key": key.hexdigest()[:24],
                "name": str(target),
                "source": places.join(folder, str(name)),
                "target": places.join(output, str(target)),
            }
        )
    return films


@contextlib.contextmanager
def _alone(output, work):
    """Hold the output, where it is on this machine; leave no empty folder there."""
    places.make_folder(work)
    if places.is_url(output):
        yield
        return
    told = f"{output}: another run is writing it; wait, or give another output"
    try:
        with files.locked(work, told):
            yield
    finally:
        with contextlib.suppress(OSError):  # what is not done stays
            os.rmdir(work)


def _clean(work, films):
    """Remove what killed runs left, and what is of other inputs or options."""
    keys = {film["key"] for film in films}
    places.remove(
        places.join(work, name)
        for name in places.listed(work)
        if name != files.LOCK
        and (name.partition("-")[0] not in keys or name.endswith("-result"))
    )


@contextlib.contextmanager
def _progress(work, total, show):
    """Tell on standard error how far the films are, now and then."""
    began, ended = time.monotonic(), threading.Event()

    def tell():
        last = None
        while not ended.wait(_EVERY * (6 if places.is_url(work) else 1)):
            try:
                names = places.listed(work)
            except InputError:  # a line less
                continue
            done = sum(name.endswith("-result") for name in names)
            waiting = sum(name.endswith(".segment") for name in names)
            if (done, waiting) == last:
                continue
            last = done, waiting
            told = {"films": done, "total": total, "shots_waiting": waiting}
            told["seconds"] = round(time.monotonic() - began, 3)
            line = f" {done}/{total} films; {waiting} shots wait to be joined"
            line = json.dumps(told) if show == "json" else line
            print(line, file=sys.stderr, flush=True)

    teller = threading.Thread(target=tell, daemon=True)
    if show != "none":
        teller.start()
    try:
        yield
    finally:
        ended.set()


def _tell(films, results, report):
    broken = damaged = frames = 0
    workers = {}
    for index, film in enumerate(films, 1):
        head = f"[{index}/{len(films)}] {film['source']}"
        result = results.get(film["key"])
        if result is None:
            report(
                f"{head}: is there already, as {film['target']}; overwrite=True makes "
                "it again"
            )
        elif "error" in result:
            broken += 1
            report(f"{head}: left out: {result['error']}")
        else:
            damage, frames = result["damage"], frames + result["frames"]
            damaged += damage is not None
            line = f"{film['target']}: {result['frames']} frames, "
            line += f"{result['shots']} shot{'s' * (result['shots'] != 1)}"
            line += f"; damaged: {damage}" if damage else ""
            line += f"; {result['doubt']}" if result["doubt"] else ""
            report(f"{head}: {line}")
            for name, (count, seconds) in result["workers"].items():
                before = workers.get(name, (0, 0))
                workers[name] = before[0] + count, before[1] + seconds
    made = len(results) - broken
    line = f"{len(films)} films: {made} made, {frames} frames; "
    line += f"{len(films) - len(results)} there already; {broken} left out"
    report(line)
    for name, (count, seconds) in sorted(workers.items())[:_MOST]:
        rate = count / max(seconds, 1e-9)
        report(f"worker {name}: {count} frames, {rate:.1f} frames/s")
    if len(workers) > _MOST:
        report(f"and {len(workers) - _MOST} more workers")
    if broken == len(films):
        raise InputError("none of the films could be used, see above")
    if broken or damaged:
        raise DamagedError(
            f"{broken} of {len(films)} films could not be used and {damaged} are "
            "damaged, see above; the others are done"
        )
