"""What users measure of their machine."""

import json
import pathlib

import pytest

from tests.commands import run_module

ROOT = pathlib.Path(__file__).resolve().parents[1]


def benchmark(*flags):
    return run_module("vgan.benchmark", *flags)


@pytest.mark.slow
def test_generate_times_the_stages(tmp_path):
    from vgan.models import Generator

    model, output = tmp_path / "generator.keras", tmp_path / "report.json"
    Generator((8, 8), 8, 0, code_size=16, noise_size=8).save(model)
    done = benchmark(
        *("generate", f"--model={model}", "--engine=openvino", "--engine=keras"),
        *("--size=48x64", "--frames=20", f"--output={output}"),
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads(output.read_text())
    assert [row["engine"] for row in facts["rows"]] == ["openvino", "keras"]
    for row in facts["rows"]:
        assert row["size"] == [48, 64]
        assert set(row["stages"]) == {"decode", "preprocess", "network", "encode"}
        for figures in row["stages"].values():
            assert 0 < figures["median_ms"] <= figures["p95_ms"]
        assert row["ratio"] > 0.5
        assert row["fps"] > 0
        assert {"decode", "network", "encode"} < set(row["budget"])
        assert sum(row["budget"].values()) > row["budget"]["network"] > 0
        assert row["of_limit"] == pytest.approx(row["fps"] / row["limit_fps"])
    one, two = (row["peak_memory_mib"] for row in facts["rows"])
    assert one < two  # without TensorFlow
    assert "CPUs" in facts["setup"]["machine"]
    assert done.stdout.count("| openvino | 64x48 |") == 2
    openvino, keras = (row["network"] for row in facts["rows"])
    assert openvino["Convolution"] > 0
    assert sum(openvino.values()) == pytest.approx(1)
    assert keras == {}
    assert "Network of openvino at 64x48: " in done.stdout


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "say what to do; known: generate"),
        (["train"], "cannot do 'train'"),
        (["generate"], "--model: is missing"),
        (["generate", "--model=painterly", "--frames=0"], "--frames=0: give at least"),
        (["generate", "--model=painterly", "--proxy=2"], "--proxy=2.0: give 0.1 to 1"),
    ],
)
def test_bad_input_is_one_line(flags, said):
    done = benchmark(*flags)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("vgan.benchmark: ")
    assert done.stderr.count("\n") == 1
