import numpy as np
import pytest

from vgan import InputError, config
from vgan.train import __main__

pytestmark = pytest.mark.usefixtures("in_root")


def test_one_training_at_a_time(tmp_path):
    folder = tmp_path / "run"
    with (
        __main__._only_one(folder),
        pytest.raises(InputError, match="another training"),
        __main__._only_one(folder),
    ):
        pass
    assert not folder.exists()  # nothing was trained
    with __main__._only_one(folder):
        (folder / "made").touch()
    assert folder.exists()


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
