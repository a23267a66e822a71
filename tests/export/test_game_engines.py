"""The samples for game engines; `test_export` runs them by ONNX Runtime."""

import re

import pytest

from tests.export.game_engines import unity_state, unreal_state
from vgan.export import guide
from vgan.runtime.engines.exported import Manifest
from vgan.runtime.engines.keras_file import ModelInfo

STATE = {"hidden": [1, 4, 6, 32], "past": [1, 4, 6, 192], "age": [1, 1]}


@pytest.fixture
def manifest():
    return Manifest("onnx", ModelInfo(910, 32, 256, 8, {}), 3, STATE, (32, 48))


def test_names_and_shapes_are_those_of_the_export(manifest, tmp_path):
    guide.write(manifest, tmp_path)
    texts = [(tmp_path / name).read_text() for name in ("Stylizer.cs", "Stylizer.h")]
    assert unity_state(texts[0]) == (list(STATE), [*map(tuple, STATE.values())])
    assert unreal_state(texts[1]) == list(STATE)
    for text in texts:
        assert re.search(r"Height = 32, Width = 48;", text)
        assert "short side about 256" in text
        assert text.count("{") == text.count("}")
        assert text.count("(") == text.count(")")
        assert not re.search(r"\b(HEIGHT|WIDTH|NAMES|TEXTS|SHAPES|CODE|STYLE)\b", text)
    assert "Stylizer.cs" in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize(
    "facts", [{"size": None}, {"int8": "full"}, {"format": "openvino"}]
)
def test_others_have_none(manifest, facts, tmp_path):
    given = {**vars(manifest), **facts}
    guide.write(Manifest(**given), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
