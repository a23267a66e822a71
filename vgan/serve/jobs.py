"""Films that are painted from end to end, one after the other, with their sound.

Each runs `vgan.stylize`, what the command `vgan generate` does, in a process of its
own: cancelling one, or a decoder that crashes on one, touches nothing else. A job's
folder holds all of it, and is removed with the job.
"""

import asyncio
import contextlib
import dataclasses
import json
import pathlib
import re
import secrets
import shutil
import sys
import time
from collections.abc import Sequence

from PIL import Image

from vgan.serve import uploads
from vgan.serve.choice import Choice
from vgan.serve.network import BusyError
from vgan.serve.shelf import Shelf

MOST = 8  # jobs that are kept
KEPT = 3600  # seconds that a result waits to be taken
WORKER = (sys.executable, "-m", "vgan.serve.worker")
# What `--progress=json` says.
_PROGRESS = re.compile(r'{"frames": (\d+), "total": (\d+|null), [^}\n]*}\n')
_TAIL = 2000  # characters of a worker's last words


@dataclasses.dataclass(eq=False)
class Job:
    """One film.

    Attributes:
        id: A secret that only its visitor knows.
        title: The film's name, to show.
        folder: That holds its files.
        order: Arguments of `vgan.stylize`.
        state: "uploading", "waiting", "painting", "done" or "failed".
        done: Frames painted.
        total: Frames in all, or None where that is not known.
        began: Second of the monotonic clock at which painting began.
        ended: And ended.
        message: What went wrong.
    """

    id: str
    title: str
    folder: pathlib.Path
    order: dict = dataclasses.field(default_factory=dict)
    state: str = "uploading"
    done: int = 0
    total: int | None = None
    began: float = 0.0
    ended: float = 0.0
    message: str = ""
    process: asyncio.subprocess.Process | None = None

    @property
    def upload(self) -> pathlib.Path:
        """Where the film goes while it comes in."""
        return self.folder / "upload"

    @property
    def result(self) -> pathlib.Path:
        """Where the painted film is."""
        return self.folder / "painted.mp4"

    def facts(self) -> dict:
        """What the page shows."""
        seconds = (self.ended or time.monotonic()) - self.began
        fps = self.done / seconds if self.began and self.done else None
        return {
            "id": self.id,
            "title": self.title,
            "state": self.state,
            "done": self.done,
            "total": self.total,
            "fps": fps and round(fps, 1),
            "message": self.message,
            "result": f"/api/jobs/{self.id}/result" if self.state == "done" else None,
        }


class Jobs:
    """All jobs of one server.

    Args:
        folder: Where their folders go.
        model: Path of the model.
        engine: What runs it.
        worker: Command of the process that paints; tests give another.
        device: What the engine runs on; None: the usual.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        model: str,
        engine: str,
        worker: Sequence[str] = WORKER,
        device: str | None = None,
    ):
        self._folder, self._worker = folder, worker
        self._model = {"model": str(model), "engine": engine, "device": device}
        self._known, self._tasks = {}, []
        self._queue = asyncio.Queue()

    def __getitem__(self, id: str) -> Job:
        return self._known[id]

    def __len__(self) -> int:
        return len(self._known)

    def start(self) -> None:
        """Begin to work; call it in the server's loop."""
        self._tasks = [
            asyncio.create_task(self._work()),
            asyncio.create_task(self._sweep()),
        ]

    async def close(self) -> None:
        """End all jobs and remove their files."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for job in list(self._known.values()):
            await self.remove(job)

    async def new(self, title: str) -> Job:
        """Return a job whose film is to come.

        Raises:
            BusyError: There are `MOST`, none of which is done with.
        """
        over = [job for job in self._known.values() if job.ended]
        if len(self._known) >= MOST and over:
            await self.remove(min(over, key=lambda job: job.ended))
        if len(self._known) >= MOST:
            raise BusyError
        id = secrets.token_urlsafe(16)
        job = Job(id, title, self._folder / f"job-{secrets.token_hex(8)}")
        job.folder.mkdir()
        self._known[id] = job
        return job

    def put(self, job: Job, choice: Choice, shelf: Shelf) -> None:
        """Let a job whose film is there wait for its turn.

        Raises:
            vgan.InputError: It is no film, or a style is gone.
        """
        film = job.upload.with_suffix(uploads.film_suffix(job.upload))
        job.upload.replace(film)
        shelf.code(choice)  # what is wrong with it is said now
        known = shelf.known
        style = {}
        for index, (name, share) in enumerate(
            choice.shares.items() or [(next(iter(known)), 1.0)]
        ):
            if known[name].painting is not None:
                path = job.folder / f"painting{index}.png"
                Image.fromarray(known[name].painting).save(path)
                name = str(path)
            style[name] = share
        job.order = {
            **self._model,
            "input": str(film),
            "output": str(job.result),
            "style": style,
            "strength": choice.strength,
            "keep_color": choice.keep_color,
            "progress": "json",
        }
        job.state = "waiting"
        self._queue.put_nowait(job)

    async def remove(self, job: Job) -> None:
        """Cancel a job, and remove all that is there of it."""
        self._known.pop(job.id, None)
        await _kill(job.process)
        await asyncio.to_thread(shutil.rmtree, job.folder, ignore_errors=True)

    async def _work(self):
        while True:
            job = await self._queue.get()
            if job.id not in self._known:
                continue
            job.state, job.began = "painting", time.monotonic()
            try:
                words = await self._paint(job)
            except OSError as error:
                words = str(error.strerror)
            finally:
                await _kill(job.process)
            if job.id not in self._known:  # cancelled, and its files go meanwhile
                continue
            job.ended = time.monotonic()
            if job.process and job.process.returncode == 0 and job.result.exists():
                job.state, job.done = "done", job.total or job.done
            else:
                job.state, job.message = "failed", _told(job, words)
            for path in job.folder.glob("upload.*"):
                path.unlink(missing_ok=True)

    async def _paint(self, job):
        """Run the worker to its end; return its last words."""
        job.process = await asyncio.create_subprocess_exec(
            *self._worker,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is the server's to handle
        )
        if job.id not in self._known:  # cancelled meanwhile
            return ""
        with contextlib.suppress(ConnectionError):
            job.process.stdin.write(json.dumps(job.order).encode() + b"\n")
            await job.process.stdin.drain()
        words = ""
        while piece := await job.process.stderr.read(4096):
            words += piece.decode("utf-8", "replace")
            for found in _PROGRESS.finditer(words):
                job.done = int(found[1])
                job.total = None if found[2] == "null" else int(found[2])
            words = words[-_TAIL:]
        await job.process.wait()
        return _PROGRESS.sub("", words)

    async def _sweep(self):
        """Remove what nobody has taken."""
        while True:
            await asyncio.sleep(60)
            for job in list(self._known.values()):
                if job.ended and time.monotonic() - job.ended > KEPT:
                    await self.remove(job)


async def _kill(process):
    if process is None:
        return
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()


def _told(job, words):
    """A worker's last line; the visitor knows the film by its own name."""
    if job.process is None or job.process.returncode != 2:
        return "the film could not be painted: its process ended; try another film"
    lines = [line for line in re.split(r"[\r\n]+", words) if line.strip()]
    line = lines[-1] if lines else "the film could not be painted"
    for path in (*job.folder.glob("*"), job.folder):
        line = line.replace(str(path), job.title if "upload" in path.name else "film")
    return line.strip()[:500]
