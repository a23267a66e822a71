"""The shots, photos and styles of a report, to look at: see `vgan.pages.render`."""

import itertools
import statistics

from vgan.prepare import palettes
from vgan.prepare.formatting import clock, number, size

MOST_THUMBNAILS = 1500  # about 6 MB; the first shots of all sources come first
MOST_SHOTS = 200  # of one video
MOST_OPEN = 400  # shots: a page of more begins with its videos folded
MOST_COMPARED = 12  # pictures of a style


class Thumbnails:
    """Those of the shots that have a place on the page: all first ones, then on."""

    def __init__(self, sources: list[dict]):
        ranked = sorted(
            (rank, order)
            for order, facts in enumerate(sources)
            for rank, shot in enumerate(facts["shots"][:MOST_SHOTS])
            if shot["thumbnail"]
        )
        self._shown = {
            (sources[order]["source"], rank) for rank, order in ranked[:MOST_THUMBNAILS]
        }
        left = sum(len(f["shots"]) for f in sources) - len(self._shown)
        self.note = f"{left:,} shots are shown without a thumbnail." if left else ""

    def __call__(self, facts: dict, index: int) -> str | None:
        """The thumbnail of a shot of a source, or None where it has no place."""
        shown = (facts["source"], index) in self._shown
        return facts["shots"][index]["thumbnail"] if shown else None


def named(facts: dict, shot: dict) -> dict:
    """The figure of a shot that stands alone, with the name of its source."""
    when = f", {_times(shot)}" if facts["kind"] == "video" else ""
    return {"jpeg": shot["thumbnail"], "caption": f"{facts['source']}{when}"}


def pictures(sources: list[dict], role: str | None, shown: Thumbnails) -> dict:
    """The section of photos, and in a set of styles all that a style consists of."""
    if role != "style":
        photos = [f for f in sources if f["shots"] and f["kind"] == "photo"]
        figures = [_picture(facts, shown) for facts in photos]
        name = f"Photos: {len(photos):,}"
        return {"name": name, "figures": figures} if photos else {}
    groups = {}
    for facts in sources:
        if facts["shots"]:
            groups.setdefault(facts["label"] or "", []).append(facts)
    sections = []
    for name, members in sorted(groups.items()):
        clips = sum(facts["clips"] for facts in members)
        figures = f"{number(len(members), 'file')}, {number(clips, 'clip')}"
        sections.append(
            {
                "name": name or "(no name)",
                "note": f"{figures}{_mean_distance(members)}",
                "figures": [_picture(facts, shown) for facts in members],
            }
        )
    return groups and {"name": f"Styles: {len(groups):,}", "sections": sections}


def _picture(facts, shown):
    index = next((i for i, s in enumerate(facts["shots"]) if s["clips"]), 0)
    if facts["clips"]:
        video = facts["kind"] == "video"
        clips = f"{number(facts['clips'], 'clip')}, " if video else ""
        verdict = f"{clips}{facts['split']}"
    else:
        verdict = _reason(facts, facts["shots"][index])
    return {
        "kind": "tall" if facts["clips"] else "tall out",
        "jpeg": shown(facts, index),
        "palette": facts.get("palette"),
        # the label is in the heading
        "caption": facts["source"].removeprefix(f"{facts['label']}/"),
        "verdict": verdict,
        "note": facts["licence"],
    }


def _mean_distance(members):
    """How far the colors of a style's files lie apart."""
    found = [f["palette"] for f in members if f.get("palette")][:MOST_COMPARED]
    if len(found) < 2:
        return ""
    pairs = itertools.combinations(found, 2)
    mean = statistics.fmean(palettes.distance(*pair) for pair in pairs)
    return f", colors {mean:.0f} apart in CIELAB"


def videos(sources: list[dict], totals: dict, shown: Thumbnails) -> dict:
    """The section of videos, each with its shots."""
    found = [f for f in sources if f["kind"] == "video" and not f["error"]]
    opened = totals["shots"] <= MOST_OPEN
    sections = [_video(facts, opened, shown) for facts in found]
    return {"name": f"Videos: {len(found):,}", "sections": sections} if found else {}


def _video(facts, opened, shown):
    clips, rotation = facts["clips"], facts.get("rotation")
    rest = len(facts["shots"]) - MOST_SHOTS
    return {
        "name": facts["source"],
        "open": opened,
        "verdict": f"{number(clips, 'clip')}, {facts['split']}" if clips else "no clip",
        "kind": facts["split"] if clips else "bad",
        "tags": [
            facts["label"],
            facts["licence"],
            "variable frame rate" if facts.get("variable_frame_rate") else "",
            f"turned by {rotation}°" if rotation else "",
        ],
        "lines": [
            _formats(facts),
            *facts.get("warnings", []),
            *(f"{name}: {x}" for name, x in facts.get("provenance", {}).items() if x),
        ],
        "figures": [
            _shot(facts, index, shot, shown)
            for index, shot in enumerate(facts["shots"][:MOST_SHOTS])
        ],
        "more": f"And {number(rest, 'more shot')}: see report.json."
        if rest > 0
        else "",
    }


def _formats(facts):
    """What a file is, and what its clips are."""
    if not facts.get("height"):
        return ""
    parts = [f"{facts['width']}x{facts['height']}"]
    parts += [f"{facts['fps']:.4g} fps"] if facts.get("fps") else []
    parts += [clock(facts["duration"])] if facts.get("duration") else []
    parts += [facts["codec"]] if facts.get("codec") else []
    parts += [size(facts["bytes"])] if facts["bytes"] else []
    kept = (
        f" → {facts['kept_width']}x{facts['kept_height']}, {facts['kept_fps']:.4g} fps"
        if facts.get("kept_height")
        else ""
    )
    return ", ".join(parts) + kept


def _shot(facts, index, shot, shown):
    found = shot.get("found", shot["clips"])
    if not shot["clips"]:
        verdict = _reason(facts, shot)
    elif found > shot["clips"]:
        verdict = f"{shot['clips']} of {number(found, 'clip')}"
    else:
        verdict = number(shot["clips"], "clip")
    return {
        "kind": "" if shot["clips"] else "out",
        "jpeg": shown(facts, index),
        "caption": _times(shot),
        "verdict": verdict,
    }


def _reason(facts, shot):
    if shot["duplicate_of"]:
        name, _, index = shot["duplicate_of"].rpartition("#")
        which = f", shot {int(index) + 1}" if facts["kind"] == "video" else ""
        return f"repeats {name}{which}"
    return shot["reason"] or "no clip"


def _times(shot):
    return f"{clock(shot['start'])} to {clock(shot['end'])}"
