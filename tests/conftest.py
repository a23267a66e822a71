import os
import pathlib

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# As the commands do: twice as fast, and rounding is the same on all processors.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Of processes on JAX: compiling takes far longer than what tests compute.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

ROOT = pathlib.Path(__file__).resolve().parents[1]
LONG = ("test_resume", "test_parity", "test_penalties", "test_benchmark", "test_alarm")


def pytest_collection_modifyitems(items):
    """Long tests first: one at the end would leave all other workers idle."""
    items.sort(key=lambda item: item.path.stem not in LONG)


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
    """What a run measures and shows of itself takes longer than a few small steps."""
    import vgan.train

    monkeypatch.setattr(vgan.train, "_report", lambda *_: None)
    monkeypatch.setattr(vgan.train, "SAMPLE_CLIPS", 1)
    monkeypatch.setattr(vgan.train, "SAMPLE_FRAMES", 2)
