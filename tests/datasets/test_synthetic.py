import subprocess
import sys

import numpy as np
import pytest

from vgan.datasets import motion, synthetic


def test_scene_has_the_promised_shapes():
    frames, flow, occlusion = synthetic.scene(3, 5, 48, 80)
    assert (frames.shape, frames.dtype) == ((5, 48, 80, 3), np.uint8)
    assert (flow.shape, flow.dtype) == ((4, 48, 80, 2), np.float32)
    assert (occlusion.shape, occlusion.dtype) == ((4, 48, 80, 1), np.uint8)
    assert set(np.unique(occlusion)) <= {0, 1}
    assert np.isfinite(flow).all()


def test_one_frame_has_no_flow():
    frames, flow, occlusion = synthetic.scene(3, 1, 32, 32)
    assert frames.shape == (1, 32, 32, 3)
    assert flow.shape == (0, 32, 32, 2)
    assert occlusion.shape == (0, 32, 32, 1)


def test_flow_takes_a_frame_to_the_next_where_it_holds(warp_error):
    errors = np.array([warp_error(synthetic.scene(s, 3, 96, 96)) for s in range(30)])
    assert errors[:, 0].max() < 2.5  # of 255; interpolation blurs fine patterns
    assert errors[:, 0].mean() < 0.2 * errors[:, 1].mean()


def test_most_of_a_scene_is_supervised_and_its_edges_are_not():
    hidden = [synthetic.scene(s, 3, 96, 96).occlusion.mean() for s in range(30)]
    assert 0.01 < np.mean(hidden) < 0.2
    assert max(hidden) < 0.4


def test_occlusion_marks_what_a_moving_shape_uncovers():
    # A square moves 5 pixels right over a still ground.
    size, ground = 32, np.zeros((32, 32, 3), np.float32)
    x, y = np.meshgrid(np.arange(21), np.arange(21))
    inside = 5.0 - np.maximum(np.abs(x - 10), np.abs(y - 10))
    square = np.dstack([np.ones((21, 21, 3)), inside]).astype(np.float32)
    still = np.array([np.eye(3)] * 2)
    moves = np.array([motion.shift(-4, -4), motion.shift(-9, -4)])
    layers = [synthetic.Layer(ground, still), synthetic.Layer(square, moves)]
    _frames, labels, mixed = synthetic._render(layers, 2, size, size)
    flow, occlusion = synthetic._flow(layers, labels, mixed)
    # The middle of the square was at x = 14 and is at x = 19.
    assert labels[0, 14, 11] == 1
    assert labels[1, 14, 11] == 0
    np.testing.assert_allclose(flow[0, 14, 19], [-5, 0], atol=1e-5)
    assert occlusion[0, 14, 19] == 0
    np.testing.assert_allclose(flow[0, 14, 11], [0, 0], atol=1e-5)
    assert occlusion[0, 14, 11] == 1  # uncovered
    assert occlusion[0, 28, 28] == 0  # ground that is seen all along


def test_some_scenes_are_almost_still_and_most_are_not():
    speeds = np.array(
        [np.abs(synthetic.scene(s, 2, 48, 48).flow).mean() for s in range(60)]
    )
    assert 0.05 < (speeds < 0.05).mean() < 0.5
    assert (speeds > 0.2).mean() > 0.4


def test_long_scenes_keep_moving():
    clip = synthetic.scene(0, 40, 32, 48)
    steps = np.abs(clip.flow).mean(axis=(1, 2, 3))
    assert steps.min() > 0.02
    assert steps.max() < 4


def test_scenes_differ_by_seed_and_not_by_process():
    here = synthetic.scene(7, 2, 32, 32)
    assert not np.array_equal(here.frames, synthetic.scene(8, 2, 32, 32).frames)
    code = (
        "import zlib; from vgan.datasets.synthetic import painting, scene;"
        "parts = [*scene(7, 2, 32, 32), painting('brush', 7, 32)];"
        "print(*(zlib.crc32(part.tobytes()) for part in parts))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(runs) == 1


def test_mirrored_clips_keep_their_flow_right(warp_error):
    clip = synthetic.scene(4, 3, 64, 64)
    mirrored = clip.mirrored()
    np.testing.assert_array_equal(mirrored.frames[:, :, ::-1], clip.frames)
    np.testing.assert_array_equal(mirrored.flow[:, :, ::-1, 0], -clip.flow[..., 0])
    assert warp_error(mirrored)[0] == pytest.approx(warp_error(clip)[0], abs=0.3)


def test_rendering_needs_neither_tensorflow_nor_a_decoder():
    code = (
        "import sys; from vgan.datasets import sources;"
        "assert not {'tensorflow', 'av', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
