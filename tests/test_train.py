import json
import types

import numpy as np
import pytest

from tests.tiny import TINY_PAINTER
from vgan import InputError, config
from vgan.train import __main__

pytestmark = pytest.mark.usefixtures("in_root")


def test_one_training_at_a_time(tmp_path):
    folder = tmp_path / "runs" / "run"
    with (
        __main__._only_one(folder),
        pytest.raises(InputError, match="another training"),
        __main__._only_one(folder),
    ):
        pass
    assert not list(tmp_path.iterdir())  # nothing was trained
    with __main__._only_one(folder):
        (folder / "made").touch()
    assert folder.exists()
    (tmp_path / "mine").mkdir()
    with __main__._only_one(tmp_path / "mine"):
        pass
    assert (tmp_path / "mine").exists()  # it was there before


@pytest.mark.parametrize(
    "refused",
    [
        "data.content=missing",
        "data.style=missing",
        "data.clips=-1",
        "generator.cell=rnn",
        'losses.style={"target": -1}',
        "losses.features=shallow.npz",
    ],
)
def test_a_refused_training_leaves_nothing(tmp_path, monkeypatch, refused):
    if "shallow" in refused:  # ends before the layer that content is measured by
        path = tmp_path / "shallow.npz"
        kernel, bias = np.ones((3, 3, 3, 4), "float32"), np.zeros(4, "float32")
        np.savez(path, **{"conv1_1/kernel": kernel, "conv1_1/bias": bias})
        refused = refused.replace("shallow.npz", str(path))
    runs = tmp_path / "runs"
    given = {"experiment": "smoke", "set": [refused], "run": None, "runs": runs}
    given |= dict.fromkeys(("coordinator", "processes", "process_id"))
    monkeypatch.setattr(__main__, "FLAGS", types.SimpleNamespace(**given))
    with pytest.raises(InputError):
        __main__.main([])
    assert not runs.exists()


@pytest.mark.parametrize("video", ["stylized.mp4", "stylised.mp4"])
def test_a_finished_run_stays_finished(tmp_path, monkeypatch, capsys, video):
    (tmp_path / "smoke" / "samples").mkdir(parents=True)
    (tmp_path / "smoke" / "samples" / video).touch()
    (tmp_path / "smoke" / "generator.keras").touch()
    monkeypatch.setattr(__main__.checkpoint, "latest_step", lambda _: 4)
    given = {"experiment": "smoke", "set": [], "run": None, "runs": tmp_path}
    given |= dict.fromkeys(("coordinator", "processes", "process_id"))
    monkeypatch.setattr(__main__, "FLAGS", types.SimpleNamespace(**given))
    __main__.main([])
    assert "is finished: 4 steps" in (said := capsys.readouterr().out)
    assert said.endswith(f"{video}\n")


@pytest.mark.slow
def test_a_run_begins_with_the_weights_of_a_model(tmp_path):
    from vgan.runtime.engines.keras_engine import load_generator
    from vgan.train import checkpoint, start
    from vgan.train.build import build_gan

    smoke = config.load("smoke")
    path = tmp_path / "generator.keras"
    checkpoint.save_generator(path, build_gan(smoke), {})
    wanted = load_generator(path)
    fresh = build_gan(config.override(smoke, ["seed=1"]))
    start.start_from(str(path), fresh)
    for network in (fresh.generator, fresh.ema_generator):
        for own, weight in zip(network.weights, wanted.weights, strict=True):
            np.testing.assert_array_equal(own, weight)
    other = build_gan(config.override(smoke, ["generator.cell=gru"]))
    with pytest.raises(InputError, match=r"cell=lstm.* gru; set generator\.cell"):
        start.start_from(str(path), other)


@pytest.mark.slow
def test_a_run_begins_with_some_layers_of_another_model(tmp_path):
    from vgan.train import start
    from vgan.train.build import build_gan

    smoke = config.load("smoke")
    model = build_gan(smoke).generator
    gan = build_gan(config.override(smoke, ["seed=1", "generator.cell=gru"]))
    before = [np.array(w) for w in gan.generator.stem.weights]

    def begin(*names):
        start.take_weights("other.keras", model, gan, names)

    begin("style", "mapping")
    for network in (gan.generator, gan.ema_generator):
        for name in ("style_encoder", "mapping"):
            own, theirs = (getattr(g, name).get_weights() for g in (network, model))
            for weight, wanted in zip(own, theirs, strict=True):
                np.testing.assert_array_equal(weight, wanted)
    for weight, kept in zip(gan.generator.stem.weights, before, strict=True):
        np.testing.assert_array_equal(weight, kept)
    with pytest.raises(
        InputError, match=r"recurrent of other\.keras is of another size"
    ):
        begin("recurrent")
    with pytest.raises(InputError, match="no layer 'brush'; it has style"):
        begin("brush")


@pytest.mark.slow
def test_a_style_is_added_to_a_model_that_stays_as_it_is(
    tmp_path, quiet_runs, plain_graphs
):
    import keras
    from PIL import Image

    from vgan.datasets import synthetic
    from vgan.models import Painter
    from vgan.runtime import Stylizer, engines
    from vgan.runtime.engines.keras_engine import load_generator
    from vgan.train.run import train

    keras.utils.set_random_seed(0)
    start = Painter(**TINY_PAINTER)
    start.named_styles = {"rain": [0.5] * start.code_size}
    start.save(tmp_path / "start.keras")
    Image.fromarray(synthetic.painting("waves", 0, 64)).save(tmp_path / "mine.png")
    changes = {
        "generator": {**TINY_PAINTER, "network": "painter"},
        "data.style": str(tmp_path / "mine.png"),
        "losses.features": str(tmp_path / "start.keras"),
        "losses.last_frame_style.features": "random",
        "train.start": str(tmp_path / "start.keras"),
        "train.ema_decay": 0.5,
        "train.steps": 2,
        "data.image_size": 32,
        "data.style_size": 32,
    }
    text = [
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in changes.items()
    ]
    train(config.load("one_style", text), tmp_path / "run")
    made = load_generator(tmp_path / "run" / "generator.keras")
    for weight, wanted in zip(made.weights, start.weights, strict=True):
        np.testing.assert_array_equal(weight, wanted)
    assert list(made.named_styles) == ["rain", "mine"]
    assert made.named_styles["rain"] == start.named_styles["rain"]
    engine = engines.load(tmp_path / "run" / "generator.keras", "keras")
    guess = Stylizer(engine, tmp_path / "mine.png").style_code
    assert 0 < np.abs(guess - made.named_styles["mine"]).mean() < 0.1


def test_features_of_a_model_that_has_none(model_path):
    from vgan.train.build import build_gan

    changes = ["losses.last_frame_style.features=random"]
    changes += [f"losses.features={model_path}"]
    other = config.load("one_style", changes)
    with pytest.raises(InputError, match=r"generator\.keras is no painter"):
        build_gan(other)
