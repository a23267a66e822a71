"""The models that ship, as `make demo` and a user without a model take it."""

import re

import numpy as np
import pytest

from tests import in_process
from vgan.metrics.content import border_ratio, edge_correlation
from vgan.metrics.temporal_consistency import Drift
from vgan.pretrained import MODELS, PAINTERLY, find
from vgan.runtime import Stylizer, engines
from vgan.video import VideoReader, VideoWriter

ROOT = PAINTERLY.parents[2]


@pytest.fixture(scope="module")
def sample():
    """The first 12 frames of the sample clip."""
    with VideoReader(PAINTERLY.with_name("sample.mp4")) as reader:
        return [frame for frame, _ in reader][:12]


@pytest.fixture(scope="module", params=MODELS)
def engine(request):
    return engines.load(MODELS[request.param], "keras")


@pytest.mark.parametrize("path", MODELS.values())
def test_it_is_small_and_knows_the_styles_that_are_named(path):
    model = engines.describe(path)
    assert path.stat().st_size < 12e6
    demo = re.search(r"DEMO +:= (.+)", (ROOT / "Makefile").read_text())[1].split()
    assert set(demo) <= set(model.named_styles)
    page = " ".join((ROOT / "docs" / "inference.md").read_text().split())
    listed = re.search(r"the models that ship know (.+?), `quick", page)[1]
    assert sorted(re.split(", | and ", listed)) == sorted(model.named_styles)


def test_it_is_found_by_its_name(tmp_path, monkeypatch):
    for name, path in MODELS.items():
        assert path.is_file()
        assert find(name) == str(path)
    assert find("elsewhere/generator.keras") == "elsewhere/generator.keras"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "painterly").mkdir()  # an export of the user's
    assert find("painterly") == "painterly"


@pytest.mark.slow
def test_styles_differ_and_leave_the_content_in_place(engine, sample):
    last = {}
    for name in ("irises", "corridor"):
        stylizer = Stylizer(engine, name)
        for frame in sample:
            last[name] = stylizer(frame).astype(float)
    assert np.abs(last["irises"] - last["corridor"]).mean() > 20
    for result in last.values():
        assert edge_correlation(sample[-1], result.astype(np.uint8)) > 0.7
        assert np.abs(result - sample[-1]).mean() > 20


@pytest.mark.slow
def test_its_state_keeps_noise_from_flickering(engine, sample):
    random, still = np.random.default_rng(0), sample[0][:160, :240]
    noisy = still + random.normal(0, 4, (12, *still.shape))
    noisy = noisy.clip(0, 255).round().astype(np.uint8)

    def flicker(forgets):
        stylizer = Stylizer(engine, "irises")
        results = []
        for frame in noisy:
            results.append(stylizer(frame).astype(float))
            if forgets:
                stylizer.reset()
        return np.abs(np.diff(results[4:], axis=0)).mean()

    assert flicker(forgets=False) < 0.7 * flicker(forgets=True)


@pytest.mark.slow
def test_a_still_scene_stays_still(engine, sample):
    stylizer = Stylizer(engine, "irises")
    still, drift = sample[0][:80, :120], Drift()
    for _ in range(300):
        change = drift.update(stylizer(still), np.ones(still.shape[:2], bool))
    assert change < 2 / 255


@pytest.mark.slow
def test_the_border_is_painted_like_the_inside(engine, sample):
    ratios = []
    for name in engine.named_styles:
        result = Stylizer(engine, name)(sample[-1])
        ratios.append(border_ratio(sample[-1], result))
    assert 0.8 < np.mean(ratios) < 1.2


@pytest.mark.slow
def test_it_is_taken_where_no_model_is_named(sample, tmp_path):
    with VideoWriter(tmp_path / "in.mp4", fps=24) as writer:
        for number, frame in enumerate(sample[:3]):
            writer.write(frame[:64, :96], number / 24)
    done = in_process.run(
        *("vgan.generate", "--engine=keras", "--style=mill"),
        *(f"--input={tmp_path / 'in.mp4'}", f"--output={tmp_path / 'out.mp4'}"),
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert len(list(reader)) == 3
