"""The report: all figures and reasons are in it, it stands alone, and harms nobody."""

import base64
import copy
import html.parser
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from vgan.prepare import gallery, report

FRAME = np.random.default_rng(0).integers(0, 256, (54, 96, 3), dtype=np.uint8)


def shot(start=0.0, end=10.0, clips=5, **more):
    return {
        **{"start": start, "end": end, "frames": 240, "signature": "0" * 320},
        **{"thumbnail": report.thumbnail(FRAME), "reason": "", "duplicate_of": ""},
        **{"clips": clips, "clip_starts": [0, 16], **more},
    }


def source(name, *shots, **more):
    clips = sum(one["clips"] for one in shots)
    return {
        **{"source": name, "path_below_input": name, "bytes": 1_500_000},
        **{"kind": "video", "error": "", "warnings": [], "height": 720, "width": 1280},
        **{"fps": 29.97, "duration": 30.0, "codec": "h264", "kept_height": 256},
        **{"kept_width": 456, "kept_fps": 24.0, "split": "train" if clips else ""},
        **{"label": "", "licence": "CC-BY-4.0", "provenance": {"url": "https://x.org"}},
        **{"shots": list(shots), "clips": clips, "stamp": [1, 2], **more},
    }


def photo(name, label="", **more):
    one = shot(0.0, 0.0, 1, frames=1)
    palette = [["#aa3311", 0.75], ["#113355", 0.25]]
    more = {"kind": "photo", "label": label, "palette": palette, **more}
    return source(name, one, **{**more, "fps": None, "duration": None})


def made(*sources, **settings):
    return {"name": "mine", "settings": settings, "sources": list(sources)}


@pytest.fixture
def full():
    return made(
        source(
            *("a.mp4", shot(), shot(10, 12, 0, reason="black: mean luma 3 of 255")),
            shot(12, 30, 2, found=9),
            variable_frame_rate=True,
            rotation=90,
            warnings=["skipping what cannot be decoded"],
        ),
        source("b/c.mkv", shot(0, 30, 0, duplicate_of="a.mp4#0", reason="repeats")),
        source("broken.mp4", error="there is no video in it", height=None),
        photo("p.jpg", split="validation"),
        role="content",
    )


class Page(html.parser.HTMLParser):
    """Tags, attributes and text of a page; unclosed tags are noticed."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.attributes, self.open, self.texts = [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.texts))


def test_json_has_all_but_what_only_the_program_needs(tmp_path, full):
    given = copy.deepcopy(full)
    report.write(tmp_path, full)
    assert full == given
    read = json.loads((tmp_path / "report.json").read_text())
    assert read["totals"] == {
        **{"sources": 4, "videos": 3, "photos": 1, "broken": 1, "bytes": 6_000_000},
        **{"hours": pytest.approx(90 / 3600), "shots": 5, "clips": 8},
        "hours_kept": pytest.approx((10 + 18 * 2 / 9) / 3600),
        "splits": {
            "train": {"sources": 1, "clips": 7},
            "validation": {"sources": 1, "clips": 1},
        },
        "left_out": {
            "black": {"shots": 1, "hours": pytest.approx(2 / 3600)},
            "near-duplicate": {"shots": 1, "hours": pytest.approx(30 / 3600)},
        },
    }
    first = read["sources"][0]
    assert first["shots"][1]["reason"] == "black: mean luma 3 of 255"
    assert "stamp" not in first
    assert not {"signature", "thumbnail", "clip_starts"} & set(first["shots"][0])


def test_a_report_is_the_same_each_time(tmp_path, full):
    for name in ("one", "two"):
        report.write(tmp_path / name, full)
    for name in ("report.json", "report.html"):
        one, two = (tmp_path / folder / name for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_page_says_what_a_person_wants_to_know(tmp_path, full):
    report.write(tmp_path, full)
    page = Page(tmp_path / "report.html")
    for words in (
        *("4 files", "1.5 min", "8 clips", "train: 88%, of 1 file"),
        *("black: mean luma 3 of 255", "2 of 9 clips", "0:12.0 to 0:30.0"),
        *("broken.mp4", "there is no video in it", "variable frame rate"),
        *("turned by 90°", "skipping what cannot be decoded", "CC-BY-4.0"),
        *("1280x720, 29.97 fps, 0:30.0, h264, 1.5 MB → 456x256, 24 fps", "url:"),
        *("Near-duplicates: 1 shot", "repeats a.mp4, shot 1", "Photos: 1"),
    ):
        assert words in page.text, words
    assert page.text.count("there is no video in it") == 1


def test_page_stands_alone(tmp_path, full):
    report.write(tmp_path, full)
    page = Page(tmp_path / "report.html")
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    links = [value for name, value in page.attributes if name in ("src", "href")]
    assert len(links) == 7  # five thumbnails, two of a pair
    head = "data:image/jpeg;base64,"
    for link in links:
        assert link.startswith(head)
        with Image.open(io.BytesIO(base64.b64decode(link[len(head) :]))) as image:
            assert min(image.size) == report.THUMBNAIL
    assert "url(" not in (tmp_path / "report.html").read_text()


def test_names_harm_neither_page_nor_terminal(tmp_path):
    evil = '<script>alert("x&y")</script>\n\x1b[31m\u202e\udcff\'.mp4'
    harmed = made(
        source(
            *(evil, shot(reason=evil)),
            **{"label": evil, "licence": evil, "warnings": [evil]},
            provenance={evil: evil},
        ),
        source(evil + "2", shot(clips=0, reason=evil, duplicate_of=evil + "#0")),
        source(evil + "3", error=evil),
        photo(evil + "4", evil),
        role="style",
    )
    harmed["name"] = evil
    report.write(tmp_path, harmed)
    page = Page(tmp_path / "report.html")
    assert "script" not in page.tags
    assert all(text.isprintable() for text in page.text.split())
    assert (
        page.text.count('<script>alert("x&y")</script>\\n\\x1b[31m\\u202e\\udcff') > 8
    )
    read = json.loads((tmp_path / "report.json").read_text())
    assert read["sources"][0]["source"] == evil
    for line in report.summary(harmed):
        assert line.isprintable()


def test_a_style_shows_its_pictures_and_colors(tmp_path):
    styles = made(
        *(photo("monet/a.jpg", "monet"), photo("monet/b.jpg", "monet")),
        photo("klee/a.jpg", "klee"),
        source("klee/c.mp4", shot(clips=4), label="klee", palette=[["#000000", 1.0]]),
        role="style",
    )
    report.write(tmp_path, styles)
    page = Page(tmp_path / "report.html")
    assert "Styles: 2" in page.text
    assert "monet 2 files, 2 clips, colors 0 apart" in page.text
    assert re.search(r"klee 2 files, 5 clips, colors [1-9]\d apart", page.text)
    titles = [value for name, value in page.attributes if name == "title"]
    assert titles.count("#aa3311, 75%") == 3


def test_thousands_of_sources_have_as_many_thumbnails_as_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "MOST_THUMBNAILS", 250)
    many = made(*(source(f"{i:04d}.mp4", shot(), shot()) for i in range(200)))
    report.write(tmp_path, many)
    page = Page(tmp_path / "report.html")
    assert page.tags.count("img") == 250
    assert page.tags.count("details") == 200
    parts = (tmp_path / "report.html").read_text().split("<details")[1:]
    assert all("<img" in part for part in parts)  # each has its first
    assert "150 shots are shown without a thumbnail" in page.text


def test_a_video_of_many_shots_does_not_fill_the_page(tmp_path):
    long = source("long.mp4", *(shot(i, i + 1, 1) for i in range(450)))
    report.write(tmp_path, made(long))
    page = Page(tmp_path / "report.html")
    assert page.tags.count("figure") == gallery.MOST_SHOTS
    assert f"And {450 - gallery.MOST_SHOTS} more shots" in page.text
    assert "open" not in dict(page.attributes)


def test_nothing_was_found(tmp_path):
    report.write(tmp_path, made(source("a.mp4", error="is empty")))
    page = Page(tmp_path / "report.html")
    assert "No shot was left out" in page.text
    assert report.summary(made(source("a.mp4", error="is empty"))) == [
        "video a.mp4: is empty",
        "1 source, 30.0 s: no clip",
    ]


def test_what_cannot_be_written_leaves_the_old_report(tmp_path, full):
    report.write(tmp_path, full)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    full["sources"][0]["fps"] = float("nan")
    with pytest.raises(ValueError, match="not JSON compliant"):
        report.write(tmp_path, full)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("shape", [(1, 1), (90, 160), (2000, 20), (256, 256)])
def test_thumbnails_are_small_whatever_the_frame(shape):
    frame = np.zeros((*shape, 3), np.uint8)
    frame[:, :, 0] = 200
    with Image.open(io.BytesIO(base64.b64decode(report.thumbnail(frame)))) as image:
        assert max(image.size) <= report.MOST_STRETCHED * report.THUMBNAIL
        red, green, _ = image.getpixel((0, 0))
    assert red > 150
    assert green < 60
