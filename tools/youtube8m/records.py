"""Reader of the records of YouTube-8M: ids, labels and features, but no frames.

A shard is a TFRecord file of one of three kinds, as the project's download page lays
them down (research.google.com/youtube8m/download.html):

* frame level: SequenceExamples with the context `id` and `labels`, and a feature list
  `rgb` (1024 bytes) and `audio` (128 bytes) for each second, 300 at most;
* segments: the same, with rated spans of 5 s in the context (`segment_start_times`,
  `segment_end_times`, `segment_labels`, `segment_scores`);
* video level: Examples with `id`, `labels`, `mean_rgb` and `mean_audio`.

References:
    Abu-El-Haija et al., YouTube-8M: A Large-Scale Video Classification Benchmark, 2016.
    YouTube-8M Segments, 2019.
"""

import pathlib
import typing

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from vgan import InputError

RGB, AUDIO = 1024, 128  # features of a second
SEGMENT = 5  # seconds, where a record does not say when a segment ends

_FRAMING = 16  # bytes of a TFRecord that are about its length, and checks
_IDS = ("id", "video_id")  # since 2018; before


class DamagedShardError(InputError):
    """A shard breaks off, or its checks fail; all records before that are good."""


class Segment(typing.NamedTuple):
    """A span of a video of which a person has said whether it shows a label.

    Attributes:
        start: Second at which it starts.
        end: Second before which it ends.
        label: Number of the label.
        score: 1.0 if it does, 0.0 if it does not.
    """

    start: int
    end: int
    label: int
    score: float


class Video:
    """What YouTube-8M knows of a video; features are decoded when they are asked for.

    Attributes:
        id: The data set's name for it: 4 characters since 2018.
        labels: Numbers of its labels, sorted; none in test shards.
        segments: List of Segment, or None in a shard without such.
        source: File and id, for messages.
    """

    def __init__(self, record, shard):
        """Take a SequenceExample, or an Example parsed as one."""
        self._context = record.context.feature
        self._lists = record.feature_lists.feature_list
        name = next((self._context[key] for key in _IDS if key in self._context), None)
        if name is None or not name.bytes_list.value or not self._has_features():
            known = sorted({*self._context, *self._lists})
            raise InputError(
                f"{shard}: holds no records of YouTube-8M, but of "
                f"{', '.join(known[:6]) or 'nothing that can be named'}"
            )
        self.id = name.bytes_list.value[0].decode("utf-8", "replace")
        self.source = f"{shard}: video {self.id!r}"
        self.labels = sorted({int(label) for label in self._numbers("labels")})
        self.segments = self._segments()

    @property
    def rgb(self):
        """Features of the picture, float32 [T, 1024] in [-2, 2.01], one row a second.

        None at video level.

        Raises:
            InputError: They are of another size.
        """
        return self._rows("rgb", RGB)

    @property
    def audio(self):
        """Features of the sound, float32 [T, 128] in [-2, 2.01]; None without any.

        Raises:
            InputError: They are of another size.
        """
        return self._rows("audio", AUDIO)

    def mean_rgb(self, start=None, end=None):
        """Mean features of the picture, from second `start` until before `end`.

        Returns:
            float32 [1024]; None where the record has no features of that time.

        Raises:
            InputError: They are of another size.
        """
        rows = self._bytes("rgb", RGB)
        if rows is None:
            return self._mean("mean_rgb", RGB)
        rows = rows[start:end]
        return dequantize(rows.mean(axis=0, dtype=np.float32)) if len(rows) else None

    def mean_audio(self):
        """As `mean_rgb`, of the whole sound: float32 [128], or None."""
        rows = self._bytes("audio", AUDIO)
        if rows is None:
            return self._mean("mean_audio", AUDIO)
        return dequantize(rows.mean(axis=0, dtype=np.float32)) if len(rows) else None

    def _has_features(self):
        return "rgb" in self._lists or "mean_rgb" in self._context

    def _numbers(self, key, kind="int64_list"):
        # Asking a map of protobuf for a key that it has not would add the key.
        return getattr(self._context[key], kind).value if key in self._context else []

    def _segments(self):
        if "segment_labels" not in self._context:
            return None
        starts = self._numbers("segment_start_times")
        labels = self._numbers("segment_labels")
        scores = self._numbers("segment_scores", "float_list")
        ends = self._numbers("segment_end_times") or [s + SEGMENT for s in starts]
        if not len(starts) == len(ends) == len(labels) == len(scores):
            raise InputError(
                f"{self.source}: has {len(labels)} segment labels, but {len(starts)} "
                f"starts, {len(ends)} ends and {len(scores)} scores"
            )
        return [
            Segment(*each) for each in zip(starts, ends, labels, scores, strict=True)
        ]

    def _rows(self, key, size):
        rows = self._bytes(key, size)
        return None if rows is None else dequantize(rows)

    def _bytes(self, key, size):
        """uint8 [T, size]; None if there is no such list."""
        if key not in self._lists:
            return None
        rows = [row.bytes_list.value for row in self._lists[key].feature]
        for row in rows:
            if len(row) != 1 or len(row[0]) != size:
                found = len(row[0]) if len(row) == 1 else f"{len(row)} times some"
                raise InputError(
                    f"{self.source}: {found} bytes of {key} in a second; those of "
                    f"YouTube-8M are {size}"
                )
        return np.frombuffer(b"".join(row[0] for row in rows), np.uint8).reshape(
            -1, size
        )

    def _mean(self, key, size):
        mean = np.array(self._numbers(key, "float_list"), np.float32)
        if len(mean) not in (0, size):
            raise InputError(
                f"{self.source}: {len(mean)} features of {key}; those of YouTube-8M "
                f"are {size}"
            )
        if not np.isfinite(mean).all():
            raise InputError(f"{self.source}: {key} holds values that are no numbers")
        return mean if len(mean) else None


def read(shard):
    """Read a shard, one video at a time.

    Args:
        shard: Path of a TFRecord file of any of the three kinds.

    Yields:
        A Video for each record, in order.

    Raises:
        DamagedShardError: The file cannot be read on; what came before is good.
        InputError: Its records are of another kind.
    """
    shard = pathlib.Path(shard)
    size = 0
    records = tf.data.TFRecordDataset(str(shard), buffer_size=2**20)
    records = records.as_numpy_iterator()
    try:
        for record in records:
            size += len(record) + _FRAMING
            yield Video(_parse(record, shard), shard)
    except tf.errors.DataLossError as error:
        if not size:
            with open(shard, "rb") as file:
                if file.read(2) == b"\x1f\x8b":
                    raise InputError(
                        f"{shard}: is compressed; unzip it, as with gunzip"
                    ) from error
            raise DamagedShardError(
                f"{shard}: is no TFRecord, or damaged from its start"
            ) from error
        raise DamagedShardError(
            f"{shard}: is damaged, or breaks off, after {size} bytes; fetch it again"
        ) from error
    except tf.errors.OpError as error:
        reason = error.message.split(": ")[-1].split("; ")[-1]
        raise InputError(f"{shard}: cannot be read ({reason})") from error
    if not size:
        raise DamagedShardError(f"{shard}: is empty; fetch it again")
    # TensorFlow takes less than the head of a record for the end of the file.
    if size != shard.stat().st_size:
        raise DamagedShardError(
            f"{shard}: breaks off after {size} bytes; fetch it again"
        )


def _parse(record, shard):
    try:  # an Example is a SequenceExample without feature lists
        return tf.train.SequenceExample.FromString(record)
    except DecodeError as error:
        raise InputError(f"{shard}: its records are no tf.train.Examples") from error


def dequantize(features):
    """Map the bytes of features to numbers.

    Bytes are 256 equal steps of [-2, 2], as in `Dequantize` of the project's code
    (github.com/google/youtube-8m, utils.py): x * 4 / 255 + 4 / 512 - 2.

    Args:
        features: uint8, or means of such, of any shape.

    Returns:
        float32 in [-2, 2.01], of the same shape.
    """
    scale, bias = np.float32(4 / 255), np.float32(4 / 512 - 2)
    return np.asarray(features, np.float32) * scale + bias
