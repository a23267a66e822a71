"""How many clips a second a source gives, and how near that is to decoding alone."""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import time

import av
import numpy as np
import tqdm

from tools.benchmark import decoding
from vgan import InputError
from vgan.benchmark import machine
from vgan.config import data_arguments
from vgan.datasets import batches, videos
from vgan.datasets.folders import Folder, is_video
from vgan.datasets.sources import open_source

CALLS = (1, 2, 4)  # clips that are drawn at once


def measure(config, inputs, num_clips, seconds=12, step_seconds=None):
    """Time sources of clips, as training reads them.

    Each source gives the same clips again and again, so that what is made once and
    kept (paintings, the lengths of files) is made before.

    Args:
        config: The Experiment; its data say how large clips are.
        inputs: Sources, as `data.content` names them; without any, those of the
            experiment's content and style.
        num_clips: Different clips of each source; some more to fill whole batches.
        seconds: That each source is timed, at least.
        step_seconds: That a training step takes, if it is known.

    Returns:
        A dict of plain types: "setup"; "step", None or {"milliseconds",
        "clips_per_second"} that training eats; "rows", see `_row`.

    Raises:
        InputError: A source cannot be used.
    """
    data, batch = config.data, config.train.batch_size
    num_clips = -(-num_clips // batch) * batch
    eaten = batch / step_seconds if step_seconds else None
    plan = [
        (*named, estimate)
        for named in _named(data, inputs)
        for estimate in (False, True)[: 1 + data.estimate_flow]
    ]
    rows = []
    bar = tqdm.tqdm(
        total=2 * len(plan),
        desc="timing",
        ncols=shutil.get_terminal_size().columns,
        leave=False,
    )
    with bar, batches.plain_errors():
        for role, name, estimate in plan:
            bar.set_postfix_str(name[-24:])
            row = _row(config, role, name, estimate, num_clips, seconds, bar)
            if row is None:
                continue
            best = max(cell["clips_per_second"] for cell in row["calls"].values())
            row["times_a_step"] = best / eaten if eaten else None
            rows.append(row)
    return {
        "setup": {
            "clips": f"{data.clip_length} frames of {data.image_size} pixels at "
            f"{data.fps:g} a second, in batches of {batch}",
            "different": num_clips,
            **machine.hardware(),
        },
        "step": {"milliseconds": 1000 * step_seconds, "clips_per_second": eaten}
        if eaten
        else None,
        "rows": rows,
    }


def _named(data, inputs):
    """(role, name) of each source, once."""
    if inputs:
        return [("content", name) for name in dict.fromkeys(inputs)]
    found = []
    for role in ("content", "style"):
        found += [(role, name) for name in data.sources(role)]
    return found


def _row(config, role, name, estimate, num_clips, seconds, bar):
    """Figures of one source.

    Returns:
        None if there is no flow to estimate, though it was asked for; else a dict:
        "source", "flow" ("" , "exact" or "estimated"), "calls", {number drawn at once:
        {"clips_per_second", "megabytes_per_second" of pixels, "cpu_ms" per clip}};
        "plain", None or what decoding the same spans of the files takes: {"cpu_ms" per
        clip, "frames_per_second" of one core, "ratio" of that time to the clip's}.
    """
    data = dataclasses.replace(
        data_arguments(config)["spec"],
        **{role: name},
        estimate_flow=estimate,
        flip=False,
        target="",
        clip_length=getattr(
            config.data, f"{'clip' if role == 'content' else role}_length"
        ),
    )
    source = open_source(role, "train", data)
    moving = [file for file in getattr(source, "files", []) if is_video(file)]
    stills = isinstance(source, Folder) and not moving
    unknown = hasattr(source, "estimate_flow") and not stills
    if estimate and not (unknown and role == "content"):
        bar.update(2)
        return None

    def rng(index):
        return np.random.default_rng([config.seed, int(index) % num_clips])

    def run(workers):
        """Draw each clip once: seconds, and processor seconds."""
        shape = (data.clip_length, data.image_size, data.image_size)
        parts = {
            "content": ("uint8", (*shape, 3)),
            "flow": ("float32", (shape[0] - 1, *shape[1:], 2)),
            "occlusion": ("uint8", (shape[0] - 1, *shape[1:], 1)),
        }
        dataset = batches.stream(
            lambda index: list(source.clip(rng(index), data.clip_length)),
            *(parts, config.train.batch_size),
            num_steps=num_clips // config.train.batch_size,
            workers=workers,
        )
        began, used = time.perf_counter(), time.process_time()
        for _ in dataset:
            pass
        return time.perf_counter() - began, time.process_time() - used

    run(os.cpu_count())
    bar.update()
    spans = None
    if moving and len(moving) == len(source.files):
        spans = [_span(source, rng(index), data) for index in range(num_clips)]
    times = {calls: np.zeros(2) for calls in CALLS}
    plain, rounds = np.zeros(2), 0
    # In turn: what else the machine does hits all alike.
    while sum(times.values(), np.zeros(2))[0] < seconds:
        for calls, total in times.items():
            total += run(calls)
            if calls == 1 and spans:
                plain += _decode(spans)
        rounds += 1
    bar.update()
    drawn, pixels = rounds * num_clips, data.clip_length * data.image_size**2 * 3
    cells = {
        str(calls): {
            "clips_per_second": drawn / took,
            "megabytes_per_second": drawn / took * pixels / 1e6,
            "cpu_ms": 1000 * cpu / drawn,
        }
        for calls, (took, cpu) in times.items()
    }
    count, cpu = plain
    kind = {"content": "rendered scenes", "style": "procedural paintings"}[role]
    return {
        "source": kind if name == "synthetic" else pathlib.Path(name).name or name,
        "flow": "estimated" if estimate else "" if unknown else "exact",
        "calls": cells,
        "plain": {
            "cpu_ms": 1000 * cpu / drawn,
            "frames_per_second": count / cpu,
            "ratio": cpu / times[1][1],
        }
        if spans
        else None,
    }


def _span(source, rng, data):
    """File, start and end of what a clip is cut from, until it is full."""
    while True:
        file, own = source.draw(rng)
        try:
            start = videos.draw_start(file, own, data.clip_length, data.fps)
        except InputError:  # said already; the source takes the next draw, too
            continue
        return file, start, start + data.clip_length / data.fps


def _decode(spans):
    """Number of frames and processor seconds of decoding alone."""
    total = np.zeros(2)
    for span in spans:
        with contextlib.suppress(av.FFmpegError):  # its clip has come from another file
            total += decoding.decode(*span)
    return total


def lines(facts):
    """The figures as a table in Markdown."""
    heads = (
        *("source", "flow", *(f"clips/s, {calls} at once" for calls in CALLS)),
        *("MB/s", "CPU per clip", "plain decode", "of plain"),
    )
    if facts["step"]:
        heads = (*heads, "of a step")
    yield f"| {' | '.join(heads)} |"
    yield "| --- " * len(heads) + "|"
    for row in facts["rows"]:
        cells, plain = list(row["calls"].values()), row["plain"]
        shown = [
            *(row["source"].replace("|", "/"), row["flow"] or "none"),
            *(f"{cell['clips_per_second']:.1f}" for cell in cells),
            f"{max(cell['megabytes_per_second'] for cell in cells):.0f}",
            f"{cells[0]['cpu_ms']:.0f} ms",
            f"{plain['cpu_ms']:.0f} ms, {plain['frames_per_second']:.0f} frames/s"
            if plain
            else "",
            f"{plain['ratio']:.2f}" if plain else "",
        ]
        if facts["step"]:
            shown.append(f"{row['times_a_step']:.1f} x")
        yield f"| {' | '.join(shown)} |"
    setup, step = facts["setup"], facts["step"]
    yield ""
    yield (
        f"{setup['different']} different clips of {setup['clips']}; on "
        f"{setup['machine']}. MB/s: decoded pixels. CPU per clip: of all threads, one "
        "clip at a time. Plain decode: the same spans of the files from their key "
        "frames, by PyAV, not converted; its frames/s are of one core; of plain: its "
        "time over the clip's."
    )
    if step:
        yield (
            f"A training step takes {step['milliseconds']:.0f} ms and eats "
            f"{step['clips_per_second']:.1f} clips/s; of a step: clips/s over that."
        )
