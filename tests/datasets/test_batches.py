import json
import logging
import os
import subprocess
import sys
import zlib
from fractions import Fraction

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import vgan
from vgan import InputError, config
from vgan.datasets import batches, synthetic
from vgan.video import VideoWriter

ARGUMENTS = {
    "content": "synthetic",
    "style": "synthetic",
    "image_size": 24,
    "clip_length": 3,
    "style_length": 2,
    "batch_size": 2,
    "seed": 5,
}


def _clips(**changes):
    return vgan.datasets.clips(**(ARGUMENTS | changes))


def _batches(count=1, **changes):
    return list(_clips(**changes).take(count).as_numpy_iterator())


def _assert_same(one, two):
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])


def test_batches_are_as_promised():
    dataset = _clips()
    shapes = {name: tuple(spec.shape) for name, spec in dataset.element_spec.items()}
    assert shapes == {
        "content": (2, 3, 24, 24, 3),
        "style": (2, 2, 24, 24, 3),
        "flow": (2, 2, 24, 24, 2),
        "occlusion": (2, 2, 24, 24, 1),
        "noise": (2, batches.NOISE),
    }
    batch = next(dataset.as_numpy_iterator())
    assert {part.dtype for part in batch.values()} == {np.dtype(np.float32)}
    for name in ("content", "style"):
        assert -1 <= batch[name].min() < -0.3
        assert 0.3 < batch[name].max() <= 1
    assert set(np.unique(batch["occlusion"])) == {0, 1}


def test_a_batch_depends_on_seed_split_and_step_alone():
    straight = _batches(count=4)
    _assert_same(straight[2], _batches(first_step=2)[0])
    _assert_same(straight[3], _batches(first_step=1, count=3)[2])
    others = [
        *straight[1:],
        *_batches(split="validation"),
        *_batches(seed=6),
    ]
    for other in others:
        assert not np.array_equal(straight[0]["content"], other["content"])
        assert not np.array_equal(straight[0]["style"], other["style"])
        assert not np.array_equal(straight[0]["noise"], other["noise"])


def test_noise_is_standard_normal_and_the_same_whatever_the_clips_are():
    noise = np.concatenate([batch["noise"] for batch in _batches(count=16)])
    assert abs(noise.mean()) < 0.03
    assert abs(noise.std() - 1) < 0.03
    # Neighbors in the batch, and in time, have nothing in common.
    likeness = np.corrcoef(noise) - np.eye(len(noise))
    assert np.abs(likeness).max() < 0.2
    (other,) = _batches(image_size=32, clip_length=2, flip=False)
    np.testing.assert_array_equal(noise[:2], other["noise"])


def test_clips_come_again_in_epochs_and_noise_does_not():
    def examples(**changes):
        batches = _batches(count=5, **changes)
        return {k: np.concatenate([b[k] for b in batches]) for k in batches[0]}

    # An epoch of 3 does not divide by the batch of 2.
    straight, epochs = examples(), examples(clips=3)
    for name in ("content", "style", "flow", "occlusion"):
        np.testing.assert_array_equal(
            epochs[name], straight[name][np.arange(len(epochs[name])) % 3]
        )
    np.testing.assert_array_equal(epochs["noise"], straight["noise"])
    assert len(np.unique(epochs["noise"], axis=0)) == 10
    _assert_same(
        _batches(split="validation", first_step=2)[0],
        _batches(split="validation", first_step=2, clips=3)[0],
    )


@pytest.mark.slow
def test_another_process_makes_the_same_batches(tmp_path):
    for seed in range(2):
        with VideoWriter(tmp_path / f"{seed}.mp4", fps=12) as writer:
            for k, frame in enumerate(synthetic.scene(seed, 9, 64, 64).frames):
                writer.write(frame, Fraction(k, 12))
    contents = ["synthetic", str(tmp_path)]
    arguments = ARGUMENTS | {"first_step": 3}
    code = (
        "import json, sys, zlib, vgan.datasets\n"
        "for content in sys.argv[2:]:\n"
        "    arguments = json.loads(sys.argv[1]) | {'content': content}\n"
        "    b = next(iter(vgan.datasets.clips(**arguments)))\n"
        "    print([zlib.crc32(b[k].numpy().tobytes()) for k in sorted(b)])\n"
    )
    # String hashes differ from process to process; nothing may depend on them.
    there = subprocess.run(
        [sys.executable, "-c", code, json.dumps(arguments), *contents],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    ).stdout.splitlines()
    for content, told in zip(contents, there, strict=True):
        here = _batches(content=content, first_step=3)[0]
        assert here["occlusion"].mean() < 0.9
        assert told == str([zlib.crc32(here[k].tobytes()) for k in sorted(here)])


def test_mirrored_or_not_the_flow_fits_the_frames(warp_error):
    batch = _batches(image_size=64, count=3)[-1]
    for content, flow, occlusion in zip(
        batch["content"], batch["flow"], batch["occlusion"], strict=True
    ):
        frames = np.rint((content + 1) * 127.5).astype(np.uint8)
        moved, _ = warp_error(synthetic.motion.Clip(frames, flow, occlusion))
        assert moved < 3


def test_one_frame_per_clip():
    (batch,) = _batches(clip_length=1, style_length=1)
    assert batch["content"].shape == (2, 1, 24, 24, 3)
    assert batch["flow"].shape == (2, 0, 24, 24, 2)


def test_an_unusable_folder_is_an_error_before_the_first_batch(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="every file is unusable"):
        _clips(style=tmp_path)


def test_an_error_inside_of_the_pipeline_comes_out_plain(tmp_path, caplog):
    for k in range(3):
        Image.fromarray(synthetic.painting("dots", k, 32)).save(tmp_path / f"{k}.png")
    dataset = _clips(content=tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(b"gone")
    caplog.set_level(logging.CRITICAL)
    with pytest.raises(InputError) as caught, batches.plain_errors():
        next(iter(dataset))
    assert str(caught.value).startswith(f"{tmp_path}: every file is unusable")
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_named_in_plain_words():
    message = "{{function_node x}} runs/a/events.v2; No space left on device\n\tFailed"
    with (
        pytest.raises(OSError, match="No space left") as caught,
        batches.plain_errors(),
    ):
        raise tf.errors.ResourceExhaustedError(None, None, message)
    assert caught.value.filename == "runs/a/events.v2"
    with pytest.raises(tf.errors.ResourceExhaustedError), batches.plain_errors():
        raise tf.errors.ResourceExhaustedError(None, None, "out of memory")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"image_size": 4}, "image_size: must be at least 8, got 4"),
        ({"clip_length": "8"}, "clip_length: expected int, got '8'"),
        ({"style_size": 23}, "style_size: must be 0, or image_size or more, got 23"),
        ({"content": 3}, "content: expected str or Path or dict, got 3"),
        ({"image_size": 10**7}, "image_size: must be at most 8192, got 10000000"),
        ({"seed": 2**32}, "seed: must be below 4294967296, got 4294967296"),
        ({"style": ""}, "style: is empty; name a folder, or 'synthetic'"),
        ({"content": "no/folder"}, "content: no/folder: there is no such folder"),
        ({"style": {"synthetic": 0}}, "style: the weight of 'synthetic' is 0"),
        ({"split": "test"}, "split: must be one of ('train', 'validation')"),
        ({"batch_size": 0}, "batch_size: must be at least 1, got 0"),
        ({"seed": -1}, "seed: must be at least 0, got -1"),
        ({"first_step": -1}, "first_step: must be at least 0, got -1"),
        ({"num_steps": 0}, "num_steps: must be at least 1, got 0"),
    ],
)
def test_a_bad_argument_is_named_in_one_line(changes, says):
    with pytest.raises(InputError) as caught:
        _clips(**changes)
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)


def test_a_misspelt_argument_is_a_type_error():
    with pytest.raises(TypeError, match="clip_lenght"):
        _clips(clip_lenght=8)


def test_paths_may_be_weighted_and_batches_counted(tmp_path):
    Image.fromarray(synthetic.painting("dots", 1, 32)).save(tmp_path / "a.png")
    given = _batches(9, content={tmp_path: 1.0, "synthetic": 2.0}, num_steps=2)
    named = _batches(2, content={str(tmp_path): 1.0, "synthetic": 2.0})
    assert len(given) == 2
    for one, two in zip(given, named, strict=True):
        _assert_same(one, two)


def test_the_defaults_are_those_of_an_experiment():
    default = config.data_arguments(config.Experiment())
    with_spec = batches.open_clips(split="train", **default)()
    (one,) = with_spec.take(1).as_numpy_iterator()
    (two,) = vgan.datasets.clips("synthetic", "synthetic").take(1).as_numpy_iterator()
    _assert_same(one, two)


def test_a_model_fits_on_clips():
    model = keras.Sequential([keras.Input((3, 24, 24, 3)), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    pairs = _clips(num_steps=2).map(lambda batch: (batch["content"],) * 2)
    history = model.fit(pairs, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_importing_the_room_imports_no_tensorflow():
    code = (
        "import sys, vgan.datasets; assert callable(vgan.datasets.clips);"
        "print('tensorflow' in sys.modules, 'tensorflow_datasets' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"], done.stderr
