import dataclasses
import logging
import os
import subprocess
import sys
import zlib
from fractions import Fraction

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from vgan import InputError, config
from vgan.datasets import clips, synthetic
from vgan.video import VideoWriter

DATA = config.Data(image_size=24, clip_length=3, style_length=2)
CONFIG = config.Experiment(data=DATA, train=config.Train(batch_size=2), seed=5)


def _batches(experiment, split="train", first_step=0, count=1):
    dataset = clips.make_dataset(experiment, split, first_step)
    return list(dataset.take(count).as_numpy_iterator())


def _assert_same(one, two):
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])


def test_batches_are_as_promised():
    dataset = clips.make_dataset(CONFIG, "train")
    shapes = {name: tuple(spec.shape) for name, spec in dataset.element_spec.items()}
    assert shapes == {
        "content": (2, 3, 24, 24, 3),
        "style": (2, 2, 24, 24, 3),
        "flow": (2, 2, 24, 24, 2),
        "occlusion": (2, 2, 24, 24, 1),
        "noise": (2, clips.NOISE),
    }
    batch = next(dataset.as_numpy_iterator())
    assert {part.dtype for part in batch.values()} == {np.dtype(np.float32)}
    for name in ("content", "style"):
        assert -1 <= batch[name].min() < -0.3
        assert 0.3 < batch[name].max() <= 1
    assert set(np.unique(batch["occlusion"])) == {0, 1}


def test_a_batch_depends_on_seed_split_and_step_alone():
    straight = _batches(CONFIG, count=4)
    _assert_same(straight[2], _batches(CONFIG, first_step=2)[0])
    _assert_same(straight[3], _batches(CONFIG, first_step=1, count=3)[2])
    others = [
        *straight[1:],
        *_batches(CONFIG, "validation"),
        *_batches(dataclasses.replace(CONFIG, seed=6)),
    ]
    for other in others:
        assert not np.array_equal(straight[0]["content"], other["content"])
        assert not np.array_equal(straight[0]["style"], other["style"])
        assert not np.array_equal(straight[0]["noise"], other["noise"])


def test_noise_is_standard_normal_and_the_same_whatever_the_clips_are():
    noise = np.concatenate([batch["noise"] for batch in _batches(CONFIG, count=16)])
    assert abs(noise.mean()) < 0.03
    assert abs(noise.std() - 1) < 0.03
    # Neighbours in the batch, and in time, have nothing in common.
    likeness = np.corrcoef(noise) - np.eye(len(noise))
    assert np.abs(likeness).max() < 0.2
    data = dataclasses.replace(DATA, image_size=32, clip_length=2, flip=False)
    other = _batches(dataclasses.replace(CONFIG, data=data))[0]
    np.testing.assert_array_equal(noise[:2], other["noise"])


def test_clips_come_again_in_epochs_and_noise_does_not():
    def examples(experiment, split="train"):
        batches = _batches(experiment, split, count=5)
        return {k: np.concatenate([b[k] for b in batches]) for k in batches[0]}

    def of_epochs(clips):
        data = dataclasses.replace(DATA, clips=clips)
        return dataclasses.replace(CONFIG, data=data)

    # An epoch of 3 does not divide by the batch of 2.
    straight, epochs = examples(CONFIG), examples(of_epochs(3))
    for name in ("content", "style", "flow", "occlusion"):
        np.testing.assert_array_equal(
            epochs[name], straight[name][np.arange(len(epochs[name])) % 3]
        )
    np.testing.assert_array_equal(epochs["noise"], straight["noise"])
    assert len(np.unique(epochs["noise"], axis=0)) == 10
    _assert_same(
        _batches(CONFIG, "validation", 2)[0],
        _batches(of_epochs(3), "validation", 2)[0],
    )


@pytest.mark.slow
@pytest.mark.parametrize("content", ["synthetic", "videos"])
def test_another_process_makes_the_same_batches(content, tmp_path):
    experiment = CONFIG
    if content == "videos":
        for seed in range(2):
            with VideoWriter(tmp_path / f"{seed}.mp4", fps=12) as writer:
                for k, frame in enumerate(synthetic.scene(seed, 9, 64, 64).frames):
                    writer.write(frame, Fraction(k, 12))
        data = dataclasses.replace(DATA, content=str(tmp_path))
        experiment = dataclasses.replace(CONFIG, data=data)
    code = (
        "import sys, zlib; from vgan import config; from vgan.datasets import clips;"
        "c = config.from_json(sys.argv[1]);"
        "b = next(iter(clips.make_dataset(c, 'train', 3)));"
        "print([zlib.crc32(b[k].numpy().tobytes()) for k in sorted(b)])"
    )
    # String hashes differ from process to process; nothing may depend on them.
    there = subprocess.run(
        [sys.executable, "-c", code, config.to_json(experiment)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    ).stdout
    here = _batches(experiment, first_step=3)[0]
    assert here["occlusion"].mean() < 0.9
    assert there.strip() == str([zlib.crc32(here[k].tobytes()) for k in sorted(here)])


def test_mirrored_or_not_the_flow_fits_the_frames(warp_error):
    data = dataclasses.replace(DATA, image_size=64)
    batch = _batches(dataclasses.replace(CONFIG, data=data), count=3)[-1]
    for content, flow, occlusion in zip(
        batch["content"], batch["flow"], batch["occlusion"], strict=True
    ):
        frames = np.rint((content + 1) * 127.5).astype(np.uint8)
        moved, _ = warp_error(synthetic.motion.Clip(frames, flow, occlusion))
        assert moved < 3


def test_one_frame_per_clip():
    data = dataclasses.replace(DATA, clip_length=1, style_length=1)
    batch = _batches(dataclasses.replace(CONFIG, data=data))[0]
    assert batch["content"].shape == (2, 1, 24, 24, 3)
    assert batch["flow"].shape == (2, 0, 24, 24, 2)


def test_an_unusable_folder_is_an_error_before_the_first_batch(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    data = dataclasses.replace(DATA, style=str(tmp_path))
    with pytest.raises(InputError, match="every file is unusable"):
        clips.make_dataset(dataclasses.replace(CONFIG, data=data), "train")


def test_an_error_inside_of_the_pipeline_comes_out_plain(tmp_path, caplog):
    for k in range(3):
        Image.fromarray(synthetic.painting("dots", k, 32)).save(tmp_path / f"{k}.png")
    data = dataclasses.replace(DATA, content=str(tmp_path))
    dataset = clips.make_dataset(dataclasses.replace(CONFIG, data=data), "train")
    for file in tmp_path.iterdir():
        file.write_bytes(b"gone")
    caplog.set_level(logging.CRITICAL)
    with pytest.raises(InputError) as caught, clips.plain_errors():
        next(iter(dataset))
    assert str(caught.value).startswith(f"{tmp_path}: every file is unusable")
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_named_in_plain_words():
    message = "{{function_node x}} runs/a/events.v2; No space left on device\n\tFailed"
    with pytest.raises(OSError, match="No space left") as caught, clips.plain_errors():
        raise tf.errors.ResourceExhaustedError(None, None, message)
    assert caught.value.filename == "runs/a/events.v2"
    with pytest.raises(tf.errors.ResourceExhaustedError), clips.plain_errors():
        raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
