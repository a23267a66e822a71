import pathlib

import pytest

from vgan import config
from vgan.train.gan import VideoGAN

ROOT = pathlib.Path(__file__).resolve().parents[1]
NAMES = sorted(path.stem for path in (ROOT / "experiments").glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_builds(name):
    path = ROOT / "experiments" / f"{name}.py"
    networks = ["losses.features=random", "losses.second_features=random"]
    loaded = config.load(str(path), networks)
    assert config.from_json(config.to_json(loaded)).train == loaded.train
    VideoGAN(loaded)
    assert f"EXP={name}" in path.read_text()
