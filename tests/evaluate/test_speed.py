import os
import pathlib
import subprocess
import sys
import types

import numpy as np
import pytest

from tests.runtime.scenes import scene
from tests.tiny import TINY
from vgan import InputError
from vgan.evaluate import speed
from vgan.models import Generator
from vgan.runtime.engines.keras_engine import KerasEngine
from vgan.video import VideoWriter

ROOT = pathlib.Path(__file__).resolve().parents[2]
VARIANTS = [
    {**TINY, "cell": cell, "modulation": modulation}
    for cell in ("lstm", "gru")
    for modulation in ("weight", "adain")
]


def counted_by_hand(generator, height, width):
    """Kernel size times output area, layer by layer; kernels stand in the weights."""
    area = height * width
    deep = area // generator.stride**2
    macs = 0

    def convolve(layer, pixels):
        return int(np.prod(layer.kernel.shape)) * pixels

    def styled(layer, pixels):
        demodulate = layer.in_filters * layer.filters
        dense = sum(int(np.prod(d.kernel.shape)) for d in (layer.scale, layer.shift))
        if layer.modulation == "adain":
            demodulate = 0
        return convolve(layer.conv, pixels) + dense + demodulate

    macs += convolve(generator.stem, area)
    for level, down in enumerate(generator.down, start=1):
        macs += convolve(down, area // 4**level)
    macs += convolve(generator.recurrent.gates, deep)
    if generator.cell == "gru":
        macs += convolve(generator.recurrent.candidate, deep)
    macs += styled(generator.merge, deep)
    macs += sum(styled(layer, deep) for layer in generator.residual)
    levels = zip(generator.reduce, generator.up, strict=True)
    for level, (reduce, up) in enumerate(levels):
        macs += convolve(reduce, deep * 4**level)
        macs += 9 * 4 * reduce.filters * deep * 4**level  # between the four
        macs += styled(up, deep * 4 ** (level + 1))
    return macs + styled(generator.to_rgb, area)


def counted_by_engine(variant):
    return KerasEngine(Generator(**variant)).count_macs(32, 48)


def test_macs_by_hand():
    by_hand = [counted_by_hand(Generator(**v), 32, 48) for v in VARIANTS]
    assert [counted_by_engine(v) for v in VARIANTS] == by_hand
    assert len(set(by_hand)) == 4


def test_macs_are_those_of_the_documentation():
    small = {"filters": (8, 16, 32, 64), "hidden_filters": 32, "blocks": 1}
    for arguments, gmac in (({}, 1.9), (small, 0.57)):
        engine = KerasEngine(Generator(**arguments))
        assert engine.count_macs(256, 256) / 1e9 == pytest.approx(gmac, rel=0.05)


def in_a_fresh_process(code, **environment):
    """Run code; return the last line that it prints."""
    output = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
        timeout=240,
    ).stdout
    return output.splitlines()[-1]


@pytest.mark.slow
def test_macs_are_the_same_on_jax():
    pytest.importorskip("jax")
    code = (
        "from tests.evaluate import test_speed as here\n"
        "print(here.counted_by_engine(here.VARIANTS[0]))"
    )
    # Compiling the random initial weights takes longest: 7 s instead of 27.
    there = in_a_fresh_process(
        code, KERAS_BACKEND="jax", JAX_DISABLE_MOST_OPTIMIZATIONS="1"
    )
    assert int(there) == counted_by_engine(VARIANTS[0])


class SlowEngine(KerasEngine):
    """Takes a known time of its own clock; the first frame most, as compiling does."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.shapes = []
        self.now = 0.0

    def step(self, content, code, state):
        self.shapes.append(content.shape)
        n = len(self.shapes)
        self.now += 0.5 if n == 1 else 0.25 if n == 20 else 0.05
        return content, state


def test_speed_of_an_engine_that_is_known(monkeypatch):
    generator = Generator(**TINY)
    engine = SlowEngine(generator)
    clock = types.SimpleNamespace(perf_counter=lambda: engine.now)
    monkeypatch.setattr(speed, "time", clock)
    figures = speed.measure(engine, (30, 33), num_frames=18, warm_up=2)
    assert set(engine.shapes) == {(1, 1, 32, 36, 3)}
    assert len(engine.shapes) == 20
    assert figures["ms_median"] == pytest.approx(50)
    # One frame in 18 took 250 ms: of 17 steps from the fastest to it, 95 % are 16.15.
    assert figures["ms_p95"] == pytest.approx(50 + 0.15 * 200)
    assert figures["parameters"] == sum(
        int(np.prod(w.shape)) for w in generator.weights
    )
    assert figures["gmac"] * 1e9 == pytest.approx(counted_by_hand(generator, 32, 36))
    with pytest.raises(ValueError, match="num_frames"):
        speed.measure(engine, (32, 32), num_frames=0)


def test_speed_of_a_real_engine():
    figures = speed.measure(KerasEngine(Generator(**TINY)), (16, 24), num_frames=4)
    assert all(value > 0 for value in figures.values())


@pytest.mark.slow
def test_peak_memory_sees_what_was_held():
    code = """
import numpy as np
from vgan.evaluate.speed import peak_memory_mib as peak
figures = [peak()]
held = np.ones(2**27)  # 1 GiB
figures.append(peak())
del held
print(*figures, peak())
"""
    before, then, after = map(float, in_a_fresh_process(code).split())
    assert 50 < before < 10_000
    assert 900 < then - before < 1030
    assert after >= then - 1  # the kernel counts per thread


def test_codec(tmp_path):
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, fps=25) as writer:
        for t in range(12):
            writer.write(np.roll(scene(0), 3 * t, axis=1), t / 25)
    figures = speed.measure_codec(path)
    assert set(figures) == {"decode_ms", "encode_ms"}
    assert all(0 < value < 1000 for value in figures.values())
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]
    still = tmp_path / "still.mp4"
    with VideoWriter(still, fps=25) as writer:
        writer.write(scene(0), 0)
    with pytest.raises(ValueError, match="single frame"):
        speed.measure_codec(still)
    with pytest.raises(InputError, match="no such file"):
        speed.measure_codec(tmp_path / "gone.mp4")
