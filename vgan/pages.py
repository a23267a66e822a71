"""Reports as one page of HTML that stands alone: pictures and plots are inside."""

import base64
import pathlib

import cv2
import jinja2
import markupsafe
import numpy as np


def plain(value: object) -> str:
    """Text without what could disturb a line, a terminal or a page's encoding."""
    value = str(value)
    if value.isprintable():
        return value
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in value
    )


def jpeg(picture: np.ndarray, quality: int = 88) -> str:
    """Return a picture, uint8 RGB [H, W, 3], as a JPEG in base64."""
    picture = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return base64.b64encode(data.tobytes()).decode()


def render(page: dict, title: str = "") -> str:
    """Return a page as HTML, in which every text is `plain` and escaped.

    Args:
        page: The page is a section: a dict of what is shown, in this order. All may be
            left out; all but the texts name, note, verdict, kind and more are lists.

            name, note      heading, and what stands small beside it
            open            the section folds under its name; whether it is open
            verdict, kind   beside the name of what folds; a class of page.html
            tags            likewise, texts
            lines           paragraphs
            tiles           (figure, what it is)
            rows            of a table: (name, cell, ...), with its heads and hints, one
                            a row, and the kinds of its cells: "n", a number; "bar", in
                            percent; "note", "bad", ""
            figures         {kind: "tall", "full" or "out", jpeg: base64, palette:
                            (color, share), curves: {name, color, points}, caption,
                            verdict, note}
            pairs           of figures
            sections        below this one
            more            a last paragraph
        title: Of the window; the page's name by default.
    """
    folder = pathlib.Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        finalize=lambda x: x if isinstance(x, markupsafe.Markup) else plain(x),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html")
    return template.render(page=page, title=title or page["name"])
