r"""What a thousand hours of film cost, on any number of machines.

    python -m tools.films_cost measure --film film_720p.mp4
    python -m tools.films_cost table

The first measures this machine, in processor time, which other work on it changes less
than the clock, and writes tools/films_cost.json. The second computes the tables of
docs/films_by_the_thousand.md from it.
"""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
FIGURES = pathlib.Path(__file__).with_suffix(".json")
PAGE = ROOT / "docs" / "films_by_the_thousand.md"
MODELS = ("painterly", "painterly_small")
HOURS, FPS = 1000, 24  # of film
MACHINES, CORES = (1, 10, 100, 1000), 8
PRICE = 0.05  # of a core for an hour; put in what yours costs
LENGTH = 2  # hours of one film
LONGEST = 60  # seconds of the longest shot


def measure(film):
    """Figures of one core, and of one worker and two at once, as a JSON-able dict."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        figures = {"models": {}, "film_bytes": film.stat().st_size}
        for model in MODELS:
            figures["models"][model] = json.loads(_child("--stages", model, film)[0])
        (folder / "in").mkdir()
        for number in range(2):
            shutil.copy(film, folder / "in" / f"{number}{film.suffix}")
        for workers in (1, 2):
            began = time.monotonic()
            _, used = _child(
                *("vgan.generate", "--model=painterly_small", "--style=poplars"),
                *(f"--input={folder / 'in'}", f"--output={folder / str(workers)}"),
                *("--beam=--runner=DirectRunner", "--quiet"),
                f"--beam=--direct_num_workers={workers}",
                "--beam=--direct_running_mode=multi_processing",
            )
            seconds = time.monotonic() - began
            figures[f"workers_{workers}"] = {"seconds": seconds, "cpu_seconds": used}
        one, two = (
            [path.read_bytes() for path in sorted((folder / name).iterdir())]
            for name in ("1", "2")
        )
        assert one == two, "results depend on the number of workers"
    return figures


def stages(model, film):
    """Processor seconds and bytes of each stage, on one core, of a whole film."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from vgan.generate import beam, shots  # noqa: F401  # a worker imports it, too
    from vgan.generate.options import StylizeOptions

    options = StylizeOptions(model, style=("poplars",))
    options.read()
    options.opened.load()
    figures = {"start": {"cpu_seconds": time.process_time()}}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with _counted(figures, "find"):
            found = shots.find(options, film, {})
        with _counted(figures, "stylize"):
            segments = []
            for index, shot in enumerate(found["shots"]):
                segments.append(folder / f"{index}.segment")
                shots.stylize(
                    *(options, lambda: contextlib.nullcontext(film), {}, found, shot),
                    *(segments[-1], pathlib.Path("film.mp4")),
                )
        with _counted(figures, "join"):
            shots.join_all(found, film, {}, segments, folder / "film.mp4")
    figures["frames"] = sum(len(shot["checks"]) for shot in found["shots"])
    figures["shots"] = len(segments)
    return figures


@contextlib.contextmanager
def _counted(figures, name):
    def now():
        lines = pathlib.Path("/proc/self/io").read_text().split()
        return time.process_time(), int(lines[1]), int(lines[3])

    before = now()
    yield
    used, read, written = (b - a for a, b in zip(before, now(), strict=True))
    figures[name] = {"cpu_seconds": used, "read": read, "written": written}


def _child(*arguments):
    """Run a command of vgan, or this one; return what it says and the seconds used."""
    module = () if str(arguments[0]).startswith("vgan") else ("tools.films_cost",)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", *module, *map(str, arguments)],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, used


def tables(figures):
    """The tables of the page, in Markdown."""
    lines = ["| of one frame of 720p, on one core | painterly | painterly_small |"]
    lines += ["| --- | --- | --- |"]
    models = figures["models"]
    for name in ("find", "stylize", "join"):
        values = [1000 * _of(models[model], name) for model in MODELS]
        lines.append(f"| {name}, ms | " + " | ".join(f"{v:.1f}" for v in values) + " |")
    values = [1 / _per_frame(models[model]) for model in MODELS]
    lines.append("| all, frames/s | " + " | ".join(f"{v:.2f}" for v in values) + " |")
    for what in ("read", "written"):
        values = [
            sum(_of(models[model], name, what) for name in ("find", "stylize", "join"))
            for model in MODELS
        ]
        row = " | ".join(f"{value / 1000:.1f}" for value in values)
        lines.append(f"| {what}, kB | {row} |")
    values = [models[model]["start"]["cpu_seconds"] for model in MODELS]
    row = " | ".join(f"{value:.1f}" for value in values)
    lines.append(f"| start of a worker, s | {row} |")
    lines += ["", f"| {HOURS} hours of 720p, machines of {CORES} cores | "]
    lines[-1] += "painterly | painterly_small |"
    lines += ["| --- | --- | --- |"]
    for machines in MACHINES:
        cells = []
        for model in MODELS:
            hours, price = cost(models[model], machines)
            cells.append(f"{_time(hours)}, ${price:,.0f}")
        lines.append(f"| {machines} | " + " | ".join(cells) + " |")
    lines += ["", "| two films on two shared cores | processor time | by the clock |"]
    lines += ["| --- | --- | --- |"]
    for workers in (1, 2):
        used, seconds = (
            figures[f"workers_{workers}"][name] for name in ("cpu_seconds", "seconds")
        )
        name = "process" if workers == 1 else "processes"
        lines.append(f"| {workers} {name} | {used:.0f} s | {seconds:.0f} s |")
    return "\n".join(lines)


def cost(figures, machines):
    """(hours, price) of all films on so many machines.

    No run is shorter than to find the cuts of one film and then to stylize its longest
    shot: these are done by one core each.
    """
    frames = HOURS * 3600 * FPS
    per_frame, workers = _per_frame(figures), machines * CORES
    start = figures["start"]["cpu_seconds"]
    one = LENGTH * 3600 * FPS * (_of(figures, "find") + _of(figures, "join"))
    one += LONGEST * FPS * _of(figures, "stylize")
    hours = (start + max(frames * per_frame / workers, one)) / 3600
    return hours, hours * workers * PRICE


def _of(figures, name, what="cpu_seconds"):
    return figures[name][what] / figures["frames"]


def _per_frame(figures):
    return sum(_of(figures, name) for name in ("find", "stylize", "join"))


def _time(hours):
    return f"{hours / 24:.0f} days" if hours > 72 else f"{hours:.1f} h"


def main():
    """Parse, then measure or compute."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", nargs="?", choices=("measure", "table"))
    parser.add_argument("--film", type=pathlib.Path, help="of 720p")
    parser.add_argument("--stages", nargs=2, metavar=("MODEL", "FILM"))
    given = parser.parse_args()
    if given.stages:
        print(json.dumps(stages(given.stages[0], pathlib.Path(given.stages[1]))))
    elif given.action == "measure":
        figures = measure(given.film)
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
        print(json.dumps(figures, indent=1))
    else:
        before, _, rest = PAGE.read_text().partition("<!-- computed -->\n")
        _, end, after = rest.partition("<!-- /computed -->")
        computed = tables(json.loads(FIGURES.read_text()))
        mark = "<!-- computed -->\n"
        PAGE.write_text(f"{before}{mark}{computed}\n{end}{after}")


if __name__ == "__main__":
    main()
