import numpy as np
from keras import ops

from vgan.losses import temporal


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def panning(steps, size=24, channels=3, seed=0):
    """A smooth picture under a window that moves by (x, y) pixels at each step.

    Returns:
        frames [1, T, size, size, C], flow and occlusion, exact.
    """
    margin = int(np.abs(np.cumsum(steps, axis=0)).max()) + 1
    wide = size + 2 * margin
    picture = ops.image.resize(
        noise(wide // 4, wide // 4, channels, seed=seed), (wide, wide), "bicubic"
    )
    picture = np.asarray(picture)
    frames, (x, y) = [], (margin, margin)
    flow = np.zeros((1, len(steps), size, size, 2), "float32")
    occlusion = np.zeros((1, len(steps), size, size, 1), "float32")
    rows, columns = np.mgrid[:size, :size]
    for t, step in enumerate([(0, 0), *steps]):
        x, y = x + step[0], y + step[1]
        frames.append(picture[y : y + size, x : x + size])
        if t:
            flow[:, t - 1] = step
            outside = (columns + step[0] < 0) | (columns + step[0] > size - 1)
            outside |= (rows + step[1] < 0) | (rows + step[1] > size - 1)
            occlusion[0, t - 1, ..., 0] = outside
    return np.stack(frames)[None], flow, occlusion


STEPS = [(2, 1), (-1, 3), (3, 0), (1, -2)]


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


def test_warp_loss_of_a_panning_window():
    frames, flow, occlusion = panning(STEPS)
    assert float(temporal.warp_loss(frames, flow, occlusion)) < 1e-10
    assert float(temporal.warp_loss(frames, -flow, occlusion)) > 1e-2
    # A flicker of 0.1 of every other frame.
    frames[:, 1::2] += 0.1
    np.testing.assert_allclose(
        temporal.warp_loss(frames, flow, occlusion), 0.01, rtol=1e-2
    )


def test_long_range_composes_the_flow():
    frames, flow, occlusion = panning(STEPS)
    assert float(temporal.long_range_loss(frames, flow, occlusion)) < 1e-10
    assert float(temporal.long_range_loss(frames, -flow, occlusion)) > 1e-2
    wrong = frames.copy()
    wrong[:, 0] += 0.1  # the first frame alone, as when a state starts
    np.testing.assert_allclose(
        temporal.long_range_loss(wrong, flow, occlusion), 0.01, rtol=1e-2
    )
    # A slow drift that each step hides.
    drift = frames + 0.1 * np.arange(5, dtype="float32")[:, None, None, None]
    near = float(temporal.warp_loss(drift, flow, occlusion))
    far = float(temporal.long_range_loss(drift, flow, occlusion))
    assert far > 4 * near
    # The second frame is not its business.
    second = frames.copy()
    second[:, 1] += 0.1
    assert float(temporal.long_range_loss(second, flow, occlusion)) < 1e-10


def test_long_range_composes_a_flow_that_differs_from_place_to_place():
    """A zoom: the composition must look up the earlier flow where the point came from.

    At each step x -> 0.9 x about the middle, so that two steps are x -> 0.81 x.
    """
    size = 33
    place = np.arange(size, dtype="float32") - size // 2
    grid = np.stack(np.meshgrid(place, place), axis=-1)
    # A linear picture, which is sampled between pixels without an error.
    frames = [0.02 * grid * 0.9**t for t in range(4)]
    frames = np.stack(frames)[None].astype("float32")
    flow = np.stack([-0.1 * grid] * 3)[None].astype("float32")
    occlusion = np.zeros((1, 3, size, size, 1), "float32")
    assert float(temporal.warp_loss(frames, flow, occlusion)) < 1e-10
    assert float(temporal.long_range_loss(frames, flow, occlusion)) < 1e-10
    # A plain sum of the steps, 0.7 in place of 0.729 at the end, would be seen.
    summed = frames.copy()
    summed[:, 2], summed[:, 3] = 0.02 * 0.8 * grid, 0.02 * 0.7 * grid
    assert float(temporal.long_range_loss(summed, flow, occlusion)) > 1e-6


def test_long_range_keeps_out_what_was_hidden_once():
    frames, flow, occlusion = panning([(1, 0), (1, 0), (1, 0)])
    marked = frames.copy()
    marked[:, 0, 10, 12] += 9  # is at 11, 10, 9 in the later frames
    assert float(temporal.long_range_loss(marked, flow, occlusion)) > 1e-2
    occlusion[:, 0, 10, 11] = 1  # hidden in the first step alone
    assert float(temporal.long_range_loss(marked, flow, occlusion)) < 1e-10


def test_long_range_keeps_out_what_is_hidden_now():
    frames, flow, occlusion = panning([(1, 0), (1, 0), (1, 0)])
    frames[:, 3, 10, 12] += 9
    assert float(temporal.long_range_loss(frames, flow, occlusion)) > 1e-2
    occlusion[:, 2, 10, 12] = 1
    assert float(temporal.long_range_loss(frames, flow, occlusion)) < 1e-10


def test_long_range_leaves_two_frames_to_warp_loss():
    frames, flow, occlusion = panning([(1, 0)])
    frames[:, 1] += 0.1
    assert float(temporal.warp_loss(frames, flow, occlusion)) > 5e-3
    assert float(temporal.long_range_loss(frames, flow, occlusion)) == 0
