import pytest

from tests.video.samples import make_video


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "a.mp4"
    return make_video(
        path, 23, audio=["aac", "aac"], pts=[k + k // 7 for k in range(23)]
    )
