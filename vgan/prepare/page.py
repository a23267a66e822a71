"""The report as one page of HTML that stands alone: a person checks a set with it."""

import pathlib
import string
import typing

from vgan.prepare import gallery
from vgan.prepare.formatting import hours, number, size, text

MOST_PAIRS = 150  # of near-duplicates, shown side by side


def render(report: dict[str, typing.Any], totals: dict[str, typing.Any]) -> str:
    """Return the page; see `report.write` for its arguments."""
    template = string.Template(
        pathlib.Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    )
    sources = report["sources"]
    shown = gallery.Thumbnails(sources)
    return template.substitute(
        name=text(report["name"]),
        settings=" · ".join(
            f"{text(name)} {text(value)}" for name, value in report["settings"].items()
        ),
        tiles=_tiles(totals, report.get("shards")),
        left_out=_left_out(totals["left_out"]),
        broken=_broken(sources),
        repeats=_repeats(sources),
        pictures=gallery.pictures(sources, report["settings"].get("role"), shown),
        videos=gallery.videos(sources, totals, shown),
        note=shown.note,
    )


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
    return "".join(f"<div><b>{big}</b><span>{s}</span></div>" for big, s in tiles)


def _left_out(kinds):
    if not kinds:
        return "<p>No shot was left out.</p>"
    most = max(part["shots"] for part in kinds.values())
    rows = "".join(
        f'<tr><th>{text(kind)}</th><td class="n">{number(part["shots"], "shot")}</td>'
        f'<td class="n">{hours(part["hours"])}</td><td class="bar">'
        f'<i style="width:{100 * part["shots"] / most:.0f}%"></i></td></tr>'
        for kind, part in sorted(kinds.items(), key=lambda kv: -kv[1]["shots"])
    )
    return f"<h2>What was left out</h2><table>{rows}</table>"


def _broken(sources):
    rows = "".join(
        f'<tr><th>{text(facts["source"])}</th><td class="bad">{text(facts["error"])}'
        "</td></tr>"
        for facts in sources
        if facts["error"]
    )
    return f"<h2>Files that cannot be used</h2><table>{rows}</table>" if rows else ""


def _repeats(sources):
    """Near-duplicates beside what they repeat."""
    shots = {
        f"{facts['source']}#{index}": (facts, shot)
        for facts in sources
        for index, shot in enumerate(facts["shots"])
    }
    pairs = [(facts, shot) for facts, shot in shots.values() if shot["duplicate_of"]]
    if not pairs:
        return ""
    cards = []
    for facts, shot in pairs[:MOST_PAIRS]:
        first = shots.get(shot["duplicate_of"])
        kept = (
            gallery.named(*first, "kept", "") if first else text(shot["duplicate_of"])
        )
        repeat = gallery.named(facts, shot, "left out", "out")
        cards.append(f'<div class="pair">{kept}{repeat}</div>')
    rest = len(pairs) - len(cards)
    more = f"<p>And {number(rest, 'more pair')}: see report.json.</p>" if rest else ""
    return (
        f"<h2>Near-duplicates: {number(len(pairs), 'shot')}</h2>"
        f'<div class="shots">{"".join(cards)}</div>{more}'
    )
