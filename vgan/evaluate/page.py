"""The report as one page of HTML that stands alone: pictures and plots are inside."""

import html
import pathlib
import string
import typing
from collections.abc import Sequence

import numpy as np

from vgan.evaluate import pictures
from vgan.metrics import METRICS, OF_MODELS, metric, show

if typing.TYPE_CHECKING:
    from vgan.evaluate.scoring import Score


COLORS = {
    **{"model": "#d4572a", "result": "#d4572a"},
    **{"per_frame": "#2a7fd4", "content": "#2f9e6e"},
}
OTHER = "#8a5fbf"  # a rival


def render(
    facts: dict[str, typing.Any],
    scores: "Sequence[Score]",
    styles: dict[str, np.ndarray],
) -> str:
    """Return the page of `report.facts` as HTML; see `report.write`."""
    template = string.Template(
        pathlib.Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    )
    return template.substitute(
        title=html.escape(facts["title"]),
        systems=_html_table(facts["systems"]),
        clips="".join(
            _clip(content, style, group, styles)
            for (content, style), group in _by_clip(scores).items()
        ),
        others="".join(
            f"<h3>{html.escape(name)}</h3>{_list(part)}"
            for name, part in facts["parts"].items()
        ),
        missing=_list(facts["not_measured"]) or "<p>Everything was measured.</p>",
        legend=_legend(facts["systems"]),
        setup=_list(facts["setup"]),
    )


def _by_clip(scores):
    groups = {}
    for score in scores:
        if score.style:
            groups.setdefault((score.content, score.style), []).append(score)
    for score in scores:
        if not score.style:  # the content itself, beside each of its results
            for (content, _), group in groups.items():
                if content == score.content:
                    group.append(score)
    return groups


def _clip(content, style, scores, styles):
    rows = {score.system: score.figures for score in scores}
    parts = [f"<h3>{html.escape(content)} in {html.escape(style)}</h3>"]
    for score in scores:
        if score.style:
            image = pictures.strip(styles[style], score.contents, score.results)
            parts.append(_figure(image, f"{score.system}: style | content over result"))
    slices = [score.time_slice for score in scores]
    names = ", ".join(score.system for score in scores)
    parts.append(
        _figure(
            pictures.time_slices(slices),
            f"Middle row of pixels over time, downwards: {names}. "
            "Flicker shows as horizontal stripes.",
        )
    )
    for name in ("warping_error_1", "static_flicker", "ssim"):
        curves = {s.system: s.series.get(name, []) for s in scores}
        parts.append(_plot(name, curves))
    table = f"<details><summary>All figures</summary>{_html_table(rows)}</details>"
    return "<section>" + "".join(parts) + table + "</section>"


def _figure(picture, caption):
    caption = html.escape(caption)
    source = pictures.data_url(picture)
    return (
        f'<figure><img src="{source}" alt="{caption}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _html_table(rows):
    lines = [f"<tr><th></th>{''.join(f'<th>{html.escape(r)}</th>' for r in rows)}</tr>"]
    for name in _names(rows):
        about = metric(name)
        cells = [f"<td>{show(name, row.get(name))}</td>" for row in rows.values()]
        lines.append(
            f'<tr title="{html.escape(about.meaning)}">'
            f"<th>{_title(name)}</th>{''.join(cells)}</tr>"
        )
    return f"<table>{''.join(lines)}</table>"


def _title(name):
    about = metric(name)
    short = "" if about.short == name else f" <small>{html.escape(about.short)}</small>"
    return f"{name}{short} {about.arrow}"


def _names(rows):
    """All figures that one of the rows has, in the order of METRICS, then layers."""
    seen = {n: None for row in rows.values() for n, v in row.items() if v is not None}
    return [n for n in METRICS if n in seen] + [n for n in seen if n not in METRICS]


def _legend(rows):
    names = _names(rows)
    return "".join(
        f"<dt>{_title(name)}</dt><dd>{html.escape(metric(name).meaning)}</dd>"
        for name in names
        if name in METRICS  # layers explain themselves
    )


def _list(values):
    if not values:
        return ""
    rows = "".join(
        f"<tr><th>{html.escape(str(k))}</th><td>{html.escape(plain(v))}</td>"
        f'<td class="note">{html.escape(OF_MODELS.get(k, ""))}</td></tr>'
        for k, v in values.items()
    )
    return f"<table>{rows}</table>"


def _plot(name, curves, width=560, height=120):
    """Curves over frames as an SVG; frames without a value leave gaps."""
    values = [v for curve in curves.values() for v in curve if v is not None]
    if not values:
        return ""
    count = max(len(curve) for curve in curves.values())
    low, high = min(0.0, *values), max(values) or 1.0
    parts, keys = [], []
    for label, curve in curves.items():
        color = COLORS.get(label, OTHER)
        points = [
            f"{width * i / max(1, count - 1):.1f},"
            f"{height - height * (v - low) / (high - low or 1):.1f}"
            for i, v in enumerate(curve)
            if v is not None
        ]
        parts.append(
            f'<polyline fill="none" stroke="{color}" points="{" ".join(points)}"/>'
        )
        keys.append(f'<span style="color:{color}">{html.escape(label)}</span>')
    return (
        f"<figure><svg viewBox='0 -4 {width} {height + 8}' width='{width}'>"
        f"{''.join(parts)}</svg><figcaption>{name} over frames, "
        f"{low:.4g} to {high:.4g}: {' · '.join(keys)}</figcaption></figure>"
    )


def plain(value: object) -> str:
    """A figure as text."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
