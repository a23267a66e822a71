import importlib.util
import os
import pathlib
import tempfile

import pytest

from tests import short_runs
from tests.tiny import TINY

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# As the commands do: twice as fast, and rounding is the same on all processors.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Of processes on JAX: compiling takes far longer than what tests compute.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
# What one of them has compiled serves all, also those of other workers.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    COMPILED = tempfile.TemporaryDirectory(prefix="vgan_compiled_")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = COMPILED.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"

ROOT = pathlib.Path(__file__).resolve().parents[1]
LONG = (
    *("test_resume", "test_train_device", "test_parity", "test_end_to_end"),
    *("test_adversarial_training", "test_benchmark", "test_balance", "test_alarm"),
)
# What tests need that are given one of these words, such as --engine=onnx.
EXTRAS = {
    "jax": ("jax",),
    "litert": ("ai_edge_litert",),
    "onnx": ("onnx", "onnxruntime", "tf2onnx"),
    "openvino": ("openvino",),
}


def pytest_collection_modifyitems(items):
    """Files of long tests first: one at the end would leave all other workers idle.

    Tests of a library that is not installed are skipped.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path.stem not in LONG, item.path not in slow))
    missing = {
        word: name
        for word, names in EXTRAS.items()
        for name in names
        if importlib.util.find_spec(name) is None
    }
    for item in items:
        for value in item.callspec.params.values() if hasattr(item, "callspec") else ():
            if isinstance(value, str) and value in missing:
                reason = f"{missing[value]} is not installed"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def shared_data():
    """Folder of the shared data pack; tests that need it skip without it."""
    path = pathlib.Path(
        os.environ.get("VGAN_TEST_DATA", ROOT.parent / "shared" / "data")
    )
    if not (path / "MANIFEST.csv").is_file():
        pytest.skip(f"no data pack at {path} (set VGAN_TEST_DATA)")
    return path


@pytest.fixture
def in_root(monkeypatch):
    """Run where `make` runs: experiments are found by name from there."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def quiet_runs(monkeypatch):
    short_runs.show_little(monkeypatch)


@pytest.fixture
def plain_graphs():
    with short_runs.plain_graphs():
        yield


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
