"""Parts, which hold what a scan has found in each file, to shards of a data set.

A part is a ZIP file of clips.json, a list of {"key", "source", "start", "fps", "label",
"licence", "shot", "frames"}, and of 00012/003.jpg, which is frame 3 of clip 12.
"""

import collections
import contextlib
import itertools
import json
import os
import pathlib
import typing
import zipfile
from collections.abc import Collection, Iterable

import numpy as np
import tensorflow_datasets as tfds

from vgan import InputError, files

FORMAT = tfds.core.FileFormat.TFRECORD
SHARD_BYTES = 128 << 20  # about 200 clips of 16 frames of 256 pixels


def make_features() -> tfds.features.FeaturesDict:
    """Return the features of `builder.VideoClips`."""
    return tfds.features.FeaturesDict(
        {
            "frames": tfds.features.Video((None, None, None, 3), "jpeg"),
            "source": tfds.features.Text(),
            "start": np.float32,
            "fps": np.float32,
            "label": tfds.features.Text(),
            # A name of the file format, in sets of all versions.
            "licence": tfds.features.Text(),
            "shot": np.int32,
        }
    )


class Clip(typing.NamedTuple):
    """A clip in a part.

    Attributes:
        source: Name of its file.
        start: Seconds.
        key: Unlike all others of the set.
        part: Path of the part.
        index: Its place in the part.
        size: Bytes of its frames.
    """

    source: str
    start: float
    key: str
    part: str
    index: int
    size: int


def chosen_clips(
    paths: Iterable[str | pathlib.Path], chosen: Collection[str] | None
) -> list[Clip]:
    """Find the chosen clips of some parts.

    Args:
        paths: Of the parts; a file without clips has none.
        chosen: Keys; None: all.

    Returns:
        List of Clip, in order of source and start.

    Raises:
        InputError: A part is damaged, or two hold the same clip.
    """
    found = []
    for path in filter(os.path.exists, paths):
        with _opened(path) as part:
            sizes = collections.Counter()
            for info in part.infolist():
                sizes[info.filename.partition("/")[0]] += info.file_size
            for index, clip in enumerate(json.loads(part.read("clips.json"))):
                if chosen is None or clip["key"] in chosen:
                    place = (clip["source"], clip["start"], clip["key"])
                    found.append(Clip(*place, str(path), index, sizes[f"{index:05d}"]))
    found.sort()
    for one, two in itertools.pairwise(found):
        if one.key == two.key:
            raise InputError(f"{one.part}, {two.part}: both hold the clip {one.key}")
    return found


def divide(clips: Iterable[Clip]) -> list[list[Clip]]:
    """Divide a list of Clip into runs of SHARD_BYTES or a little less."""
    shards, size = [], 0
    for clip in clips:
        if not shards or size + clip.size > SHARD_BYTES:
            shards.append([])
            size = 0
        shards[-1].append(clip)
        size += clip.size
    return shards


def write_shard(task: tuple[str | pathlib.Path, list[Clip]]) -> None:
    """Write one file of examples; task: its path, and its Clips."""
    path, clips = task
    with files.replacing(path) as partial:  # Beam may give one task to two workers
        tfds.core.ExampleWriter(FORMAT).write(partial, _serialized(clips))


def _serialized(clips):
    features = make_features()
    for key, example in _examples(clips):
        example = FORMAT.deserialize(features.serialize_example(example))
        # tfds leaves the order of the features to chance.
        yield key, example.SerializeToString(deterministic=True)


def _examples(clips):
    """Yield (key, example) of each Clip."""
    for path, group in itertools.groupby(clips, key=lambda clip: clip.part):
        with _opened(path) as part:
            entries = json.loads(part.read("clips.json"))
            for clip in group:
                entry = entries[clip.index]
                same = ("source", "start", "fps", "label", "licence", "shot")
                example = {name: entry[name] for name in same}
                example["frames"] = [
                    part.read(f"{clip.index:05d}/{t:03d}.jpg")
                    for t in range(entry["frames"])
                ]
                yield clip.key, example


@contextlib.contextmanager
def _opened(path):
    try:
        with zipfile.ZipFile(path) as part:
            yield part
    except Exception as error:  # zipfile has no one error for what is damaged
        raise InputError(
            f"{path}: is damaged ({error or type(error).__name__}); remove it and run "
            "the same again"
        ) from error
