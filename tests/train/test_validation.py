import json

import pytest

from vgan import InputError, config
from vgan.runtime import engines
from vgan.train.build import build_gan
from vgan.train.summaries import SummaryWriter
from vgan.train.validation import Validation


@pytest.fixture
def validation(tmp_path):
    """One whose measure returns the next of `scores`."""
    gan = build_gan(config.load("smoke"))
    writer = SummaryWriter(tmp_path / "tensorboard")
    scores = []
    callback = Validation(
        writer, tmp_path, lambda: None, lambda _: {"score": scores.pop(0)}, 2, {}
    )
    callback.set_model(gan)
    callback.on_train_begin()
    return callback, gan, scores


@pytest.fixture(autouse=True)
def root(in_root):
    """Experiments are found by name."""


def run(callback, gan, steps):
    for _ in range(steps):
        gan.step.assign(gan.step + 1)
        callback.on_train_batch_end(0)


def test_the_best_is_kept_and_a_resumed_run_goes_on_comparing(validation, tmp_path):
    callback, gan, scores = validation
    scores += [0.2, 0.5, 0.3]
    run(callback, gan, 6)
    assert not scores  # every second step
    assert json.loads((tmp_path / "best.json").read_text()) == {"step": 4, "score": 0.5}
    best = (tmp_path / "best.keras").read_bytes()
    assert engines.describe(tmp_path / "best.keras").code_size

    callback.on_train_begin()  # of the resumed run
    scores += [0.4, 0.6]
    run(callback, gan, 2)
    assert (tmp_path / "best.keras").read_bytes() == best
    run(callback, gan, 2)
    assert json.loads((tmp_path / "best.json").read_text())["step"] == 10
    callback.on_train_end()  # measured already
    assert not scores


def test_a_damaged_record_is_one_line(validation, tmp_path):
    for text in ("", "{}", '{"score": null}'):
        (tmp_path / "best.json").write_text(text)
        with pytest.raises(InputError, match=r"best\.json: damaged"):
            validation[0].on_train_begin()
