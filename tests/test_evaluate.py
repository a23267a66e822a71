"""The command as a researcher runs it."""

import functools
import json
import os

import numpy as np
import pytest
from PIL import Image

from tests import in_process
from tests.commands import run_module
from tests.tiny import TINY
from vgan.datasets.synthetic import painting, scene
from vgan.evaluate import run
from vgan.video import VideoWriter


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """Model, clips and styles."""
    import keras

    from vgan.models import Generator

    folder = tmp_path_factory.mktemp("things")
    keras.utils.set_random_seed(3)
    Generator(**TINY).save(folder / "generator.keras")
    (folder / "clips").mkdir()
    for name, seed, change in (("one", 1, 0), ("two", 2, 0), ("bright", 1, 60)):
        with VideoWriter(folder / "clips" / f"{name}.mp4", fps=10) as writer:
            for t, frame in enumerate(scene(seed, 6, 48, 64).frames):
                frame = np.clip(frame.astype(int) + change, 0, 255).astype(np.uint8)
                writer.write(frame, t / 10)
    (folder / "clips" / "bright.mp4").rename(folder / "bright.mp4")
    with VideoWriter(folder / "short.mp4", fps=10) as writer:
        writer.write(scene(1, 1, 48, 64).frames[0], 0)
    with VideoWriter(folder / "square.mp4", fps=10) as writer:
        writer.write(scene(1, 1, 48, 48).frames[0], 0)
    (folder / "styles").mkdir()
    for name in ("mosaic", "waves"):
        picture = painting(name, 1, 64)
        Image.fromarray(picture).save(folder / "styles" / f"{name}.png")
    (folder / "text.mp4").write_text("text")
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text("precious")
    Image.fromarray(np.zeros((4, 200, 3), np.uint8)).save(folder / "thin.png")
    (folder / "empty.npz").touch()
    kernel, bias = np.zeros((3, 3, 3, 4), "f"), np.zeros(4, "f")
    first = {"conv1_1/kernel": kernel, "conv1_1/bias": bias}
    np.savez(folder / "shallow.npz", **first)
    np.savez(folder / "odd.npz", **first, **{"conv3_1/kernel": kernel})
    deep = {"conv1_1": 3, "conv2_1": 4, "conv3_1": 4, "conv4_1": 4}
    random = np.random.default_rng(0)
    judge = {f"{n}/kernel": random.normal(size=(3, 3, c, 4)) for n, c in deep.items()}
    judge |= {f"{name}/bias": bias for name in deep}
    np.savez(folder / "judge.npz", **{k: v.astype("f") for k, v in judge.items()})
    (folder / "empty").mkdir()
    return folder


def evaluate(things, *flags):
    return in_process.run("vgan.evaluate", *flags, cwd=things)


def evaluate_apart(things, *flags):
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    return run_module("vgan.evaluate", *flags, cwd=things, env=env, timeout=300)


@pytest.fixture(scope="module", autouse=True)
def root():
    """Children find vgan from wherever they run."""
    here = os.getcwd()
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    yield
    os.chdir(here)


@pytest.fixture
def small_scenes(monkeypatch):
    """Fewer and smaller frames than take a minute to stylize and to measure."""
    monkeypatch.setattr(run, "SCENES", 1)
    monkeypatch.setattr(run, "SCENE_FRAMES", 6)
    small = functools.partial(run.MeasuringFeatures, short_side=64)
    monkeypatch.setattr(run, "MeasuringFeatures", small)


@pytest.mark.slow
def test_a_model_and_its_baseline(things, tmp_path, small_scenes):
    result = evaluate(
        things,
        *("--model=generator.keras", "--content=clips", "--styles=styles"),
        *("--baseline=per_frame", "--baseline=identity", "--judge=judge.npz"),
        *("--size=48", "--frames=4", f"--output={tmp_path}/report"),
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == f"{tmp_path}/report/index.html"
    assert "56/56" in result.stderr  # 2 clips x 4 frames x (1 + 2 styles x 3 systems)
    facts = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert list(facts["systems"]) == ["content", "model", "per_frame", "identity"]
    assert len(facts["clips"]) == 2 * (1 + 2 * 3)
    for name in ("model", "per_frame"):
        row = facts["systems"][name]
        for figure in (
            *("style_strength", "style_ceiling", "ssim", "warping_error_1"),
            *("style_strength_judge", "style_strength_gray_judge"),
            *("palette_distance", "flat_gray_chroma", "brush_diversity"),
        ):
            assert isinstance(row[figure], float), figure
        assert row["style_strength_judge"] != row["style_strength"]
        assert row["known_flow_error"] > facts["systems"]["content"]["known_flow_error"]
    assert facts["systems"]["content"]["ssim"] == pytest.approx(1)
    identity = facts["systems"]["identity"]
    for figure in ("style_strength", "style_strength_judge", "brush_diversity"):
        assert identity[figure] == pytest.approx(0, abs=1e-5), figure
    assert facts["systems"]["model"]["brush_diversity_random"] > 0
    assert "judge.npz" in facts["setup"]["judge"]
    assert facts["parts"]["speed"]["gmac"] > 0
    assert "needs config.json" in facts["not_measured"]["adversarial"]
    assert set(facts["not_measured"]) >= {"adversarial", "fvd"}
    again = evaluate(
        things,
        *("--model=generator.keras", "--content=clips", "--styles=styles"),
        f"--output={tmp_path}/report",
    )
    assert again.returncode == 2
    assert "--overwrite" in again.stderr


@pytest.mark.slow
def test_a_finished_video(things, tmp_path, small_scenes):
    for video, strength in (("clips/one.mp4", 0), ("bright.mp4", None)):
        result = evaluate(
            things,
            *(f"--video={video}", "--content=clips/one.mp4", "--size=48"),
            *("--style=styles/mosaic.png", f"--output={tmp_path}", "--overwrite"),
        )
        assert result.returncode == 0, result.stderr
        facts = json.loads((tmp_path / "metrics.json").read_text())
        figures = facts["systems"]["result"]
        if strength is not None:
            assert figures["style_strength"] == pytest.approx(strength, abs=1e-6)
        else:
            assert abs(figures["style_strength"]) > 1e-3
        assert figures["edge_correlation"] > 0.7
        assert facts["not_measured"]["speed"] == "needs a model"


@pytest.mark.slow
def test_only_some_metrics(things, tmp_path):
    """In a process of its own."""
    result = evaluate_apart(
        things,
        *("--model=generator.keras", "--content=clips/one.mp4", "--styles=styles"),
        *("--metrics=temporal_consistency", "--size=48", f"--output={tmp_path}"),
    )
    assert result.returncode == 0, result.stderr
    facts = json.loads((tmp_path / "metrics.json").read_text())
    assert "style_strength" not in facts["systems"]["model"]
    assert not facts["parts"]
    assert not facts["not_measured"]


GOOD = {
    "model": "generator.keras",
    "content": "clips",
    "styles": "styles",
    "output": "nowhere",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": None}, "either --model or --video"),
        ({"video": "bright.mp4"}, "either --model or --video"),
        ({"model": "none.keras"}, "none.keras"),
        ({"content": None}, "--content: is missing"),
        ({"content": "nothing"}, "--content=nothing: there is no such"),
        ({"content": "text.mp4"}, "text.mp4"),
        ({"styles": "empty"}, "--styles=empty: there is no video or picture"),
        ({"styles": "text.mp4"}, "text.mp4"),
        ({"metrics": "beauty"}, "--metrics=beauty: there is no such metric"),
        ({"size": 3}, "--size=3"),
        ({"frames": -1}, "--frames=-1"),
        ({"features": "none.npz"}, "--features: no file none.npz"),
        ({"output": "text.mp4"}, "--output=text.mp4: cannot be written"),
        ({"output": "site"}, "site/index.html: exists"),
        ({"content": ""}, "--content: is missing"),
        ({"content": "http://x/y.mp4"}, "give a file or a folder"),
        ({"content": "thin.png"}, "too long and thin"),
        ({"features": "empty.npz"}, "empty.npz is not an .npz"),
        ({"features": "odd.npz"}, "odd.npz holds layers that do not fit"),
        ({"features": "shallow.npz"}, "ends before the layer that content is read"),
        ({"baseline": "magic"}, "baseline"),
        ({"judge": "none.npz"}, "--judge: no file none.npz"),
        ({"judge": "random"}, "--judge=random: is one of --features"),
        ({"judge": ""}, "--judge=: give a network"),
        ({"judge": "vgg16.npz", "metrics": "paint"}, "style among --metrics"),
        (
            {"model": None, "video": "bright.mp4", "baseline": "per_frame"},
            "--baseline=per_frame: needs --model",
        ),
        ({"model": None, "video": "bright.mp4"}, "--content: with --video, give one"),
        (
            {"model": None, "video": "short.mp4", "content": "clips/one.mp4"},
            "lengths differ, it ends after 1 frames and the content goes on",
        ),
        (
            {"model": None, "video": "clips/one.mp4", "content": "short.mp4"},
            "lengths differ, the content ends after 1 frames and it goes on",
        ),
        (
            {"model": None, "video": "square.mp4", "content": "clips/one.mp4"},
            "proportions differ",
        ),
        (
            {"model": None, "video": "text.mp4", "content": "clips/one.mp4"},
            "--video=text.mp4",
        ),
    ],
)
def test_bad_input_is_one_line(things, changes, says):
    if "video" in changes and "content" in changes:
        changes = {**changes, "styles": "styles/mosaic.png"}
    flags = [f"--{k}={v}" for k, v in {**GOOD, **changes}.items() if v is not None]
    result = evaluate(things, *flags, *([] if "size" in changes else ["--size=48"]))
    assert result.returncode == 2, result.stderr
    assert says in result.stderr
    # a progress bar may stand above it
    assert "Traceback" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith("vgan.evaluate: ")
    assert not (things / "nowhere").exists()


@pytest.mark.slow
def test_one_frame_and_a_broken_neighbor_do_not_lose_the_rest(
    things, tmp_path, small_scenes
):
    (tmp_path / "mixed").mkdir()
    for name in ("short.mp4", "text.mp4"):
        (tmp_path / "mixed" / name).write_bytes((things / name).read_bytes())
    odd = tmp_path / "mixed" / os.fsdecode(b"bad\xff.mp4")
    odd.write_bytes((things / "bright.mp4").read_bytes())
    result = evaluate(
        things,
        *("--model=generator.keras", f"--content={tmp_path}/mixed", "--size=48"),
        *("--styles=styles/mosaic.png", f"--output={tmp_path}/report"),
    )
    assert result.returncode == 0, result.stderr
    assert f"--content: left out, {tmp_path}/mixed/text.mp4" in result.stderr
    facts = json.loads((tmp_path / "report" / "metrics.json").read_text())
    contents = {clip["content"] for clip in facts["clips"]}
    assert contents == {"short", "bad\\xff"}
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        *("metrics.json", "index.html")
    }
