"""The report as a page: a person checks a set with it. See `vgan.pages.render`."""

from vgan import pages
from vgan.prepare import gallery
from vgan.prepare.formatting import hours, number, size

MOST_PAIRS = 150  # of near-duplicates, shown side by side


def render(report: dict, totals: dict) -> str:
    """Return the page as HTML; see `report.write` for its arguments."""
    sources, settings = report["sources"], report["settings"]
    shown = gallery.Thumbnails(sources)
    page = {
        "name": report["name"],
        "lines": [" · ".join(f"{name} {value}" for name, value in settings.items())],
        "tiles": _tiles(totals, report.get("shards")),
        "sections": [
            _left_out(totals["left_out"]),
            _broken(sources),
            _repeats(sources),
            gallery.pictures(sources, settings.get("role"), shown),
            gallery.videos(sources, totals, shown),
        ],
        "more": f"{shown.note} The same figures for programs: report.json, beside this "
        "page.",
    }
    return pages.render(page, f"{report['name']}: what was prepared")


def _tiles(totals, shards):
    tiles = [
        (number(totals["sources"], "file"), f"{size(totals['bytes'])} found"),
        (hours(totals["hours"]), f"of {number(totals['videos'], 'video')}"),
        (number(totals["clips"], "clip"), f"{hours(totals['hours_kept'])} kept"),
    ]
    for name, part in totals["splits"].items():
        share = 100 * part["clips"] / max(1, totals["clips"])
        files = number(part["sources"], "file")
        tiles.append((f"{part['clips']:,}", f"{name}: {share:.0f}%, of {files}"))
    if totals["broken"]:
        tiles.append((f"{totals['broken']:,}", "cannot be used"))
    if shards:
        tiles.append((size(shards["bytes"]), f"in {number(shards['files'], 'shard')}"))
    return tiles


def _left_out(kinds):
    if not kinds:
        return {"lines": ["No shot was left out."]}
    most = max(part["shots"] for part in kinds.values())
    rows = [
        (
            *(kind, number(part["shots"], "shot"), hours(part["hours"])),
            round(100 * part["shots"] / most),
        )
        for kind, part in sorted(kinds.items(), key=lambda kv: -kv[1]["shots"])
    ]
    return {"name": "What was left out", "rows": rows, "kinds": ["n", "n", "bar"]}


def _broken(sources):
    rows = [(facts["source"], facts["error"]) for facts in sources if facts["error"]]
    named = {"name": "Files that cannot be used", "kinds": ["bad"]}
    return rows and {**named, "rows": rows}


def _repeats(sources):
    """Near-duplicates beside what they repeat."""
    shots = {
        f"{facts['source']}#{index}": (facts, shot)
        for facts in sources
        for index, shot in enumerate(facts["shots"])
    }
    repeats = [(facts, shot) for facts, shot in shots.values() if shot["duplicate_of"]]
    pairs = []
    for facts, shot in repeats[:MOST_PAIRS]:
        first = shots.get(shot["duplicate_of"])
        kept = gallery.named(*first) if first else {"caption": shot["duplicate_of"]}
        repeat = {**gallery.named(facts, shot), "verdict": "left out", "kind": "out"}
        pairs.append(({**kept, "verdict": "kept"}, repeat))
    rest = len(repeats) - len(pairs)
    return repeats and {
        "name": f"Near-duplicates: {number(len(repeats), 'shot')}",
        "pairs": pairs,
        "more": f"And {number(rest, 'more pair')}: see report.json." if rest else "",
    }
