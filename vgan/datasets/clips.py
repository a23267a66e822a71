"""Batches of clips, in an order that depends on nothing but seed and step."""

import contextlib
import errno
import os
import re
import sys

import cv2
import numpy as np

from vgan import InputError
from vgan.config import NOISE
from vgan.datasets.pairs import styled_by_target
from vgan.datasets.sources import SPLITS, open_source


def make_dataset(config, split, first_step=0):
    """Make an endless data set of batches.

    Batch k is a function of (config, split, k) and the files alone, not of where
    the data set starts, of parallelism or of the process: a run that is resumed with
    `first_step` sees what it would have seen. With `data.clips`, the clips of the
    training split come again in epochs of so many; the noise is always new.

    Args:
        config: A config.Experiment; `data`, `train.batch_size` and `seed` count.
        split: "train" or "validation"; they never share a file or a scene.
        first_step: Number of batches to skip, at no cost.

    Returns:
        A tf.data.Dataset of dicts of float32 tensors, all shapes static:
            content: [B, T, S, S, 3] in [-1, 1].
            style: [B, T', S, S, 3] in [-1, 1].
            flow: [B, T-1, S, S, 2], backward, (x, y) in pixels: content[:, t + 1] at
                p shows what content[:, t] showed at p + flow[:, t](p).
            occlusion: [B, T-1, S, S, 1], 1 where the flow does not hold: hidden or
                outside of the earlier frame. Flow of real videos is estimated, and
                1 is also where it cannot be trusted; without `data.estimate_flow`
                their flow is 0 and the occlusion 1 everywhere.
            target: [B, T, S, S, 3] in [-1, 1], the content's stylised form, of the
                same pixels and times; only with `data.target`.
            noise: [B, NOISE], standard normal: all that is random in a step, so
                that it is the same on every backend.

    Raises:
        InputError: A source cannot be used.
            Files that break later raise it inside of the pipeline, where TensorFlow
            wraps it: see plain_errors.
    """
    draw, parts = _drawer(config, split)
    _check_step(first_step)
    return stream(draw, parts, config.train.batch_size, first_step)


def first_batch(config, split):
    """Return the first batch of `make_dataset` as NumPy arrays, without TensorFlow."""
    draw, parts = _drawer(config, split)
    examples = [draw(index) for index in range(config.train.batch_size)]
    batch = dict(zip(parts, map(np.stack, zip(*examples, strict=True)), strict=True))
    return _finish(batch, lambda x: x.astype(np.float32))


def _drawer(config, split):
    """Function of an example's number that draws it, and `stream`'s parts."""
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}, got {split!r}")
    data = config.data
    content = open_source("content", split, data)
    style = None if styled_by_target(data) else open_source("style", split, data)
    square = (data.image_size, data.image_size)
    parts = {  # as they are drawn; pictures are bytes until they are batched
        "content": (np.uint8, (data.clip_length, *square, 3)),
        "style": (np.uint8, (data.style_length, *square, 3)),
        "flow": (np.float32, (data.clip_length - 1, *square, 2)),
        "occlusion": (np.uint8, (data.clip_length - 1, *square, 1)),
        "noise": (np.float32, (NOISE,)),
    }
    if data.target:
        parts["target"] = parts["content"]

    def generators(index):
        key = [config.seed, SPLITS.index(split), index]
        return np.random.default_rng(key).spawn(3)

    def draw(index):
        index = int(index)
        number = index % data.clips if data.clips and split == "train" else index
        content_rng, style_rng, _ = generators(number)
        *_, noise_rng = generators(index)
        drawn = {"noise": noise_rng.standard_normal(NOISE, dtype=np.float32)}
        clip = content.clip(content_rng, data.clip_length)
        if data.target:
            clip, drawn["target"], drawn["style"] = clip
        if style is not None:
            drawn["style"] = style.clip(style_rng, data.style_length).frames
        drawn["content"], drawn["flow"], drawn["occlusion"] = clip
        return [drawn[name] for name in parts]

    return draw, parts


def stream(draw, parts, batch, first_step=0, num_steps=None, workers=None):
    """Batch what is drawn in parallel, in order.

    Args:
        draw: Function of an example's number that returns a list of arrays.
        parts: {name: (type, shape)} of these. Pictures (content, style, target) are
            uint8 and become float32 in [-1, 1]; so does occlusion, of 0 and 1.
        batch: Examples per batch.
        first_step: Number of batches to skip, at no cost.
        num_steps: Of batches; None for no end of them.
        workers: Examples that are drawn at once; None for as many as the machine has
            cores, at most 16.

    Returns:
        A tf.data.Dataset of dicts of tensors [B, ...].
    """
    import tensorflow as tf

    def example(index):
        types = [tf.as_dtype(kind) for kind, _ in parts.values()]
        drawn = tf.numpy_function(draw, [index], types, stateful=False)
        return {
            name: tf.ensure_shape(part, shape)
            for (name, (_, shape)), part in zip(parts.items(), drawn, strict=True)
        }

    def finish(batch):
        return _finish(batch, lambda x: tf.cast(x, tf.float32))

    # Parallelism is over clips; OpenCV's own threads would only compete.
    cv2.setNumThreads(1)
    workers = workers or min(os.cpu_count() or 1, 16)
    end = tf.int64.max if num_steps is None else (first_step + num_steps) * batch
    indices = tf.data.Dataset.range(first_step * batch, end)
    examples = indices.map(example, num_parallel_calls=workers, deterministic=True)
    batches = examples.batch(batch, drop_remainder=True).map(finish)
    return batches.prefetch(2)


@contextlib.contextmanager
def plain_errors():
    """Bring out what TensorFlow has wrapped in an error of its own.

    Use around whatever reads a data set, such as `fit`.

    Raises:
        InputError: Where the pipeline raised it.
        OSError: A full disk, noticed while TensorFlow wrote for TensorBoard.
    """
    tf = sys.modules.get("tensorflow")
    if tf is None:  # nothing is wrapped
        yield
        return
    try:
        yield
    except tf.errors.OpError as error:
        full = re.search(r"(\S+); No space left on device", error.message)
        if full:
            reason = os.strerror(errno.ENOSPC)
            raise OSError(errno.ENOSPC, reason, full[1]) from None
        found = re.search(r"InputError: (.+)", error.message)
        if found is None:
            raise
        raise InputError(found[1].strip()) from None


def _finish(batch, as_float):
    """Pictures of a batch become floats in [-1, 1]; occlusion a float."""
    for name in batch.keys() & {"content", "style", "target", "occlusion"}:
        batch[name] = as_float(batch[name])
        if name != "occlusion":
            batch[name] = batch[name] / 127.5 - 1
    return batch


def _check_step(first_step):
    if first_step < 0:
        raise ValueError(f"first_step must not be negative, got {first_step}")
