"""All of it: find, scan, choose, write shards, report."""

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import sys
from collections.abc import Callable, Sequence

import tqdm

from vgan import InputError, files
from vgan.datasets.folders import expanded
from vgan.prepare import (
    clip_archive,
    inputs,
    output_dir,
    ownership,
    provenance,
    report,
    workers,
)
from vgan.prepare.choose import choose
from vgan.prepare.formatting import number
from vgan.prepare.settings import Settings


def prepare(
    roots: Sequence[str | pathlib.Path],
    output: str | pathlib.Path,
    settings: Settings,
    num_workers: int | None = None,
    listed: str | pathlib.Path | None = None,
    overwrite: bool = False,
    keep_parts: bool = False,
    beam: list[str] | None = None,
    warn: Callable[[str], object] = print,
    loading: Callable[[], contextlib.AbstractContextManager] = contextlib.nullcontext,
) -> list[str]:
    """Make a prepared set, or go on with one.

    Args:
        roots: Folders, or files, of videos and photos.
        output: Folder to make; its last part names the set.
        settings: Settings.
        num_workers: Processes at a time; None: one for each core.
        listed: CSV file of provenance, or None.
        overwrite: Replace a set that was made with other settings.
        keep_parts: Keep what was found in each file, as large as the set itself: with
            more files, the known ones are not read again.
        beam: Flags of an Apache Beam pipeline that does the work, or None.
        warn: Called with lines that the user should see.
        loading: Context in which TensorFlow is imported, for `command.importing`.

    Returns:
        Lines to tell.

    Raises:
        InputError: An argument cannot be used, or no clip was found.
        KeyboardInterrupt: Ctrl-C. The same call goes on from there.
    """
    output = expanded(output)
    rows = provenance.Rows(listed) if listed else None
    sources = inputs.find(roots, settings.role, rows)
    output_dir.check(output, roots)
    for names, what in (
        (inputs.others(roots), "left aside, being no videos and no photos"),
        (rows.unused if rows else (), f"of {listed} found in no input"),
    ):
        if names:
            some = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
            warn(" ".join(f"{len(names)} {what}: {some}".split()))
    with output_dir.claimed(output, settings, overwrite) as folder:
        state = ownership.read_state(output)
        wanted = _digest(sources, settings)
        made = ownership.finished(output, state.get("name"))
        if wanted and state.get("done") == wanted and state.get("files") == made:
            return [f"{output}: {state['told']}; nothing to do"]
        facts = _scan(sources, settings, folder, num_workers, beam)
        facts, chosen = choose(facts, settings)
        told = {
            "name": output.resolve().name,
            "settings": dataclasses.asdict(settings),
            "sources": facts,
        }
        if not chosen:
            raise _nothing(output, told)
        with loading():
            from vgan.datasets import builder

            builder.load()
        name = builder.dataset_name(output.resolve().name)
        told["shards"] = _write(builder, output, name, folder, facts, chosen, beam)
        report.write(output, told)
        if state.get("name", name) != name:  # the folder was renamed, or is a copy
            ownership.remove_set(output, state["name"])
        state = {**ownership.MARK, "settings": told["settings"], "name": name}
        whole = all("stamp" in one for one in facts)
        if whole and wanted:
            count = sum(bool(one["clips"]) for one in facts)
            state["told"] = f"{number(len(chosen), 'clip')} of {number(count, 'file')}"
            state["done"], state["files"] = wanted, ownership.finished(output, name)
        files.write_json(folder / ownership.STATE, state, sort_keys=True)
        if whole and not keep_parts:
            for one in facts:
                clip_archive.places(folder, one["source"])[0].unlink(missing_ok=True)
    return report.summary(told)


def _nothing(output, told):
    """The error of a run that found no clip; an older set and its report stay."""
    facts = told["sources"]
    count, reason = number(len(facts), "file"), _first_reason(facts)
    if any(output.glob(f"{ownership.SETS}/*/*/dataset_info.json")):
        return InputError(
            f"{output}: no clip can be made of {count}, such as: {reason}; the set "
            "and the report that were there are kept"
        )
    report.write(output, told)
    return InputError(
        f"{output}: no clip can be made of {count}; {output / 'report.html'} says why, "
        f"such as: {reason}"
    )


def _digest(sources, settings):
    """What a finished set was made from; None while a file is missing."""
    try:
        stamps = [[one.name, clip_archive.stamp(one, settings)] for one in sources]
    except OSError:
        return None
    text = json.dumps([dataclasses.asdict(settings), stamps], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _write(builder, output, name, folder, facts, chosen, beam):
    """Write the shards; return {"files": how many, "bytes": of all}."""
    divided = {
        split: [
            clip_archive.places(folder, one["source"])[0]
            for one in facts
            if one["split"] == split
        ]
        for split in ("train", "validation")
    }
    with tqdm.tqdm(total=len(chosen), unit="clip", file=sys.stderr) as bar:
        builder.write(
            *(output, name, divided, chosen, beam),
            lambda done, total: bar.update(done - bar.n),
        )
        bar.update(len(chosen) - bar.n)
    shards = (output / "video_clips" / name).rglob("*record-*")
    sizes = [path.stat().st_size for path in shards]
    return {"files": len(sizes), "bytes": sum(sizes)}


def _cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _scan(sources, settings, folder, num_workers, beam):
    """Scan with a bar over bytes: files differ too much to count them."""
    if beam is None:
        scan_all = functools.partial(workers.scan_all, workers=num_workers or _cores())
    else:
        from vgan.prepare.beam import scan_all

        scan_all = functools.partial(scan_all, options=beam)
    sizes = {one.name: _size(one.path) for one in sources}
    clips, read, done = {}, {}, set()
    with tqdm.tqdm(
        total=sum(sizes.values()), unit="B", unit_scale=True, file=sys.stderr
    ) as bar:

        def tell(source, share, count):
            now = round(share * sizes[source.name])
            bar.update(max(0, now - read.get(source.name, 0)))
            read[source.name] = max(now, read.get(source.name, 0))
            clips[source.name] = count
            if share == 1:
                done.add(source.name)
            bar.set_postfix_str(
                f"{len(done)} of {len(sources)} files, {sum(clips.values())} clips",
                refresh=False,
            )

        try:
            return scan_all(sources, settings, folder, tell=tell)
        finally:
            ownership.clear(folder, files.PARTIAL)


def _size(path):
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _first_reason(facts):
    reasons = [
        f"{one['source']} {one['error'] or shot.get('reason', '')}"
        for one in facts
        for shot in one["shots"] or [{}]
    ]
    return next((reason for reason in reasons if reason.split()), "unknown")
