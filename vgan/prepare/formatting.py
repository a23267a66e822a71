"""Figures and names as a reader wants them."""

import html


def plain(value: object) -> str:
    """Text without what could disturb a line, a terminal or a page's encoding."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode()
        for c in str(value)
    )


def text(value: object) -> str:
    """`plain` text for HTML."""
    return html.escape(plain(value))


def number(count: int, noun: str) -> str:
    """Return `1 clip`, `1,200 clips`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def hours(value: float) -> str:
    """Hours as text, in the unit that fits."""
    if not value:
        return "0"
    if value >= 1:
        return f"{value:,.1f} h"
    return f"{value * 60:.1f} min" if value * 60 >= 1 else f"{value * 3600:.1f} s"


def size(count: float) -> str:
    """Bytes as text."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            break
        count, unit = count / 1000, "TB"
    return f"{count:.3g} {unit}"


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds, and hours if there are."""
    minutes, rest = divmod(round(seconds, 1), 60)
    above, minutes = divmod(int(minutes), 60)
    head = f"{above}:{minutes:02d}" if above else str(minutes)
    return f"{head}:{rest:04.1f}"
