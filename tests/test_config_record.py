import pytest

from vgan import InputError, config
from vgan.config import record

pytestmark = pytest.mark.usefixtures("in_root")


def test_changes_are_told_and_other_networks_refused(tmp_path):
    before = config.load("smoke")
    record.write(tmp_path, before)
    assert record.changes(tmp_path, before) == []
    after = config.override(before, ["losses.style=3", "train.steps=9"])
    assert record.changes(tmp_path, after) == [
        "losses.style from {'weight': 10.0} to {'weight': 3}",
        "train.steps from 4 to 9",
    ]
    for field in (
        "generator.cell=gru",
        'train.only=["stem"]',
        "train.start=other.keras",
        "losses.style.target=1",
    ):
        with pytest.raises(InputError, match="run=NAME"):
            record.changes(tmp_path, config.override(before, [field]))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b'{"data": 5}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_damaged_record_is_one_line(content, tmp_path):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(InputError, match=r"config\.json") as error:
        record.changes(tmp_path, config.Experiment())
    assert "\n" not in str(error.value)
