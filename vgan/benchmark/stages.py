"""How long a video takes, stage by stage and from file to file, engine by engine."""

import concurrent.futures
import multiprocessing
import os
import pathlib
import tempfile
import time
import typing
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tqdm

from vgan import InputError
from vgan.benchmark import budget, machine
from vgan.evaluate.speed import peak_memory_mib
from vgan.generate import convert
from vgan.generate.options import StylizeOptions
from vgan.runtime import engines
from vgan.video import VideoReader, VideoWriter

RENDERED = 24  # frames, shown forwards and backwards
WARM_UP = 10  # frames: the first ones of a size compile
SIZES = ((360, 640), (720, 1280), (1080, 1920))  # of what is rendered by default
KINDS = 5  # of operations that are told of
STAGES = ("decode", "preprocess", "network", "encode")


def measure(
    model: str | pathlib.Path,
    names: Sequence[str],
    sizes: Sequence[tuple[int, int]],
    source: str | pathlib.Path | None = None,
    num_frames: int = 150,
    proxy: float = 1.0,
    prepare: Callable[[], object] | None = None,
) -> dict[str, typing.Any]:
    """Time every engine at every size, each in a process of its own.

    Args:
        model: A generator.keras, or a folder that vgan.export made.
        names: Of engines.
        sizes: List of (H, W) of videos that are rendered for it; with a source, H is
            the short side that it is brought to, and W is not used.
        source: A video to take instead, or None.
        num_frames: Of each video; a shorter source counts as it is.
        proxy: Scale at which the network works.
        prepare: Function to call in a process that is going to import Keras.

    Returns:
        A dict of plain types: "setup", and "rows", one for each pair; see `_row`.

    Raises:
        InputError: The model, an engine or the source cannot be used.
    """
    info = engines.describe(model)
    rows = []
    pairs = [(name, size) for size in sizes for name in names]
    with tempfile.TemporaryDirectory() as folder:
        for name, size in tqdm.tqdm(pairs, unit="engine", leave=False):
            path = source
            if source is None:
                path = pathlib.Path(folder, f"{size[0]}x{size[1]}.mp4")
                if not path.exists():
                    _render(path, size, num_frames)
            options = StylizeOptions(
                str(model),
                name,
                size=None if source is None or size is None else size[0],
                style=("random",)
                if not info.named_styles
                else (min(info.named_styles),),
                proxy=proxy,
            )
            rows.append(_in_a_process(options, str(path), num_frames, prepare))
    return {
        "setup": {
            "model": pathlib.Path(model).name,
            "source": pathlib.Path(source).name
            if source
            else "rendered scene, no sound",
            "frames": num_frames,
            "proxy": proxy,
            **machine.hardware(),
        },
        "rows": rows,
    }


def _render(path, size, num_frames):
    """A rendered scene as a video."""
    from vgan.datasets.synthetic import scene

    frames = scene(0, RENDERED, *size).frames
    there_and_back = [*frames, *frames[-2:0:-1]]
    with VideoWriter(path, fps=30) as writer:
        for index in range(num_frames):
            writer.write(there_and_back[index % len(there_and_back)], index / 30)


def _in_a_process(*arguments):
    """Memory is that of one engine alone, and Keras is there only if it is asked."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        return pool.submit(_row, *arguments).result()


def _row(options, path, num_frames, prepare):
    """Figures of one engine at one size.

    Returns:
        A dict: "engine"; "size", [H, W] of the result; "stages", {stage: {"median_ms",
        "p95_ms"}} each frame after the other; "fps", of a whole file to a file once all
        is loaded; "cpu_ms", the processor time of all threads per frame of that;
        "ratio", the time that took over the larger of the slowest stage and the
        processor time over the cores, which is what stages that work at the same time
        could reach; "budget", {part: ms} of processor time per frame, and "network",
        {kind of operation: share of its time}, see `budget`;
        "limit_fps", the frames/s if decoding, network and encoding were all, spread
        over all cores, and "of_limit", the share of it that "fps" is;
        "peak_memory_mib".
    """
    if prepare and engines.resolve(options.model, options.engine) == "keras":
        prepare()
    name, size, times = _stages(options, path, num_frames)
    with tempfile.TemporaryDirectory() as folder, VideoReader(path) as reader:
        output = pathlib.Path(folder, "out.mp4")
        result = convert.convert(options, reader, output)
    parts, kinds = budget.measure(options, path, num_frames)
    limit = 1000 * os.cpu_count() / sum(parts[name] for name in budget.UNAVOIDABLE)
    cpu = 1000 * result.cpu_seconds / result.num_frames
    wall = 1000 * result.seconds / result.num_frames
    medians = {stage: float(np.median(times[stage])) for stage in STAGES}
    stylize = medians["preprocess"] + medians["network"]
    slowest = max(medians["decode"], stylize, medians["encode"])
    bound = max(slowest, cpu / os.cpu_count())
    return {
        "engine": name,
        "size": size,
        "stages": {
            stage: {
                "median_ms": medians[stage],
                "p95_ms": float(np.percentile(times[stage], 95)),
            }
            for stage in STAGES
        },
        "fps": 1000 / wall,
        "cpu_ms": cpu,
        "ratio": wall / bound,
        "budget": parts,
        "network": kinds,
        "limit_fps": limit,
        "of_limit": 1000 / wall / limit,
        "peak_memory_mib": peak_memory_mib(),
    }


class _Timed:
    """An engine that remembers how long its last step took."""

    def __init__(self, engine):
        self._engine, self.seconds = engine, 0.0

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def step(self, content, code, state):
        start = time.perf_counter()
        result = self._engine.step(content, code, state)
        self.seconds += time.perf_counter() - start
        return result


def _stages(options, path, num_frames):
    """Each stage alone, one frame after the other: name, size, {stage: [ms]}."""
    times = {stage: [] for stage in STAGES}
    with (
        tempfile.TemporaryDirectory() as folder,
        VideoReader(path) as reader,
        VideoWriter(pathlib.Path(folder, "out.mp4"), like=reader) as writer,
        options.processor(reader, wrap=_Timed) as process,
    ):
        reader.keep_planes()
        for index in range(num_frames + WARM_UP):
            start = time.perf_counter()
            item = next(reader, None)
            if item is None:
                break
            decoded = time.perf_counter()
            process.engine.seconds = 0.0
            result = process(options.resized(item[0]), item[1])
            stylized = time.perf_counter()
            writer.write(result, item[1])
            encoded = time.perf_counter()
            if index >= WARM_UP:
                network = process.engine.seconds
                spans = (
                    *(decoded - start, stylized - decoded - network, network),
                    encoded - stylized,
                )
                for stage, span in zip(STAGES, spans, strict=True):
                    times[stage].append(1000 * span)
    if not times["decode"]:
        raise InputError(
            f"{path}: has no more than {WARM_UP} frames; give a longer one"
        )
    return process.engine.name, list(result.shape[:2]), times


def lines(facts: dict[str, typing.Any]) -> Iterator[str]:
    """The figures as a table in Markdown."""
    heads = (
        *("engine", "size", *(f"{stage}, p95" for stage in STAGES)),
        *("frames/s", "CPU", "of bound", "memory"),
    )
    yield f"| {' | '.join(heads)} |"
    yield "| --- " * len(heads) + "|"
    for row in facts["rows"]:
        stages = [
            f"{figures['median_ms']:.1f}, {figures['p95_ms']:.1f} ms"
            for figures in row["stages"].values()
        ]
        height, width = row["size"]
        cells = (
            *(row["engine"], f"{width}x{height}", *stages, f"{row['fps']:.1f}"),
            *(f"{row['cpu_ms']:.0f} ms", f"{row['ratio']:.2f}"),
            f"{row['peak_memory_mib']:.0f} MiB",
        )
        yield f"| {' | '.join(cells)} |"
    setup = facts["setup"]
    yield ""
    heads = "engine", "size", *facts["rows"][0]["budget"], "limit", "reached"
    yield f"| {' | '.join(heads)} |"
    yield "| --- " * len(heads) + "|"
    for row in facts["rows"]:
        height, width = row["size"]
        parts = (f"{ms:.1f}" for ms in row["budget"].values())
        cells = (
            *(row["engine"], f"{width}x{height}", *parts),
            *(f"{row['limit_fps']:.1f} frames/s", f"{row['of_limit']:.2f}"),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""
    for row in facts["rows"]:
        shares = [f"{kind} {share:.0%}" for kind, share in row["network"].items()]
        if shares:
            height, width = row["size"]
            yield f"Network of {row['engine']} at {width}x{height}: " + ", ".join(
                shares[:KINDS]
            )
    yield (
        "Milliseconds of processor time of all threads per frame, each part by itself; "
        f"limit: {', '.join(budget.UNAVOIDABLE)} alone, spread over all cores."
    )
    yield ""
    yield (
        f"{setup['model']}, {setup['source']}, {setup['frames']} frames, proxy "
        f"{setup['proxy']:g}; on {setup['machine']}. Stages one after the other; "
        "frames/s from file to file, all stages at a time, loading not counted; CPU of "
        "all threads per frame; of bound: the time over what these could reach at best."
    )
