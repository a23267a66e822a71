import json
import re

import numpy as np
import pytest

from vgan.evaluate import report
from vgan.evaluate.scoring import Score
from vgan.metrics import METRICS, metric, show


def score(system, content, style, **figures):
    frames = np.full((3, 144, 100, 3), 90, np.uint8)
    series = {"warping_error_1": [None, 0.01, 0.02], "ssim": [1.0, 0.5, 0.5]}
    slices = np.zeros((3, 40, 3), np.uint8)
    return Score(system, content, style, 3, figures, series, frames, frames, slices)


@pytest.fixture
def facts():
    scores = [
        score("content", "a<b>", "", ssim=1.0),
        score("model", "a<b>", "van_gogh", style_strength=0.25, ssim=0.5),
        score("model", "other", "van_gogh", style_strength=0.75, ssim=None),
    ]
    parts = {"speed": {"ms_median": 20.0}}
    exact = {"content": 1e-5, "model": 2e-4}
    rows = [
        {name: {"known_flow_error": error} for name, error in exact.items()},
        {"model": {"brush_diversity": 0.25}},
    ]
    names = ["content", "model"]
    return scores, report.facts(
        "A <title>", names, scores, parts, {"fid": "needs this"}, {"size": 256}, rows
    )


def test_means_are_of_what_was_measured(facts):
    _, found = facts
    assert found["systems"]["model"] == {
        "style_strength": 0.5,
        "ssim": 0.5,
        "known_flow_error": 2e-4,
        "brush_diversity": 0.25,
    }
    assert found["systems"]["content"]["known_flow_error"] == 1e-5
    assert [clip["content"] for clip in found["clips"]] == ["a<b>", "a<b>", "other"]
    assert set(found["parts"]) == {"speed"}


def test_the_terminal_shows_a_table_and_what_is_missing(facts):
    lines = report.lines(facts[1])
    heads, arrows, content, model, *second = lines[:8]
    assert heads.split() == ["style", "ssim", "E", "exact"]
    assert arrows.split() == ["↑", "↑", "↓"]
    assert content.split() == ["content", "-", "1.00", "0.00001"]
    assert model.split() == ["model", "0.50", "0.50", "0.00020"]
    assert [line.split() for line in second] == [
        *(["brushes"], ["↑"], ["content", "-"], ["model", "0.25"])
    ]
    assert "speed: ms_median 20" in lines
    assert lines[-1] == "fid: not measured: needs this"


def test_the_page_stands_alone_and_escapes_names(facts, tmp_path):
    scores, found = facts
    style = np.zeros((50, 60, 3), np.uint8)
    report.write(tmp_path / "report", found, scores, {"van_gogh": style})
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names == {"metrics.json", "index.html"}
    assert json.loads((tmp_path / "report" / "metrics.json").read_text()) == found
    page = (tmp_path / "report" / "index.html").read_text()
    assert "A &lt;title&gt;" in page
    assert "a&lt;b&gt; in van_gogh" in page
    assert "<b>" not in page

    pictures = re.findall(r'<img src="([^"]+)"', page)
    assert len(pictures) == 4  # a strip and a time slice for each of two clips
    assert all(src.startswith("data:image/jpeg;base64,") for src in pictures)
    assert not re.search(r"https?://", page)
    assert page.count("<polyline") >= 4
    assert "$" not in page


def test_every_metric_says_which_way_is_better():
    for name, about in METRICS.items():
        assert about.better in ("lower", "higher", "one", ""), name
        assert about.meaning.endswith("."), name
    layer = metric("style_strength/relu1_1")
    assert (layer.better, layer.short) == ("higher", "relu1_1")
    assert show("ssim", None) == "-"
    assert (metric("glow").short, show("glow", 2.0)) == ("glow", "2.00")  # unknown
    assert show("warping_error_1", 0.000123) == "0.00012"
