"""Damage small films at random, stylize them, and count what must not happen.

    python -m tools.fuzz_videos --mutations=1000 --seed=0 [--keep=DIR]

Films of several codecs and containers are rendered; each mutation flips bits of one,
cuts it off, zeroes a part, or joins it with another; `vgan.stylize` works on it with a
tiny model, in a process of its own. What must not happen: a traceback (anything raised
but vgan.InputError), a hang, a crash of the process, a half file (a result after a
refusal, something beside it, or nothing in it) or a silent loss (fewer frames than the
film had, or than it still has packets, without an error or a line). The exit code is 1
if anything of it happened; --keep keeps these films.
"""

import collections
import concurrent.futures
import logging
import multiprocessing
import os
import pathlib
import queue
import random
import shutil
import sys
import tempfile
import time
from fractions import Fraction

import av
import numpy as np

from vgan import command

FLAGS = command.Flags()
FLAGS.DEFINE_integer("mutations", 200, "how many", lower_bound=1)
FLAGS.DEFINE_integer("seed", 0, "of all that is random")
FLAGS.DEFINE_integer("workers", 2, "processes that work side by side", lower_bound=1)
FLAGS.DEFINE_float("limit", 60, "seconds that one film may take")
FLAGS.DEFINE_string("keep", None, "folder for films that show a fault")

FRAMES, HEIGHT, WIDTH = 30, 48, 64
KINDS = [  # name, codec, sound
    ("a.mp4", "libx264", "aac"),
    ("b.mp4", "libx265", None),
    ("c.mov", "mjpeg", None),
    ("d.mkv", "libx264", "aac"),
    ("e.mkv", "mpeg4", "pcm_s16le"),
    ("f.webm", "libvpx", "libopus"),
    ("g.webm", "libvpx-vp9", None),
    ("h.ts", "libx264", "aac"),
    ("i.mpg", "mpeg2video", None),
    ("j.avi", "mpeg4", "libmp3lame"),
    ("k.flv", "flv", None),
    ("l.gif", "gif", None),
]
# Of these nothing tells how long they were: their end may be lost in silence.
ENDLESS = (".ts", ".mpg", ".gif")
# Lines that do not speak of lost frames.
OTHER_LINES = ("does not hold its", "encoded anew", "left out", "changes ")


def render(path: pathlib.Path, codec: str, sound: str | None, seed: int) -> None:
    """Write a film of FRAMES frames, of a pattern that moves."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    movflags = {"movflags": "+faststart"} if path.suffix in (".mp4", ".mov") else {}
    pixels = {"mjpeg": "yuvj420p", "gif": "rgb8"}.get(codec, "yuv420p")
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    with av.open(str(path), "w", options=movflags) as container:
        stream = container.add_stream(codec, rate=25, options={"g": "10", **options})
        stream.codec_context.width, stream.codec_context.height = WIDTH, HEIGHT
        stream.codec_context.pix_fmt = pixels
        tone = container.add_stream(sound, rate=48000) if sound else None
        if tone:
            tone.codec_context.layout = "mono"
        for k in range(FRAMES):
            phases = (x / 9 + k / 3 + seed, y / 11 - k / 4, (x + y) / 14 + k / 5)
            picture = np.stack([np.sin(p) * 90 + 128 for p in phases], -1)
            frame = av.VideoFrame.from_ndarray(picture.astype(np.uint8))
            frame = frame.reformat(format=pixels)
            frame.pts, frame.time_base = k, Fraction(1, 25)
            container.mux(stream.encode(frame))
            if tone:
                wave = np.sin(np.arange(1920) / 20) * 8000
                samples = av.AudioFrame.from_ndarray(
                    wave.astype(np.int16)[None], format="s16", layout="mono"
                )
                samples.sample_rate, samples.pts = 48000, 1920 * k
                container.mux(tone.encode(samples))
        for each in filter(None, (stream, tone)):
            container.mux(each.encode(None))


def mutate(data: bytes, other: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Return what was done to a film, and the result; `other` is one to join."""
    kind = rng.choice(("flip", "truncate", "zero", "join"))
    changed = bytearray(data)
    if kind == "flip":
        for _ in range(rng.choice((1, 3, 10, 50))):
            changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "truncate":
        del changed[rng.randrange(len(data)) :]
    elif kind == "zero":
        start = rng.randrange(len(data))
        end = min(len(data), start + rng.choice((16, 200, 2000)))
        changed[start:end] = bytes(end - start)
    else:  # the beginning of one, then the end of the other
        changed[rng.randrange(len(data)) :] = other[rng.randrange(len(other)) :]
    return kind, bytes(changed)


def packets(path: pathlib.Path) -> int:
    """How many packets of a picture a film still has."""
    count = 0
    try:
        with av.open(str(path)) as container:
            for packet in container.demux(video=0):
                count += bool(packet.size) and not packet.is_discard
    except (av.FFmpegError, OSError, IndexError, ValueError):
        pass
    return count


def work(
    model: str,
    jobs: "multiprocessing.queues.Queue",
    results: "multiprocessing.queues.Queue",
) -> None:
    """Stylize each film that comes; answer with how that ended, and what was said."""
    import vgan

    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logging.getLogger("vgan").addHandler(handler)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    vgan.load(model)
    results.put("ready")
    for source, output in iter(jobs.get, None):
        said.clear()
        try:
            vgan.stylize(source, "one", output, model=model, progress="none")
            end = "whole"
        except vgan.DamagedError as error:
            end, said[:0] = "damaged", [str(error)]
        except vgan.InputError as error:
            end, said[:0] = "refused", [str(error)]
        except BaseException as error:
            end, said[:0] = "traceback", [f"{type(error).__name__}: {error}"]
        results.put((end, list(said)))


class Worker:
    """A process that is started again when it hangs or crashes."""

    def __init__(self, model: str) -> None:
        self._model, self._process = model, None

    def __call__(self, job: tuple[str, str], limit: float) -> tuple[str, list[str]]:
        """Return how a job ended: as `work` says, or "hang" or "crash"."""
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._jobs, self._results = context.Queue(), context.Queue()
            arguments = self._model, self._jobs, self._results
            self._process = context.Process(target=work, args=arguments, daemon=True)
            self._process.start()
            self._results.get(timeout=600)  # what it imports first takes a while
        self._jobs.put(job)
        until = time.monotonic() + limit
        while self._results.empty():
            crashed = not self._process.is_alive()
            if crashed or time.monotonic() > until:
                self.close()
                return ("crash" if crashed else "hang"), []
            time.sleep(0.01)
        return self._results.get()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


def fault(
    end: str, said: list[str], folder: pathlib.Path, source: pathlib.Path
) -> str | None:
    """What must not be, in how a film ended and what lies in the folder; or None."""
    if end in ("traceback", "hang", "crash"):
        return end
    found = sorted(path.name for path in folder.iterdir())
    if found != ([] if end == "refused" else ["out.mp4"]):
        return "half file"
    if end == "refused":
        return None if said and "\n" not in said[0] else "traceback"
    made = packets(folder / "out.mp4")
    if not made:
        return "half file"
    expected = packets(source)
    if source.suffix not in ENDLESS:
        expected = max(expected, FRAMES)
    told = [line for line in said if not any(words in line for words in OTHER_LINES)]
    return "silent loss" if made < expected and end == "whole" and not told else None


def make_model(folder: pathlib.Path) -> str:
    """Save the smallest model."""
    command.import_keras()
    import keras

    from vgan.models import Generator

    keras.utils.set_random_seed(0)
    path = folder / "generator.keras"
    styles = {"one": [1.0] * 16}
    sizes = {"code_size": 16, "noise_size": 8, "named_styles": styles}
    Generator((8, 8), 8, 0, **sizes).save(path)
    return str(path)


def main(_: list[str]) -> None:
    """Render, damage, stylize, count."""
    rng = random.Random(FLAGS.seed)
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        films = []
        for name, codec, sound in KINDS:
            pair = []
            for seed in range(2):
                render(folder / name, codec, sound, seed)
                pair.append((folder / name).read_bytes())
            films.append((name, *pair))
        model, idle = make_model(folder), queue.SimpleQueue()
        workers = [Worker(model) for _ in range(FLAGS.workers)]
        for worker in workers:
            idle.put(worker)

        def attempt(number, name, kind, changed):
            source = folder / f"{number}_{kind}_{name}"
            source.write_bytes(changed)
            output = folder / f"{number}_output"
            output.mkdir()
            worker = idle.get()
            end, said = worker((str(source), str(output / "out.mp4")), FLAGS.limit)
            idle.put(worker)
            what = fault(end, said, output, source)
            if what:
                print(f"{source.name}: {what}: {'; '.join(said)[:300]}", flush=True)
                if FLAGS.keep:
                    os.makedirs(FLAGS.keep, exist_ok=True)
                    shutil.copy(source, FLAGS.keep)
            shutil.rmtree(output)
            source.unlink()
            return what or end

        jobs = []
        for number in range(FLAGS.mutations):
            name, data, other = rng.choice(films)
            jobs.append((number, name, *mutate(data, other, rng)))
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(FLAGS.workers) as pool:
            counts.update(pool.map(lambda job: attempt(*job), jobs))
        for worker in workers:
            worker.close()
    faults = "traceback", "hang", "crash", "half file", "silent loss"
    print(
        f"{FLAGS.mutations} films (seed {FLAGS.seed}, "
        f"{time.monotonic() - began:.0f} s): "
        + ", ".join(f"{counts[end]} {end}" for end in ("whole", "damaged", "refused"))
        + "; "
        + ", ".join(f"{counts[what]} {what}" for what in faults)
    )
    sys.exit(any(counts[what] for what in faults))


if __name__ == "__main__":
    command.run(main, FLAGS)
