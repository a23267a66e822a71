"""What was found, kept and left out: report.json for programs, a page for the eye.

The facts of a source, as the scan writes them and `choose` completes them, are an
object of JSON (names may hold the surrogates of bytes that are not UTF-8):

    source              its name, unique
    path_below_input    its path
    kind                "video" or "photo"
    bytes               of the file
    error               "", or the line that says why it cannot be read: no shots then
    warnings            lines: damaged parts that were skipped, and the like
    height, width       upright, pixels
    fps, duration       per second; seconds
    variable_frame_rate whether
    rotation            degrees by which the file asks to be turned
    codec               of the picture
    kept_height, kept_width, kept_fps   of its clips
    split               "train", "validation", or "" where no clip is written
    label               a style's name, or what the user's list says
    license, provenance of the user's list: a text; {column: text}
    palette             of a style: see `palettes.palette`
    clips               written
    shots               list of
        start, end      seconds
        frames          at `kept_fps`
        signature       see `signatures`
        thumbnail       see `thumbnail`
        reason          "" or why it was left out: "kind", or "kind: figures"
        duplicate_of    "" or "NAME#2": it repeats shot 2, from 0, of source NAME
        clips           written
        found           clips found; the same as `clips` unless there were too many

What is not known is None or not there. A photo is one shot of one frame.
"""

import collections
import json
import os

import cv2
import numpy as np

from vgan import files, pages
from vgan.prepare import page
from vgan.prepare.formatting import hours, number

THUMBNAIL = 96  # pixels, short side: about 3 KB
MOST_STRETCHED = 3
INNER = ("stamp", "signature", "thumbnail", "clip_starts")  # of no use to others


def thumbnail(frame: np.ndarray) -> str:
    """Return a small JPEG, as base64 text, of a uint8 RGB frame [H, W, 3]."""
    height, width = frame.shape[:2]
    scale = THUMBNAIL / min(height, width)
    most = MOST_STRETCHED * THUMBNAIL
    size = [max(1, min(most, round(side * scale))) for side in (width, height)]
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return pages.jpeg(small, quality=70)


def write(folder: str | os.PathLike, report: dict) -> None:
    """Write report.json and report.html, each whole or not at all.

    Args:
        folder: Where; made if it is not there.
        report: {"name": of the set, "settings": {flag: value}, "sources": list of
            facts, see above}, and optional "shards": {"files": count, "bytes": sum}.
    """
    told = {**report, "totals": totals(report["sources"])}
    told["sources"] = [
        {**_told(facts), "shots": [_told(shot) for shot in facts["shots"]]}
        for facts in report["sources"]
    ]
    texts = {
        "report.json": json.dumps(told, indent=1, sort_keys=True, allow_nan=False),
        "report.html": page.render(report, told["totals"]),
    }
    files.write_together(folder, {name: f"{text}\n" for name, text in texts.items()})


def totals(sources: list[dict]) -> dict:
    """Sum up the facts of all sources.

    Returns:
        {"sources", "videos", "photos", "broken", "bytes", "hours": read, "shots",
        "clips": written, "hours_kept", "splits": {split: {"sources", "clips"}},
        "left_out": {kind of reason: {"shots", "hours"}}}.
    """
    splits = {name: {"sources": 0, "clips": 0} for name in ("train", "validation")}
    left_out = collections.defaultdict(lambda: {"shots": 0, "hours": 0.0})
    kept = shots = 0
    for facts in sources:
        if facts["clips"]:
            split = splits.setdefault(facts["split"], {"sources": 0, "clips": 0})
            split["sources"] += 1
            split["clips"] += facts["clips"]
        for shot in facts["shots"]:
            shots += 1
            seconds = shot["end"] - shot["start"]
            if not shot["clips"]:
                kind = kind_of(shot)
                left_out[kind]["shots"] += 1
                left_out[kind]["hours"] += seconds / 3600
            else:
                kept += seconds * shot["clips"] / (shot.get("found") or shot["clips"])
    return {
        "sources": len(sources),
        "videos": sum(facts["kind"] == "video" for facts in sources),
        "photos": sum(facts["kind"] == "photo" for facts in sources),
        "broken": sum(bool(facts["error"]) for facts in sources),
        "bytes": sum(facts["bytes"] or 0 for facts in sources),
        "hours": sum(facts.get("duration") or 0 for facts in sources) / 3600,
        "shots": shots,
        "clips": sum(facts["clips"] for facts in sources),
        "hours_kept": kept / 3600,
        "splits": splits,
        "left_out": dict(sorted(left_out.items())),
    }


def kind_of(shot: dict) -> str:
    """The reason why a shot was left out, without its figures."""
    if shot["duplicate_of"]:
        return "near-duplicate"
    return shot["reason"].partition(":")[0] or "no clip"


def summary(report: dict) -> list[str]:
    """Lines for the terminal: what there is, and each broken file once."""
    sums = totals(report["sources"])
    lines = [
        f"{facts['kind']} {pages.plain(facts['source'])}: {pages.plain(facts['error'])}"
        for facts in report["sources"]
        if facts["error"]
    ]
    parts = [
        f"{number(part['clips'], 'clip')} of {number(part['sources'], 'source')} in "
        f"{split}"
        for split, part in sums["splits"].items()
        if part["clips"]
    ]
    reasons = [f"{part['shots']:,} {kind}" for kind, part in sums["left_out"].items()]
    lines.append(
        f"{number(sums['sources'], 'source')}, {hours(sums['hours'])}: "
        + (", ".join(parts) or "no clip")
    )
    if reasons:
        lines.append(f"shots left out: {', '.join(reasons)}")
    return lines


def _told(part):
    return {key: value for key, value in part.items() if key not in INNER}
