import pathlib

import numpy as np
import pytest

from tests.video.samples import make_video
from vgan.datasets import synthetic
from vgan.prepare.inputs import Source


@pytest.fixture(scope="session")
def scenes():
    """Rendered scenes of 40 frames, uint8 [40, 96, 128, 3]."""
    return [synthetic.scene(seed, 40, 96, 128).frames for seed in range(4)]


@pytest.fixture
def film(tmp_path):
    """Function of (name, frames, **as of make_video) that writes a video."""
    folder = tmp_path / "films"

    def write(name, frames, **options):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frames = np.asarray(frames)
        height, width = frames.shape[1:3]
        return make_video(path, len(frames), height, width, frames=frames, **options)

    write.folder = folder
    return write


@pytest.fixture
def source():
    """Function of a path that makes the Source of it."""

    def make(path, **said):
        path = pathlib.Path(path)
        return Source(str(path), path.name, path.name, **said)

    return make
