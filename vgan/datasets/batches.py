"""Batches of clips, in an order that depends on nothing but seed and step."""

import contextlib
import errno
import functools
import os
import pathlib
import re
import sys
import typing
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from vgan import InputError
from vgan.checks import check_type, shown
from vgan.datasets.pairs import styled_by_target
from vgan.datasets.sources import SPLITS, open_source
from vgan.datasets.spec import BATCH_SIZE, NOISE, ClipSpec

if typing.TYPE_CHECKING:
    import tensorflow as tf


def clips(
    content: str | pathlib.Path | dict[str | pathlib.Path, float],
    style: str | pathlib.Path | dict[str | pathlib.Path, float],
    *,
    split: str = "train",
    image_size: int = ClipSpec.image_size,
    clip_length: int = ClipSpec.clip_length,
    style_length: int = ClipSpec.style_length,
    style_size: int = ClipSpec.style_size,
    style_hues: float = ClipSpec.style_hues,
    target: str | pathlib.Path = ClipSpec.target,
    fps: float = ClipSpec.fps,
    estimate_flow: bool = ClipSpec.estimate_flow,
    flip: bool = ClipSpec.flip,
    noise: float = ClipSpec.noise,
    clips: int = ClipSpec.clips,
    validation: float = ClipSpec.validation,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    first_step: int = 0,
    num_steps: int | None = None,
) -> "tf.data.Dataset":
    """Make batches of content clips and style clips, for training or validation.

    Batch k is a function of the arguments, k and the files alone, not of where the
    data set starts, of parallelism or of the process: a run that is resumed with
    `first_step` sees what it would have seen. B is `batch_size`, T `clip_length`,
    T' `style_length` and S `image_size`.

    Example:
        gan.fit(vgan.datasets.clips("videos/", "paintings/", clip_length=8),
                steps_per_epoch=1000)

    Args:
        content: A source, or sources with weights {source: weight}. A source is
            "synthetic" (rendered, with exact flow), a folder of videos, a folder
            of still images (made into clips by a moving window, with exact flow), a
            folder that vgan.prepare has made, or "tfds:NAME", a set of
            tensorflow-datasets with videos or images, as "tfds:davis/480p".
        style: The same for style clips; "synthetic" gives procedural paintings. Of a
            folder, each sub-folder is a style with a name.
        split: "train" or "validation"; they never share a file or a scene.
        image_size: Height and width of a clip in pixels, 8 to 8192.
        clip_length: Frames per content clip.
        style_length: Frames per style clip; the discriminator sees these clips as
            real.
        style_size: Short side in pixels that pictures of styles are scaled to, give or
            take a third; a clip is a window of that, so it is at least `image_size`.
            It is how large strokes get. 0: the window shows half of a picture or more.
        style_hues: Part of the training clips of styles that get other colors, 0 to 1.
        target: Folder of the content's videos in their stylized form, under the same
            names, which reconstruction losses compare with; "" for none. Where `style`
            is the same folder, each clip's style is its own target's.
        fps: Frames per second that videos are resampled to, 0.001 to 1000.
        estimate_flow: Estimate how videos move, for the temporal losses; else these
            leave videos out.
        flip: Mirror half of the training clips.
        noise: Most noise that training contents get, as of a camera: its standard
            deviation in levels of 255, 0 to 255; not where there is a `target`.
        clips: Number of different training clips, which repeat in epochs, with new
            noise vectors; 0 for no end of them.
        validation: Fraction of each source's files that is never trained on, from 0
            to below 1.
        batch_size: Clips per batch.
        seed: From 0 to below 2**32; decides all that is random.
        first_step: Number of batches to skip, at no cost.
        num_steps: Number of batches; None for no end of them.

    Returns:
        A tf.data.Dataset of dicts of float32 tensors, all shapes static:
            content: [B, T, S, S, 3] in [-1, 1].
            style: [B, T', S, S, 3] in [-1, 1].
            flow: [B, T-1, S, S, 2], backward, (x, y) in pixels: content[:, t + 1] at
                p shows what content[:, t] showed at p + flow[:, t](p).
            occlusion: [B, T-1, S, S, 1], 1 where the flow does not hold: hidden or
                outside of the earlier frame. Flow of real videos is estimated, and
                1 is also where it cannot be trusted; without `estimate_flow` their
                flow is 0 and the occlusion 1 everywhere.
            target: [B, T, S, S, 3] in [-1, 1], the content's stylized form, of the
                same pixels and times; only with `target`.
            noise: [B, NOISE], standard normal: all that is random in a step, so
                that it is the same on every backend.

    Raises:
        InputError: An argument is of another type or out of range, or a source cannot
            be used. Files that break later raise it inside of the pipeline, where
            TensorFlow wraps it: see `plain_errors`.
        TypeError: There is no argument of that name.
    """
    spec = ClipSpec(
        content=_without_paths(content),
        style=_without_paths(style),
        image_size=image_size,
        clip_length=clip_length,
        style_length=style_length,
        style_size=style_size,
        style_hues=style_hues,
        target=_without_paths(target),
        fps=fps,
        estimate_flow=estimate_flow,
        flip=flip,
        noise=noise,
        clips=clips,
        validation=validation,
    )
    return open_clips(spec, split, batch_size, seed)(first_step, num_steps)


def open_clips(
    spec: ClipSpec,
    split: str,
    batch_size: int,
    seed: int = 0,
    part: tuple[int, int] = (0, 1),
) -> "Callable[..., tf.data.Dataset]":
    """Open the sources of clips, which looks for their files and tries some.

    Args:
        spec: A ClipSpec.
        split: "train" or "validation".
        batch_size: Clips per batch.
        seed: Decides all that is random.
        part: Which of how many equal parts of each batch to make.

    Returns:
        Function (first_step=0, num_steps=None) that returns what `clips` does.

    Raises:
        InputError: As in `clips`.
    """
    draw, parts = _drawer(spec, split, batch_size, seed)
    number, count = part
    rows = batch_size // count

    def own(index):
        batch, row = divmod(int(index), rows)
        return draw(batch * batch_size + number * rows + row)

    return functools.partial(stream, own if count > 1 else draw, parts, rows)


def first_batch(
    spec: ClipSpec, split: str, batch_size: int, seed: int = 0
) -> dict[str, np.ndarray]:
    """Return the first batch of `open_clips` as NumPy arrays, without TensorFlow."""
    draw, parts = _drawer(spec, split, batch_size, seed)
    examples = [draw(index) for index in range(batch_size)]
    batch = dict(zip(parts, map(np.stack, zip(*examples, strict=True)), strict=True))
    return _finish(batch, lambda x: x.astype(np.float32))


def _without_paths(source):
    """A source whose paths are texts, as those of {source: weight}."""
    if isinstance(source, dict):
        return {_without_paths(name): weight for name, weight in source.items()}
    return os.fspath(source) if isinstance(source, os.PathLike) else source


def _drawer(spec, split, batch_size, seed):
    """Function of an example's number that draws it, and `stream`'s parts."""
    if split not in SPLITS:
        raise InputError(f"split: must be one of {SPLITS}, got {split!r}")
    _check_count("batch_size", batch_size, 1)
    _check_count("seed", seed, 0, 2**32)
    content = open_source("content", split, spec)
    style = None if styled_by_target(spec) else open_source("style", split, spec)
    square = (spec.image_size, spec.image_size)
    parts = {  # as they are drawn; pictures are bytes until they are batched
        "content": (np.uint8, (spec.clip_length, *square, 3)),
        "style": (np.uint8, (spec.style_length, *square, 3)),
        "flow": (np.float32, (spec.clip_length - 1, *square, 2)),
        "occlusion": (np.uint8, (spec.clip_length - 1, *square, 1)),
        "noise": (np.float32, (NOISE,)),
    }
    if spec.target:
        parts["target"] = parts["content"]

    def generators(index):
        key = [seed, SPLITS.index(split), index]
        return np.random.default_rng(key).spawn(3)

    def draw(index):
        index = int(index)
        number = index % spec.clips if spec.clips and split == "train" else index
        content_rng, style_rng, _ = generators(number)
        *_, noise_rng = generators(index)
        drawn = {"noise": noise_rng.standard_normal(NOISE, dtype=np.float32)}
        clip = content.clip(content_rng, spec.clip_length)
        if spec.target:
            clip, drawn["target"], drawn["style"] = clip
        if style is not None:
            drawn["style"] = style.clip(style_rng, spec.style_length).frames
        drawn["content"], drawn["flow"], drawn["occlusion"] = clip
        return [drawn[name] for name in parts]

    return draw, parts


def stream(
    draw: Callable[[int], list[np.ndarray]],
    parts: dict[str, tuple[type, tuple[int, ...]]],
    batch_size: int,
    first_step: int = 0,
    num_steps: int | None = None,
    workers: int | None = None,
) -> "tf.data.Dataset":
    """Batch what is drawn in parallel, in order.

    Args:
        draw: Function of an example's number that returns a list of arrays.
        parts: {name: (type, shape)} of these. Pictures (content, style, target) are
            uint8 and become float32 in [-1, 1]; so does occlusion, of 0 and 1.
        batch_size: Examples per batch.
        first_step: Number of batches to skip, at no cost.
        num_steps: Of batches; None for no end of them.
        workers: Examples that are drawn at once; None for as many as the machine has
            cores, at most 16.

    Returns:
        A tf.data.Dataset of dicts of tensors [B, ...].
    """
    _check_count("first_step", first_step, 0)
    if num_steps is not None:
        _check_count("num_steps", num_steps, 1)
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
    end = tf.int64.max if num_steps is None else (first_step + num_steps) * batch_size
    indices = tf.data.Dataset.range(first_step * batch_size, end)
    examples = indices.map(example, num_parallel_calls=workers, deterministic=True)
    batches = examples.batch(batch_size, drop_remainder=True).map(finish)
    return batches.prefetch(2)


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
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


def _check_count(name, value, least, end=None):
    check_type(int, value, name)
    if value < least:
        raise InputError(f"{name}: must be at least {least}, got {value}")
    if end is not None and value >= end:
        raise InputError(f"{name}: must be below {end}, got {shown(value)}")
