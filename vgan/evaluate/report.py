"""A report: metrics.json for programs, a table for the terminal, a page for the eye."""

import datetime
import json
import math
import os
import pathlib
import platform
import typing
from collections.abc import Sequence

import cv2
import keras
import numpy as np

import vgan
from vgan import InputError, files
from vgan.evaluate import page
from vgan.metrics import METRICS, show

if typing.TYPE_CHECKING:
    from vgan.evaluate.scoring import Score


FILES = ("metrics.json", "index.html")
TABLES = (  # columns of the terminal's tables
    (
        *("style_strength", "style_ceiling", "style_strength_gray"),
        *("content_distance", "ssim", "edge_correlation"),
        *("warping_error_1", "normalized_warping_error_1"),
        *("normalized_warping_error_10", "static_flicker", "drift", "border_ratio"),
        "known_flow_error",
    ),
    (
        *("style_strength_judge", "style_ceiling_judge", "style_strength_gray_judge"),
        *("palette_distance", "color_explained", "tone_correlation"),
        *("flat_texture", "flat_gray_chroma", "flat_color_chroma", "brush_diversity"),
    ),
)


def write(
    folder: str | pathlib.Path,
    facts: dict[str, typing.Any],
    scores: "Sequence[Score]",
    styles: dict[str, np.ndarray],
) -> None:
    """Write metrics.json and index.html, each whole or not at all.

    Args:
        folder: Where; made if it is not there. See `check`.
        facts: What metrics.json holds, of plain types.
        scores: List of vgan.evaluate.scoring.Score.
        styles: {name: picture uint8 [h, w, 3]}.
    """
    texts = {
        "metrics.json": json.dumps(facts, indent=1, allow_nan=False) + "\n",
        "index.html": page.render(facts, scores, styles),
    }
    files.write_together(folder, texts)


def check(folder: str | pathlib.Path, overwrite: bool) -> None:
    """Make sure that a report can be written, before hours of work.

    Raises:
        InputError: It cannot be written, or holds a report, or another page.
    """
    folder = pathlib.Path(folder)
    for name in FILES:
        path = folder / name
        if path.is_dir():
            raise InputError(f"{path}: is a folder; give another output")
        if path.exists() and not overwrite:
            raise InputError(f"{path}: exists; give another output, or overwrite=True")
    existing = folder.absolute()
    while not existing.exists():
        existing = existing.parent
    files.check_writable(existing, f"output={folder}", "give another folder")


def table(
    rows: dict[str, dict[str, float | None]], columns: Sequence[str]
) -> list[str]:
    """Lay out figures for the terminal.

    Args:
        rows: {label: {metric: float or None}}.
        columns: Metrics to show, as far as a row has them.

    Returns:
        Lines of text: one of headings, one of arrows that say which way is better,
        then one for each row; none without a figure to show.
    """
    names = [n for n in columns if any(row.get(n) is not None for row in rows.values())]
    if not names:
        return []
    heads = [METRICS[name].short for name in names]
    arrows = [METRICS[name].arrow for name in names]
    cells = {
        label: [show(name, row.get(name)) for name in names]
        for label, row in rows.items()
    }
    widths = [
        max(len(text) for text in column)
        for column in zip(heads, arrows, *cells.values(), strict=True)
    ]
    first = max([len(label) for label in rows], default=0)
    lines = []
    for label, texts in {"": heads, " ": arrows, **cells}.items():
        shown = [t.rjust(w) for t, w in zip(texts, widths, strict=True)]
        lines.append("  ".join([label.strip().ljust(first), *shown]).rstrip())
    return lines


def lines(facts: dict[str, typing.Any]) -> list[str]:
    """What the terminal shows of `facts`."""
    shown = [line for names in TABLES for line in table(facts["systems"], names)]
    for name, figures in facts["parts"].items():
        texts = [f"{key} {page.plain(value)}" for key, value in figures.items()]
        shown.append(f"{name}: {', '.join(texts)}")
    reasons = {}
    for name, why in facts["not_measured"].items():
        reasons.setdefault(why, []).append(name)
    shown += [f"{', '.join(n)}: not measured: {why}" for why, n in reasons.items()]
    return shown


def facts(
    title: str,
    systems: Sequence[str],
    scores: "Sequence[Score]",
    parts: dict[str, dict[str, typing.Any]],
    missing: dict[str, str],
    setup: dict[str, str],
    rows: Sequence[dict[str, dict[str, float | None]]] = (),
) -> dict[str, typing.Any]:
    """Gather what metrics.json holds.

    Args:
        title: Of the page.
        systems: Names, in the order of the table.
        scores: List of vgan.evaluate.scoring.Score.
        parts: {group: {name: figure}} of what is not of one clip.
        missing: {group: why it was not measured}.
        setup: {what: how it was}.
        rows: List of {system: {metric: float}}, of systems as a whole.
    """
    means = {
        name: _means([_finite(s.figures) for s in scores if s.system == name])
        for name in systems
    }
    for row in rows:
        for name, figures in row.items():
            means[name] |= _finite(figures)
    clips = [
        {
            "system": score.system,
            "content": score.content,
            "style": score.style,
            "num_frames": score.num_frames,
            **_finite(score.figures),
        }
        for score in scores
    ]
    setup = {
        **setup,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": f"vgan {vgan.__version__}, keras {keras.__version__} on "
        f"{keras.backend.backend()}, opencv {cv2.__version__}",
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, {platform.system()}",
    }
    return {
        "title": title,
        "systems": means,
        "parts": parts,
        "clips": clips,
        "not_measured": missing,
        "setup": setup,
    }


def _finite(figures):
    """JSON knows no NaN: what is not finite was not measured."""
    return {
        name: value if value is not None and math.isfinite(value) else None
        for name, value in figures.items()
    }


def _means(rows):
    """Mean of every figure over the rows that have it."""
    means = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row[name] for row in rows if row.get(name) is not None]
        means[name] = sum(values) / len(values) if values else None
    return means
