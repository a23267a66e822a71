import numpy as np

from vgan.losses import temporal


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def test_warp_by_whole_pixels_and_by_halves():
    frames = noise(2, 8, 9, 3)
    flow = np.zeros((2, 8, 9, 2), "float32")
    flow[..., 0], flow[..., 1] = 2, -1
    moved = np.asarray(temporal.warp(frames, flow))
    np.testing.assert_allclose(moved[:, 1:, :-2], frames[:, :-1, 2:], atol=1e-6)
    flow[..., 0], flow[..., 1] = 0.5, 0
    between = (frames[:, :, 1:] + frames[:, :, :-1]) / 2
    moved = np.asarray(temporal.warp(frames, flow))
    np.testing.assert_allclose(moved[:, :, :-1], between, atol=1e-6)
    np.testing.assert_allclose(moved[:, :, -1], frames[:, :, -1], atol=1e-6)


def test_warp_loss_counts_only_what_the_flow_explains():
    first = noise(1, 1, 8, 8, 3)
    clip = np.concatenate([first, np.roll(first, 1, axis=3)], axis=1)
    flow = np.zeros((1, 1, 8, 8, 2), "float32")
    flow[..., 0] = -1
    occlusion = np.zeros((1, 1, 8, 8, 1), "float32")
    assert float(temporal.warp_loss(clip, flow, occlusion)) > 1e-3
    occlusion[:, :, :, 0] = 1  # what np.roll brought in from the other side
    assert float(temporal.warp_loss(clip, flow, occlusion)) < 1e-10
    assert float(temporal.warp_loss(clip, 0 * flow, 0 * occlusion + 1)) == 0
