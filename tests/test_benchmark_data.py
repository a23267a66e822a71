"""How fast clips come, and decoding alone: measured on small files."""

import json

import numpy as np
import pytest
from PIL import Image

from tests import in_process
from tests.commands import ROOT, run_module
from tests.video.samples import make_video, moving
from tools.benchmark import __main__, decoding

SMALL = (
    "--set=data.image_size=32",
    "--set=data.clip_length=3",
    "--clips=3",
    "--seconds=1",
)


def benchmark(*flags):
    name = "tools.benchmark"
    return in_process.run(name, "data", *flags, cwd=ROOT, actions=__main__.ACTIONS)


def benchmark_apart(*flags):
    return run_module("tools.benchmark", "data", *flags)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    for kind in ("videos", "photos"):
        (folder / kind).mkdir()
    for number in range(2):
        make_video(folder / "videos" / f"{number}.mp4", 40, options={"g": "10"})
        (frame,) = moving(1, 64, 64)
        Image.fromarray(frame).save(folder / "photos" / f"{number}.png")
    (folder / "videos" / "broken.mp4").write_text("no video")
    return folder


@pytest.mark.slow
def test_sources_are_timed_beside_plain_decode(folders, tmp_path):
    output = tmp_path / "report.json"
    done = benchmark_apart(
        *(f"--input={folders / 'videos'}", f"--input={folders / 'photos'}"),
        *("--input=synthetic", f"--output={output}", *SMALL),
        "--set=data.image_size=96",  # of flow that costs more than noise
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads(output.read_text())
    assert facts["setup"]["different"] == 4  # whole batches
    assert facts["step"] is None
    rows = {(row["source"], row["flow"]): row for row in facts["rows"]}
    assert set(rows) == {
        ("videos", ""),
        ("videos", "estimated"),
        ("photos", "exact"),
        ("rendered scenes", "exact"),
    }
    for (source, _), row in rows.items():
        assert set(row["calls"]) == {"1", "2", "4"}
        for cell in row["calls"].values():
            bytes_per_clip = cell["megabytes_per_second"] / cell["clips_per_second"]
            assert bytes_per_clip == pytest.approx(3 * 96 * 96 * 3 / 1e6)
        if source != "videos":
            assert row["plain"] is None
            continue
        ratio = row["plain"]["cpu_ms"] / row["calls"]["1"]["cpu_ms"]
        assert row["plain"]["ratio"] == pytest.approx(ratio)
        assert 0 < ratio < 1.2
    slower = rows["videos", "estimated"]["calls"]["1"]["cpu_ms"]
    assert slower > rows["videos", ""]["calls"]["1"]["cpu_ms"]
    assert "| videos | none |" in done.stdout
    assert "| photos | exact |" in done.stdout


@pytest.mark.slow
def test_a_training_step_is_timed_beside_the_clips():
    done = benchmark(
        *("--experiment=smoke", "--steps=2", "--clips=2", "--seconds=1"),
        *("--set=losses.gan=0", "--set=losses.content=0", "--set=losses.temporal=0"),
    )
    assert done.returncode == 0, done.stderr
    assert "| procedural paintings | exact |" in done.stdout
    assert "of a step" in done.stdout
    assert "A training step takes" in done.stdout


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--steps=3"], "--steps: is of an experiment; give --experiment too"),
        (["--seconds=0"], "--seconds=0: give a number above 0"),
        (["--clips=0"], "--clips=0: give at least 1"),
        (["--term=style"], "--term: is for train, not for data"),
        (["--output=a.txt"], "--output=a.txt: give a file that ends in .json"),
        (["--input=nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_one_line(flags, line):
    done = benchmark(*flags)
    assert done.returncode == 2
    assert line in done.stderr
    assert "Traceback" not in done.stderr
    assert sum("tools.benchmark:" in line for line in done.stderr.splitlines()) == 1


def test_decoding_covers_the_span_from_its_key_frame(folders):
    path = folders / "videos" / "0.mp4"
    assert decoding.decode(path, 0, 0.4)[0] == 11
    late, _ = decoding.decode(path, 1.0, 1.2)  # 25 frames a second, keys every 10
    assert 10 <= late <= 16
    assert decoding.decode(path, 0, 99)[0] == 40
    assert np.isfinite(decoding.decode(path, 0, 99)[1])
