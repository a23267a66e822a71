"""Films by the thousand: an Apache Beam pipeline whose element is a shot.

    films ─► find cuts ─► shots ─► stylize each ─► by film ─► join ─► films, results

What is done lies in a hidden folder of the output until its film is whole, under names
that say of which input and options it is: whatever is done twice, by a worker or a
second run, is done once.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import socket
import sys
import threading
import time
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence

import apache_beam as beam
import av

from vgan import DamagedError, InputError, __version__, files, pipelines
from vgan.generate import places, shots
from vgan.generate.convert import WRITABLE, fingerprint, targets
from vgan.generate.options import StylizeOptions
from vgan.video import VIDEO_SUFFIXES
from vgan.video.segment_file import DamagedSegmentError
from vgan.video.segmented_movie import FORMATS

WORK = ".shots"  # folder of what is under way
_EVERY = 5  # seconds between two lines of progress, six times that where it costs
_MOST = 16  # workers that are told apart in the report
_JSON = {"separators": (",", ":")}


@dataclasses.dataclass(frozen=True)
class Job:
    """What is the same for all films.

    Attributes:
        options: StylizeOptions, not read yet.
        reading: {argument: value} of VideoReader.
        work: Folder or URL of what is under way.
        quality: As of VideoWriter.
        strict: Whether nothing is made of a damaged film.
    """

    options: StylizeOptions
    reading: dict[str, typing.Any]
    work: str
    quality: float | None
    strict: bool

    def path(self, film: dict[str, str], kind: str) -> str:
        """Path of what is kept of a film."""
        return places.join(self.work, f"{film['key']}-{kind}")

    def segment(self, film: dict[str, str], index: int) -> str:
        """Path of a shot that is made."""
        return self.path(film, f"{index:06d}.segment")

    def read(self, film: dict[str, str], kind: str) -> dict[str, typing.Any]:
        """Read what `write` has written."""
        with places.opened(self.path(film, kind)) as file:
            return json.loads(file.read())

    def write(
        self, film: dict[str, str], kind: str, value: dict[str, typing.Any]
    ) -> None:
        """Keep a JSON-able dict of a film."""
        with places.making(self.path(film, kind), self.work) as path:
            path.write_text(json.dumps(value, **_JSON))


class FindShots(beam.DoFn):
    """A film becomes its shots; one that cannot be read is told, and none."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def process(self, film: dict[str, str]) -> Iterator[dict[str, typing.Any]]:
        """Yield the shots of a film, those too that are made."""
        job = self._job
        try:
            known = places.exists(job.path(film, "cuts"))
            found = job.read(film, "cuts") if known else self._find(film)
            if job.strict and found["damage"]:
                raise InputError(f"{found['damage']}; strict=True keeps nothing of it")
            if not known:
                job.write(film, "cuts", found)
        except Exception as error:  # of one film, which must not stop the others
            job.write(film, "result", {"error": _line(error)})
            return
        for index, shot in enumerate(found.pop("shots")):
            yield {"film": film, "known": found, "index": index, "shot": shot}

    def _find(self, film):
        with places.fetched(film["source"]) as source:
            return shots.find(self._job.options, source, self._job.reading)


class StylizeShot(beam.DoFn):
    """Makes a shot, unless it is made; holds the engine."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def setup(self) -> None:
        """Load the engine, once for each worker."""
        self._options = dataclasses.replace(self._job.options)
        self._options.read()
        if self._options.opened.name != "litert":  # which is for frames of one size
            self._options.opened.load()

    def process(
        self, element: dict[str, typing.Any]
    ) -> Iterator[tuple[str, dict[str, typing.Any]]]:
        """Yield (key of the film, what was done)."""
        job, film = self._job, element["film"]
        path = job.segment(film, element["index"])
        done = {"film": film, "frames": len(element["shot"]["checks"]), "error": None}
        began, used = time.monotonic(), time.process_time()
        try:
            if not places.exists(path):
                with places.making(path, job.work) as made:
                    shots.stylize(
                        *(self._options, _opener(film["source"]), job.reading),
                        *(element["known"], element["shot"], made),
                        *(pathlib.PurePath(film["target"]), job.quality),
                    )
                done["worker"] = f"{socket.gethostname()}:{os.getpid()}"
        except Exception as error:
            done["error"] = _line(error)
        done["seconds"] = time.monotonic() - began
        done["cpu_seconds"] = time.process_time() - used
        yield film["key"], done


class JoinShots(beam.DoFn):
    """Puts a film together once all its shots are made, and tells of it."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def process(
        self, element: tuple[str, Iterable[dict[str, typing.Any]]]
    ) -> Iterator[str]:
        """Yield the key of the film; its result is in the work folder."""
        job, (key, done) = self._job, element
        done = list(done)
        film = done[0]["film"]
        yield key
        if self._is_done(film):  # by an attempt of which the runner does not know
            return
        try:
            error = next((one["error"] for one in done if one["error"]), None)
            result = {"error": error} if error else self._join(film)
        except Exception as error:
            result = {"error": _line(error)}
        if "error" not in result or not self._is_done(film):  # by another, meanwhile
            job.write(film, "result", {**result, "workers": _by_worker(done)})
        if "error" not in result:
            count = result["shots"]
            places.remove(job.segment(film, index) for index in range(count))
            places.remove([job.path(film, "cuts")])

    def _is_done(self, film):
        known = places.exists(self._job.path(film, "result"))
        return known and "error" not in self._job.read(film, "result")

    def _join(self, film):
        job, found = self._job, self._job.read(film, "cuts")
        paths = [job.segment(film, index) for index in range(len(found["shots"]))]
        with contextlib.ExitStack() as stack:
            segments = [stack.enter_context(places.fetched(path)) for path in paths]
            source = stack.enter_context(places.fetched(film["source"]))
            made = stack.enter_context(places.making(film["target"], job.work))
            try:
                damage = shots.join_all(
                    found, source, job.reading, segments, made, job.quality
                )
            except DamagedSegmentError as error:
                name = pathlib.Path(str(error)).name
                places.remove([places.join(job.work, name)])
                raise InputError(
                    f"{name}: is damaged; the same command again makes it anew"
                ) from error
        return {
            "frames": sum(len(shot["checks"]) for shot in found["shots"]),
            "shots": len(paths),
            "damage": found["damage"] or damage,
            "doubt": found["doubt"],
        }


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
            with _progress(job.work, len(todo), show), pipelines.opened(flags) as start:
                _ = (
                    start
                    | beam.Create(todo)
                    | "spread films" >> beam.Reshuffle()
                    | beam.ParDo(FindShots(job))
                    | "spread shots" >> beam.Reshuffle()
                    | beam.ParDo(StylizeShot(job))
                    | beam.GroupByKey()
                    | beam.ParDo(JoinShots(job))
                )
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
    return (place if places.is_url(place) else os.path.realpath(place)).split("/")


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
        while not ended.wait(_EVERY * (6 if places.is_url(work) else 1)):
            try:
                names = places.listed(work)
            except InputError:  # a line less
                continue
            done = sum(name.endswith("-result") for name in names)
            waiting = sum(name.endswith(".segment") for name in names)
            told = {"films": done, "total": total, "shots_waiting": waiting}
            told["seconds"] = round(time.monotonic() - began, 3)
            line = f" {done}/{total} films; {waiting} shots wait to be joined"
            print(json.dumps(told) if show == "json" else line, file=sys.stderr)

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
            line += f"{result['shots']} shots"
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


def _line(error):
    """What is wrong with a film, as one line."""
    line = " ".join(str(error).split())
    return line if isinstance(error, InputError) else f"{type(error).__name__}: {line}"


def _by_worker(done):
    """{worker: (frames, seconds)} of what was made."""
    workers = {}
    for one in done:
        if "worker" in one:
            frames, seconds = workers.get(one["worker"], (0, 0))
            workers[one["worker"]] = frames + one["frames"], seconds + one["seconds"]
    return workers


def _opener(source):
    if places.is_url(source):
        return lambda: places.opened(source)
    return lambda: contextlib.nullcontext(pathlib.Path(source))
