"""Clips that are made in Keras operations; the same on both backends.

Run as a program, this file saves what the backend of KERAS_BACKEND makes.
"""

import importlib.util
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops, tree

import vgan
from vgan import config
from vgan.config import data_arguments
from vgan.datasets import device, windows
from vgan.losses import temporal

SIZE, CLIPS, FRAMES = 48, 24, 4


def experiment(*changes, steps_of_life=1):
    data = config.Data(
        where="device",
        image_size=SIZE,
        clip_length=FRAMES,
        style_length=2,
        style_size=64,
    )
    train = config.Train(batch_size=CLIPS, unroll=steps_of_life)
    return config.override(config.Experiment(data=data, train=train), changes)


def pictures(count, seed):
    """Smooth ones, landscape and turned, some smaller than their canvas."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros((count, 64, 96), np.float32)
    sizes, turned = np.empty((count, 2), np.float32), np.arange(count) % 3 == 0
    for k in range(count):
        height, width = 56 + k % 9, 80 + k % 17
        y, x = np.mgrid[:height, :width]
        waves = rng.uniform(0.1, 0.4, (3, 2)), rng.uniform(0, 6, 3)
        phases = [u * x + v * y + p for (u, v), p in zip(*waves, strict=True)]
        colors = np.rint(128 + 90 * np.sin(np.dstack(phases))).astype(np.float32)
        pixels[k, :height, :width] = colors @ np.float32([65536, 256, 1])
        sizes[k] = (width, height) if turned[k] else (height, width)
    odds = np.arange(1, count + 1, dtype=np.float32) / count
    return windows.Pictures(pixels, sizes, turned, odds)


@pytest.fixture(scope="module")
def stored():
    return make_stored()


def make_stored():
    grain = np.random.default_rng(0).standard_normal((64, 64, 3), np.float32)
    arrays = windows.Stored(pictures(12, 1), pictures(12, 2), grain)
    return tree.map_structure(ops.convert_to_tensor, arrays)


def draws(config, step):
    unroll = config.train.unroll
    return device.draws(**data_arguments(config), unroll=unroll, first_step=step)


def make(stored, config, step=0):
    (drawn,) = next(draws(config, step))
    drawn = {name: ops.convert_to_tensor(value) for name, value in drawn.items()}
    spec, batch_size, _ = data_arguments(config).values()
    batch = windows.make_batch(drawn, stored, spec, batch_size, config.train.unroll)
    return {name: np.asarray(value) for name, value in batch.items()}


def warp_errors(batch):
    """Mean error of each clip where the flow holds, with and without the flow."""
    frames, flow, seen = batch["content"], batch["flow"], 1 - batch["occlusion"]
    before, after = frames[:, :-1], frames[:, 1:]
    warped = temporal.warp(
        before.reshape(-1, *before.shape[2:]), flow.reshape(-1, *flow.shape[2:])
    )
    warped = np.asarray(warped).reshape(before.shape)
    total = seen.sum(axis=(1, 2, 3, 4))
    return [
        (np.abs(x - after) * seen).mean(axis=-1).sum(axis=(1, 2, 3)) / total
        for x in (warped, before)
    ]


def test_shapes_types_and_ranges_are_those_of_the_host(stored):
    batch = make(stored, experiment("data.noise=8"))
    shapes = {name: (x.shape, x.dtype.name) for name, x in batch.items()}
    assert shapes == {
        "content": ((CLIPS, FRAMES, SIZE, SIZE, 3), "float32"),
        "clean": ((CLIPS, FRAMES, SIZE, SIZE, 3), "float32"),
        "style": ((CLIPS, 2, SIZE, SIZE, 3), "float32"),
        "flow": ((CLIPS, FRAMES - 1, SIZE, SIZE, 2), "float32"),
        "occlusion": ((CLIPS, FRAMES - 1, SIZE, SIZE, 1), "float32"),
        "noise": ((CLIPS, config.NOISE), "float32"),
        "age": ((CLIPS,), "int32"),
    }
    noise = batch["content"] - batch["clean"]
    assert 0.5 / 127.5 < noise.std() < 8 / 127.5
    assert np.abs(batch["content"]).max() <= 1
    assert np.abs(batch["style"]).max() <= 1
    assert set(np.unique(batch["occlusion"])) == {0, 1}
    single = make(stored, experiment("data.clip_length=1"))
    assert single["flow"].shape == (CLIPS, 0, SIZE, SIZE, 2)


def test_flow_takes_a_frame_to_the_next(stored):
    for step in range(3):
        warped, plain = warp_errors(make(stored, experiment(), step))
        assert warped.max() < 0.04
        assert warped.mean() < 0.25 * plain.mean()


@pytest.mark.slow
def test_some_clips_stand_still_and_in_some_something_passes(stored):
    batches = [make(stored, experiment(), step) for step in range(8)]
    speed = np.concatenate([np.abs(b["flow"]).mean((1, 2, 3, 4)) for b in batches])
    assert 0.08 < (speed < 0.05).mean() < 0.45
    assert (speed > 0.2).mean() > 0.3
    # Inside of the frame only an edge in front hides anything.
    inner = np.concatenate([b["occlusion"][:, :, 8:-8, 8:-8] for b in batches])
    passes = inner.mean((1, 2, 3, 4)) > 0
    assert 0.3 < passes.mean() < 0.65
    assert inner.mean() < 0.15


def test_the_window_never_leaves_the_picture():
    """Place is color: a border that is mirrored would show as a fold."""
    place = np.mgrid[:64, :96].astype(np.float32)
    pixels = (place[1] * 65536 + place[0] * 256)[None]
    plain = windows.Pictures(
        pixels, np.float32([[64, 96]]), np.array([False]), np.float32([1])
    )
    turned = plain._replace(sizes=np.float32([[96, 64]]), turned=np.array([True]))
    grain = np.zeros((8, 8, 3), np.float32)
    for one, rows in ((plain, 1), (turned, 0)):
        stored = tree.map_structure(
            ops.convert_to_tensor, windows.Stored(one, one, grain)
        )
        style = make(stored, experiment("data.style_size=0"))["style"] * 127.5 + 127.5
        for axis in (2, 3):
            bend = np.abs(np.diff(style, n=2, axis=axis))
            assert bend[..., :2].max() < 0.01
        # What goes down in the picture goes down in the clip.
        assert (np.diff(style[..., rows], axis=2).mean((1, 2, 3)) > 0.5).all()


@pytest.mark.slow
def test_flip_hues_and_noise_are_as_asked(stored):
    plain = make(stored, experiment("data.flip=False"))
    noisy = make(stored, experiment("data.flip=False", "data.noise=10"))
    spread = 127.5 * (noisy["content"] - plain["content"]).std((1, 2, 3, 4))
    assert spread.max() < 11
    assert 2 < spread.mean() < 6
    between = (noisy["content"] - plain["content"])[:, :2]
    assert np.abs((between[:, 0] * between[:, 1]).mean()) < 0.1 * between.var()

    gray = np.array([0.299, 0.587, 0.114])
    plain = make(stored, experiment())["style"]
    hues = make(stored, experiment("data.style_hues=0.5"))["style"]
    changed = np.abs(hues - plain).max((1, 2, 3, 4)) > 0.02
    assert 0.2 < changed.mean() < 0.8
    inside = (np.abs(hues) < 0.99).all(-1)
    np.testing.assert_allclose((hues @ gray)[inside], (plain @ gray)[inside], atol=3e-3)

    sides = [
        make(stored, experiment(f"data.flip={flip}")) for flip in ("True", "False")
    ]
    mirrored = [
        np.allclose(a[:, :, ::-1], b, atol=1e-3)
        for a, b in zip(sides[0]["style"], sides[1]["style"], strict=True)
    ]
    assert 0.2 < np.mean(mirrored) < 0.8


def test_a_clip_goes_on_where_the_step_before_left_it(stored):
    """Steps of 2 frames show what a step of 4 shows; slots are of all ages."""
    repeat = f"data.clips={CLIPS}"  # each slot has one clip, again and again
    long = experiment(repeat, "data.clip_length=6")
    short = experiment(repeat, "data.clip_length=2", steps_of_life=3)
    parts = [make(stored, short, step) for step in range(3, 6)]
    for step, part in enumerate(parts):
        ages = (step + np.arange(CLIPS)) % 3
        np.testing.assert_array_equal(part["age"], ages)
    slots = np.arange(0, CLIPS, 3)  # which begin at step 3
    whole = make(stored, long)
    joined = np.concatenate([part["content"][slots] for part in parts], axis=1)
    np.testing.assert_allclose(joined, whole["content"][slots], atol=1e-3)
    for part in parts:
        np.testing.assert_array_equal(part["style"][slots], parts[0]["style"][slots])


def test_draws_are_a_function_of_seed_and_step():
    (one,), (other,) = (next(draws(experiment(), 7)) for _ in range(2))
    from_the_start = draws(experiment(), 0)
    (after,) = [next(from_the_start) for _ in range(8)][-1]
    (elsewhere,) = next(draws(experiment("seed=1"), 7))
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
        np.testing.assert_array_equal(one[name], after[name])
    assert not np.array_equal(one["clip"], elsewhere["clip"])
    (again,) = next(draws(experiment("data.clips=24"), 7))
    (first,) = next(draws(experiment("data.clips=24"), 0))
    np.testing.assert_array_equal(again["clip"], first["clip"])
    assert not np.array_equal(again["noise"], first["noise"])


def of_both():
    return make(make_stored(), experiment("data.noise=8", "data.style_hues=0.5"))


@pytest.mark.slow
def test_both_backends_agree(tmp_path):
    other = "tensorflow" if keras.backend.backend() == "jax" else "jax"
    if importlib.util.find_spec(other) is None:
        pytest.skip(f"{other} is not installed")
    path = tmp_path / "batch.npz"
    subprocess.run(
        [sys.executable, __file__, path],
        env={
            **os.environ,
            "KERAS_BACKEND": other,
            "JAX_PLATFORMS": "cpu",
            "PYTHONPATH": str(pathlib.Path(vgan.__file__).parents[1]),
        },
        check=True,
    )
    here = of_both()
    with np.load(path, allow_pickle=False) as there:
        assert there["backend"] == other
        for name, value in here.items():
            np.testing.assert_allclose(there[name], value, atol=1e-4, err_msg=name)
        errors = [x.mean() for x in warp_errors(there)]
    assert errors[0] < errors[1]


if __name__ == "__main__":
    np.savez(sys.argv[1], backend=keras.backend.backend(), **of_both())
