import subprocess
import sys

import numpy as np
import pytest

from vgan import InputError
from vgan.datasets.synthetic import scene
from vgan.video.flow import estimate_flow, flow_holds, warp


def test_a_flow_that_leaves_the_frame_does_not_hold():
    backward = np.zeros((16, 20, 2), np.float32)
    backward[..., 0] = -3
    backward[..., 1] = 2
    valid = flow_holds(backward, -backward)
    assert not valid[:, :3].any()
    assert not valid[-2:].any()
    assert valid[:-2, 3:].all()


def test_motion_edges_alone_are_masked():
    """Half of a picture creeps: far too little for the forward-backward check."""
    backward = np.zeros((16, 16, 2), np.float32)
    backward[:, 8:, 0] = -0.4
    valid = flow_holds(backward, -backward)
    assert not valid[:, 7:9].any()
    assert valid[:, :6].all()
    assert valid[:, 10:].all()


def test_too_small_frames_are_refused():
    frame = np.zeros((32, 15, 3), np.uint8)
    with pytest.raises(InputError, match="15x32"):
        estimate_flow(frame, frame)


def test_the_estimate_is_near_the_exact_flow_where_it_is_said_to_hold():
    errors, lengths, holds = [], [], []
    for seed in range(12):
        frames, exact, occlusion = scene(seed, 2, 96, 96)
        backward = estimate_flow(frames[1], frames[0])
        valid = flow_holds(backward, estimate_flow(frames[0], frames[1]))
        both = valid & (occlusion[0, ..., 0] == 0)
        holds.append(valid.mean())
        errors.append(np.linalg.norm(backward - exact[0], axis=-1)[both].mean())
        lengths.append(np.linalg.norm(exact[0], axis=-1)[both].mean())
    assert np.mean(holds) > 0.5
    assert np.mean(errors) < 0.35 * np.mean(lengths)


def test_warping_by_whole_pixels_is_exact():
    picture = np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)
    flow = np.zeros((20, 24, 2), np.float32) + np.float32([3, -2])
    moved = warp(picture, flow)
    np.testing.assert_array_equal(moved[2:, :-3], picture[:-2, 3:])


def test_the_estimate_depends_on_neither_threads_nor_process():
    code = (
        "import sys, zlib, cv2; from vgan.datasets.synthetic import scene;"
        "from vgan.video.flow import estimate_flow;"
        "cv2.setNumThreads(int(sys.argv[1]));"
        "frames = scene(3, 2, 96, 128).frames;"
        "print(zlib.crc32(estimate_flow(frames[1], frames[0]).tobytes()))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code, threads],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "7")
    }
    assert len(runs) == 1
