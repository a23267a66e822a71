"""Scanning many sources at once, each in a process that may die of it."""

import concurrent.futures
import contextlib
import dataclasses
import json
import pathlib
import queue
import signal
import subprocess
import sys
import threading
import typing
from collections.abc import Callable, Sequence

from vgan import InputError
from vgan.prepare.inputs import Source
from vgan.prepare.scan import blank
from vgan.prepare.settings import Settings


class WorkerError(Exception):
    """A process ended without an answer; the argument says how."""


def scan_all(
    sources: Sequence[Source],
    settings: Settings,
    folder: pathlib.Path,
    workers: int,
    tell: Callable[[Source, float, int], object],
) -> list[dict[str, typing.Any]]:
    """Scan all sources.

    A process that dies, of a lack of memory or of a file that a decoder cannot stand,
    takes nothing with it: the rest goes on, and its file is tried again at the end,
    alone. A file at which two have died is left out.

    Args:
        sources: List of Source.
        settings: Settings.
        folder: Folder of the parts.
        workers: Processes at a time.
        tell: Called with (source, share of it that is read, clips of it so far).

    Returns:
        List of facts, in the order of `sources`.

    Raises:
        InputError: Parts cannot be written.
        KeyboardInterrupt: Ctrl-C. No process is left, in any case.
    """
    facts = {}
    with _Pool(settings, folder, workers) as pool:
        futures = {pool.scan(source, tell): source for source in sources}
        died = []
        for future in concurrent.futures.as_completed(futures):
            source = futures[future]
            try:
                facts[source.name] = future.result()
            except WorkerError:
                died.append(source)
        for source in sorted(died, key=lambda source: source.name):
            try:
                facts[source.name] = pool.scan(source, tell).result()
            except WorkerError as how:
                facts[source.name] = blank(source, settings) | {
                    "error": f"reading it ended two processes ({how}); leave it out, "
                    "or, if memory ran out, give fewer workers"
                }
    return [facts[source.name] for source in sources]


class _Pool:
    """Threads, each of which talks to a process of its own."""

    def __init__(self, settings, folder, workers):
        self._begin = {"settings": dataclasses.asdict(settings), "folder": str(folder)}
        self._threads = concurrent.futures.ThreadPoolExecutor(workers)
        self._idle = queue.SimpleQueue()
        self._processes, self._lock, self._ending = set(), threading.Lock(), False

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        with self._lock:
            self._ending = True
            for process in self._processes:
                process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            _end(process)

    def scan(self, source, tell):
        """Return the Future of the facts of a source."""
        return self._threads.submit(self._scan, source, tell)

    def _scan(self, source, tell):
        process = self._idle_one() or self._start()
        try:
            process.stdin.write(json.dumps(dataclasses.asdict(source)) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                answer = json.loads(line)
                if "share" in answer:
                    tell(source, answer["share"], answer["clips"])
                    continue
                self._idle.put(process)
                if "failed" in answer:
                    raise InputError(
                        f"{self._begin['folder']}: cannot be written "
                        f"({answer['failed']}); fix that, then the same command "
                        "goes on from here"
                    )
                return answer["facts"]
        except BrokenPipeError:  # it died while it waited
            pass
        with self._lock:
            self._processes.discard(process)
        raise WorkerError(_end(process))

    def _idle_one(self):
        """A process that waits; one that died of waiting is no fault of a file."""
        with contextlib.suppress(queue.Empty):
            while (process := self._idle.get_nowait()).poll() is not None:
                pass
            return process
        return None

    def _start(self):
        with self._lock:
            if self._ending:
                raise WorkerError("at the end")
            process = subprocess.Popen(
                [sys.executable, "-m", "vgan.prepare.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,  # Ctrl-C is for us, and we end them
            )
            self._processes.add(process)
        try:
            process.stdin.write(json.dumps(self._begin) + "\n")
        except BrokenPipeError:
            raise WorkerError("at once") from None
        return process


def _end(process):
    """Wait for the end of a process that ends or waits for us; return how it ended."""
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    process.stdout.close()
    code = process.wait()
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
