import pathlib

import keras
import pytest

from vgan import config
from vgan.train.build import build_gan

ROOT = pathlib.Path(__file__).resolve().parents[1]
NAMES = sorted(path.stem for path in (ROOT / "experiments").glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_builds(name):
    path = ROOT / "experiments" / f"{name}.py"
    networks = ["losses.features=random", "losses.last_frame_style.features=random"]
    loaded = config.load(str(path), networks)
    assert config.from_json(config.to_json(loaded)).train == loaded.train
    # A teacher is not looked at before the first step.
    build_gan(loaded, teacher=keras.Sequential() if loaded.train.teacher else None)
    assert f"EXP={name}" in path.read_text()
