"""Pictures are averaged where they shrink, and cubic where they grow."""

import cv2
import numpy as np
import pytest

from vgan.video.resizing import resize


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(20, 30, 3), (20, 30)])
def test_scaling(dtype, shape):
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    for (height, width), way in (
        ((10, 15), cv2.INTER_AREA),
        ((19, 29), cv2.INTER_AREA),
        ((41, 60), cv2.INTER_CUBIC),
    ):
        scaled = resize(picture, height, width)
        assert scaled.dtype == dtype
        wanted = cv2.resize(picture, (width, height), interpolation=way)
        np.testing.assert_array_equal(scaled, wanted)
    assert resize(picture, 20, 30) is picture
