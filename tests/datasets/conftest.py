import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session")
def warp_error():
    """Function of a clip: mean error where the flow holds, with and without it."""

    def error(clip):
        height, width = clip.frames.shape[1:3]
        x, y = np.meshgrid(
            np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        )
        warped, plain = [], []
        for t, flow in enumerate(clip.flow):
            before, after = clip.frames[t].astype(float), clip.frames[t + 1]
            moved = cv2.remap(
                clip.frames[t],
                x + flow[..., 0],
                y + flow[..., 1],
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            seen = clip.occlusion[t, ..., 0] == 0
            warped.append(np.abs(moved.astype(float) - after)[seen].mean())
            plain.append(np.abs(before - after)[seen].mean())
        return np.mean(warped), np.mean(plain)

    return error
