import numpy as np
import pytest

from vgan import InputError, config
from vgan.train import checkpoint
from vgan.train.build import build_gan


@pytest.fixture(scope="module")
def gan():
    return build_gan(config.load("smoke"))


def test_restore_brings_everything_back(gan, tmp_path):
    assert checkpoint.restore(tmp_path, gan) == 0
    gan.step.assign(7)
    path = checkpoint.save(tmp_path, gan)
    assert checkpoint.latest_step(tmp_path) == 7
    groups = gan.saved_variables()
    before = {
        (group, i): np.array(v.value)
        for group, variables in groups.items()
        for i, v in enumerate(variables)
    }
    for variables in groups.values():
        for variable in variables:
            variable.assign(np.ones(variable.shape, variable.dtype))
    assert checkpoint.restore(tmp_path, gan) == 7
    for (group, i), value in before.items():
        np.testing.assert_array_equal(groups[group][i].value, value)
    with np.load(path, allow_pickle=False) as file:
        assert len(file.files) == len(before)


def test_only_the_newest_are_kept_and_half_files_are_ignored(gan, tmp_path):
    for step in (1, 2, 3):
        gan.step.assign(step)
        (tmp_path / ".partial_12345678_step_00000009.npz").write_bytes(b"half")
        checkpoint.save(tmp_path, gan)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["step_00000002.npz", "step_00000003.npz"]
    (tmp_path / ".partial_12345678_step_00000009.npz").write_bytes(b"half")
    assert checkpoint.restore(tmp_path, gan) == 3


def test_weights_that_are_not_finite_are_never_saved(gan, tmp_path):
    weight = gan.generator.weights[0]
    good = np.array(weight.value)
    weight.assign(good * np.nan)
    with pytest.raises(FloatingPointError, match="generator/000"):
        checkpoint.save(tmp_path, gan)
    weight.assign(good)
    assert not list(tmp_path.iterdir())


def test_bad_checkpoints_are_one_clear_line(gan, tmp_path):
    gan.step.assign(1)
    path = checkpoint.save(tmp_path, gan)
    other = config.override(config.load("smoke"), ["generator.hidden_filters=12"])
    with pytest.raises(InputError, match="another network"):
        checkpoint.restore(tmp_path, build_gan(other))
    whole = path.read_bytes()
    with np.load(path) as file:
        arrays = dict(file)
    name = min(arrays)
    for wrong in (np.nan, "text"):
        np.savez(path, **{**arrays, name: np.full(arrays[name].shape, wrong)})
        with pytest.raises(InputError, match="damaged"):
            checkpoint.restore(tmp_path, gan)
    renamed = path.with_name("step_00000002.npz")
    packed = whole.replace(
        b"PK\x01\x02\x2d\x03\x2d\x00\x00\x00\x00\x00",
        b"PK\x01\x02\x2d\x03\x2d\x00\x00\x00\x63\x00",
    )
    assert packed != whole
    for at, content in ((path, whole[:1000]), (path, packed), (renamed, whole)):
        at.write_bytes(content)
        with pytest.raises(InputError, match="damaged"):
            checkpoint.restore(tmp_path, gan)
