"""Films by the thousand: an Apache Beam pipeline whose element is a shot.

    films ─► find cuts ─► shots ─► stylize each ─► by film ─► join ─► films, results

What is done lies in a hidden folder of the output until its film is whole, under names
that say of which input and options it is: whatever is done twice, by a worker or a
second run, is done once.
"""

import contextlib
import dataclasses
import errno
import json
import os
import pathlib
import socket
import time
import typing
from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam

from vgan import InputError, pipelines
from vgan.generate import places, shots
from vgan.generate.options import StylizeOptions
from vgan.video.segment_file import DamagedSegmentError


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
            path.write_text(json.dumps(value, separators=(",", ":")))


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


def run(job: Job, films: Sequence[dict[str, str]], flags: Sequence[str]) -> None:
    """Make films on Beam's workers; the result of each is in the work folder then.

    Args:
        job: Job.
        films: Dicts of "key", which stands for input and options, "source" and
            "target", paths or URLs.
        flags: As of `pipelines.run`.

    Raises:
        InputError: The pipeline failed; what is done is kept.
    """
    with pipelines.opened(flags) as start:
        _ = (
            start
            | beam.Create(list(films))
            | "spread films" >> beam.Reshuffle()
            | beam.ParDo(FindShots(job))
            | "spread shots" >> beam.Reshuffle()
            | beam.ParDo(StylizeShot(job))
            | beam.GroupByKey()
            | beam.ParDo(JoinShots(job))
        )


def _line(error):
    """What is wrong with a film, as one line."""
    line = " ".join(str(error).split())
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk of the output, or of temporary files, is full; make room on it"
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
