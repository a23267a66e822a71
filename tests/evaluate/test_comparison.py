import keras
import numpy as np
import pytest

from vgan.datasets.synthetic import scene
from vgan.evaluate import comparison
from vgan.metrics.features import MeasuringFeatures
from vgan.models import Generator
from vgan.runtime import engines
from vgan.video import VideoReader


@pytest.mark.slow
def test_comparison_and_figures(tmp_path):
    keras.utils.set_random_seed(0)  # some random networks draw what no codec keeps
    random = np.random.default_rng(0)
    styles = {name: random.integers(0, 256, (1, 32, 48, 3), np.uint8) for name in "ab"}
    named = {"a": [1.0] * 16, "b": [-1.0] * 16}
    Generator((8, 8, 8), 8, 1, code_size=16, named_styles=named).save(
        tmp_path / "generator.keras"
    )
    engine = engines.load(tmp_path / "generator.keras")
    content = scene(0, 3, 40, 36).frames

    path = tmp_path / "comparison.mp4"
    comparison.write_comparison(path, engine, content, styles, 5)
    with VideoReader(path) as reader:
        frames = [frame for frame, _ in reader]
    assert len(frames) == 6
    assert frames[0].shape == (40, 3 * 36, 3)
    first, second = (comparison.stylize(engine, content, name) for name in "ab")
    assert np.abs(np.int16(first) - second).mean() > 1
    for frame, stylized in ((frames[0], first), (frames[3], second)):
        assert np.abs(np.int16(frame[:, 72:]) - stylized[0]).mean() < 12

    flow = np.zeros((2, 40, 36, 2), np.float32)
    hidden = np.zeros((2, 40, 36, 1), np.float32)
    figures = engine, content, styles, flow
    lines = comparison.describe(*figures, hidden, MeasuringFeatures(short_side=40))
    assert [line.split(":")[0] for line in lines] == ["a", "b"]
    assert all("warping error" in line for line in lines)
    lines = comparison.describe(*figures, hidden + 1, MeasuringFeatures(short_side=40))
    assert not any("warping error" in line for line in lines)
