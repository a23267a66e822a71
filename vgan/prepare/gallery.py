"""The shots, photos and styles of a report, to look at."""

import html
import typing

from vgan.prepare import palettes
from vgan.prepare.formatting import clock, number, size, text

MOST_THUMBNAILS = 1500  # about 6 MB; the first shots of all sources come first
MOST_SHOTS = 200  # of one video
MOST_OPEN = 400  # shots: a page of more begins with its videos folded
MOST_COMPARED = 12  # pictures of a style


class Thumbnails:
    """Those of the shots that have a place on the page: all first ones, then on."""

    def __init__(self, sources: list[dict[str, typing.Any]]) -> None:
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

    def __call__(self, facts: dict[str, typing.Any], index: int) -> str:
        """The thumbnail of a shot of a source, or an empty place."""
        if (facts["source"], index) not in self._shown:
            return '<span class="none"></span>'
        return image(facts["shots"][index])


def image(shot: dict[str, typing.Any]) -> str:
    """The thumbnail of a shot."""
    if not shot["thumbnail"]:
        return '<span class="none"></span>'
    data = html.escape(shot["thumbnail"])
    return (
        f'<img src="data:image/jpeg;base64,{data}" alt="" loading="lazy" '
        'decoding="async">'
    )


def named(
    facts: dict[str, typing.Any], shot: dict[str, typing.Any], verdict: str, style: str
) -> str:
    """A shot that stands alone, with the name of its source."""
    caption = f"<b>{verdict}</b> {text(facts['source'])}"
    if facts["kind"] == "video":
        caption += f", {times(shot)}"
    return (
        f'<figure class="{style}">{image(shot)}<figcaption>{caption}</figcaption>'
        "</figure>"
    )


def pictures(sources: list[dict[str, typing.Any]], role: str, shown: Thumbnails) -> str:
    """Photos, and with them in a set of styles all that a style consists of."""
    groups = {}
    for facts in sources:
        if facts["shots"] and (role == "style" or facts["kind"] == "photo"):
            name = facts["label"] if role == "style" else ""
            groups.setdefault(name or "", []).append(facts)
    if not groups:
        return ""
    if role != "style":
        (photos,) = groups.values()
        cards = "".join(_picture(facts, shown) for facts in photos)
        return f'<h2>Photos: {len(photos):,}</h2><div class="shots">{cards}</div>'
    parts = [f"<h2>Styles: {len(groups):,}</h2>"]
    for name, members in sorted(groups.items()):
        clips = sum(facts["clips"] for facts in members)
        figures = f"{number(len(members), 'file')}, {number(clips, 'clip')}"
        parts += [
            f"<h3>{text(name) or '(no name)'} <small>{figures}"
            f"{_mean_distance(members)}</small></h3>",
            f'<div class="shots">{"".join(_picture(f, shown) for f in members)}</div>',
        ]
    return "".join(parts)


def _picture(facts, shown):
    index = next((i for i, s in enumerate(facts["shots"]) if s["clips"]), 0)
    shot = facts["shots"][index]
    if facts["clips"]:
        clips = (
            f"{number(facts['clips'], 'clip')}, " if facts["kind"] == "video" else ""
        )
        verdict = f"{clips}{facts['split']}"
    else:
        verdict = _reason(facts, shot)
    name = facts["source"].removeprefix(f"{facts['label']}/")  # it is in the heading
    license = f"<br>{text(facts['licence'])}" if facts["licence"] else ""
    return (
        f'<figure class="tall{"" if facts["clips"] else " out"}">{shown(facts, index)}'
        f"{_swatches(facts.get('palette'))}<figcaption>{text(name)}<br>"
        f"<b>{verdict}</b>{license}</figcaption></figure>"
    )


def _swatches(palette):
    if not palette:
        return ""
    bars = "".join(
        f'<i title="{text(color)}, {share:.0%}" '
        f'style="background:{text(color)};flex:{share}"></i>'
        for color, share in palette
    )
    return f'<div class="colors">{bars}</div>'


def _mean_distance(members):
    """How far the colors of a style's files lie apart."""
    found = [f["palette"] for f in members if f.get("palette")][:MOST_COMPARED]
    pairs = [(a, b) for i, a in enumerate(found) for b in found[:i]]
    if not pairs:
        return ""
    mean = sum(palettes.distance(*pair) for pair in pairs) / len(pairs)
    return f", colors {mean:.0f} apart in CIELAB"


def videos(
    sources: list[dict[str, typing.Any]],
    totals: dict[str, typing.Any],
    shown: Thumbnails,
) -> str:
    """Each video with its shots."""
    found = [f for f in sources if f["kind"] == "video" and not f["error"]]
    if not found:
        return ""
    opened = " open" if totals["shots"] <= MOST_OPEN else ""
    rows = "".join(_video(facts, opened, shown) for facts in found)
    return f"<h2>Videos: {len(found):,}</h2>{rows}"


def _video(facts, opened, shown):
    if facts["clips"]:
        verdict = (
            f'<span class="{text(facts["split"])}">{number(facts["clips"], "clip")}, '
            f"{text(facts['split'])}</span>"
        )
    else:
        verdict = '<span class="bad">no clip</span>'
    tags = [facts["label"], facts["licence"]]
    tags += ["variable frame rate"] if facts.get("variable_frame_rate") else []
    tags += [f"turned by {facts['rotation']}°"] if facts.get("rotation") else []
    lines = [_formats(facts)] + [text(line) for line in facts.get("warnings", [])]
    lines += [
        f"{text(name)}: {text(value)}"
        for name, value in facts.get("provenance", {}).items()
        if value
    ]
    cards = [
        _shot(facts, index, shown) for index in range(len(facts["shots"][:MOST_SHOTS]))
    ]
    rest = len(facts["shots"]) - len(cards)
    if rest:
        cards.append(f"<p>And {number(rest, 'more shot')}: see report.json.</p>")
    tags = "".join(f' <span class="tag">{text(tag)}</span>' for tag in tags if tag)
    body = "".join(f'<p class="soft">{line}</p>' for line in lines if line)
    return (
        f"<details{opened}><summary><b>{text(facts['source'])}</b> {verdict}{tags}"
        f'</summary>{body}<div class="shots">{"".join(cards)}</div></details>'
    )


def _formats(facts):
    """What a file is, and what its clips are."""
    if not facts.get("height"):
        return ""
    parts = [f"{facts['width']}x{facts['height']}"]
    parts += [f"{facts['fps']:.4g} fps"] if facts.get("fps") else []
    parts += [clock(facts["duration"])] if facts.get("duration") else []
    parts += [text(facts["codec"])] if facts.get("codec") else []
    parts += [size(facts["bytes"])] if facts["bytes"] else []
    kept = (
        f" → {facts['kept_width']}x{facts['kept_height']}, {facts['kept_fps']:.4g} fps"
        if facts.get("kept_height")
        else ""
    )
    return ", ".join(parts) + kept


def _shot(facts, index, shown):
    shot = facts["shots"][index]
    found = shot.get("found", shot["clips"])
    if not shot["clips"]:
        verdict = _reason(facts, shot)
    elif found > shot["clips"]:
        verdict = f"{shot['clips']} of {number(found, 'clip')}"
    else:
        verdict = number(shot["clips"], "clip")
    return (
        f"<figure{'' if shot['clips'] else ' class=out'}>{shown(facts, index)}"
        f"<figcaption>{times(shot)}<br><b>{verdict}</b></figcaption></figure>"
    )


def _reason(facts, shot):
    if shot["duplicate_of"]:
        name, _, index = shot["duplicate_of"].rpartition("#")
        which = f", shot {int(index) + 1}" if facts["kind"] == "video" else ""
        return f"repeats {text(name)}{which}"
    return text(shot["reason"]) or "no clip"


def times(shot: dict[str, typing.Any]) -> str:
    """When a shot begins and ends."""
    return f"{clock(shot['start'])} to {clock(shot['end'])}"
