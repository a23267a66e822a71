import pytest

from tests import short_runs


@pytest.fixture(scope="module", autouse=True)
def plain_graphs():
    with short_runs.plain_graphs():
        yield


@pytest.fixture(scope="module", autouse=True)
def few_features():
    with pytest.MonkeyPatch.context() as patch:
        short_runs.few_features(patch)
        yield
