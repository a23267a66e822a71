"""The report as a page: the eye checks the figures. See `vgan.pages.render`."""

from vgan import pages
from vgan.evaluate import pictures
from vgan.metrics import METRICS, OF_MODELS, metric, show

COLORS = {
    **{"model": "#d4572a", "result": "#d4572a"},
    **{"per_frame": "#2a7fd4", "content": "#2f9e6e"},
}
OTHER = "#8a5fbf"  # a rival
WIDTH, HEIGHT = 560, 120  # of a plot, as page.html shows it


def render(facts: dict, scores: list, styles: dict) -> str:
    """Return the page of `report.facts` as HTML; see `report.write`."""
    systems, missing = facts["systems"], facts["not_measured"]
    clips = dict.fromkeys((s.content, s.style) for s in scores if s.style)
    page = {
        "name": facts["title"],
        "lines": [
            "A result is good when it is strong in style, keeps its content and is "
            "steady in time, at once: read the three together. The content's own row "
            "is the floor of temporal consistency, the ceiling is what pieces of the "
            "style picture itself reach."
        ],
        "sections": [
            _table("Means over all clips", systems),
            _legend(systems),
            *(_list(name, part, "n") for name, part in facts["parts"].items()),
            {
                "name": "Clips",
                "sections": [_clip(c, s, styles[s], scores) for c, s in clips],
            },
            _list("Not measured", missing or {"nothing": "everything was measured"}),
            _list("Set-up", facts["setup"]),
        ],
    }
    return pages.render(page)


def _clip(content, style, picture, scores):
    scores = [s for s in scores if s.content == content and s.style in (style, "")]
    scores.sort(key=lambda score: not score.style)  # the content itself is the last
    figures = [
        {
            "jpeg": pages.jpeg(pictures.strip(picture, s.contents, s.results)),
            "caption": f"{s.system}: style | content over result",
        }
        for s in scores
        if s.style
    ]
    names = ", ".join(s.system for s in scores)
    slices = {
        "jpeg": pages.jpeg(pictures.time_slices([s.time_slice for s in scores])),
        "caption": f"Middle row of pixels over time, downwards: {names}. Flicker shows "
        "as horizontal stripes.",
    }
    plots = [
        _plot(name, {s.system: s.series.get(name, []) for s in scores})
        for name in ("warping_error_1", "static_flicker", "ssim")
    ]
    rows = {s.system: s.figures for s in scores}
    return {
        "name": f"{content} in {style}",
        "figures": [
            {"kind": "full", **each} for each in (*figures, slices, *plots) if each
        ],
        "sections": [{**_table("All figures", rows), "open": False}],
    }


def _table(name, rows):
    names = _names(rows)
    return {
        "name": name,
        "heads": ["", *rows],
        "kinds": ["n"] * len(rows),
        "hints": [metric(name).meaning for name in names],
        "rows": [
            (_arrow(name), *(show(name, row.get(name)) for row in rows.values()))
            for name in names
        ],
    }


def _arrow(name):
    return f"{name} {metric(name).arrow}"


def _names(rows):
    """All figures that one of the rows has, in the order of METRICS, then layers."""
    seen = {n: None for row in rows.values() for n, v in row.items() if v is not None}
    return [n for n in METRICS if n in seen] + [n for n in seen if n not in METRICS]


def _legend(rows):
    known = [name for name in _names(rows) if name in METRICS]  # layers are explained
    rows = [(_arrow(n), METRICS[n].short, METRICS[n].meaning) for n in known]
    heading = {"name": "What the figures mean", "open": False}
    return {**heading, "rows": rows, "kinds": ["note", "note"]}


def _list(name, values, kind=""):
    rows = [(key, plain(x), OF_MODELS.get(key, "")) for key, x in values.items()]
    return {"name": name, "rows": rows, "kinds": [kind, "note"]}


def _plot(name, curves):
    """Curves over frames; frames without a value leave gaps."""
    values = [v for curve in curves.values() for v in curve if v is not None]
    if not values:
        return None
    count = max(len(curve) for curve in curves.values())
    low, high = min(0.0, *values), max(values) or 1.0
    lines = []
    for label, curve in curves.items():
        points = [
            f"{WIDTH * i / max(1, count - 1):.1f},"
            f"{HEIGHT - HEIGHT * (v - low) / (high - low or 1):.1f}"
            for i, v in enumerate(curve)
            if v is not None
        ]
        color = COLORS.get(label, OTHER)
        lines.append({"name": label, "color": color, "points": " ".join(points)})
    caption = f"{name} over frames, {low:.4g} to {high:.4g}: "
    return {"curves": lines, "caption": caption}


def plain(value: float | str | None) -> str:
    """A figure as text."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
