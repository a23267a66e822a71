import pytest

from tests.tiny import TINY


@pytest.fixture(scope="session")
def make_generator():
    """Small generators with random weights, the same at every call."""
    import keras

    from vgan.models import Generator

    def make(**arguments):
        keras.utils.set_random_seed(7)
        return Generator(**{**TINY, **arguments})

    return make


@pytest.fixture(scope="session")
def model_path(make_generator, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "generator.keras"
    make_generator(named_styles={"mosaic": [1.0] * 16}).save(path)
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """File of a generator of two levels with the styles one and two."""
    import keras

    from vgan.models import Generator

    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("model") / "generator.keras"
    named = {"one": [1.0] * 16, "two": [-1.0] * 16}
    Generator((8, 8), 8, 0, code_size=16, noise_size=8, named_styles=named).save(path)
    return path


@pytest.fixture(scope="session")
def engine(model_path):
    from vgan.runtime import engines

    return engines.load(model_path)
