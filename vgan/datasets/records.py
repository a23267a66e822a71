"""Examples of tensorflow-datasets, read at any place."""

import bisect
import itertools
import os
import struct
import typing
from collections.abc import Sequence

from vgan import InputError

if typing.TYPE_CHECKING:
    import tensorflow_datasets as tfds


_HEADER, _FRAME = 12, 16  # bytes before a record, and before and after it


class TFRecords:
    """The records of TFRecord files, as a sequence of bytes.

    The format: length (8 bytes), its checksum (4), record, its checksum (4). Where the
    records of a file begin is found out at its first use. Threads may share one.

    Args:
        instructions: tfds FileInstructions: filename, skip, take, examples_in_shard.
    """

    def __init__(self, instructions: Sequence[typing.Any]) -> None:
        self._files = list(instructions)
        self._ends = list(itertools.accumulate(file.take for file in self._files))
        self._places = {}

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> bytes:
        """Return the bytes of a record.

        Raises:
            InputError: The file is damaged or gone.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        number = bisect.bisect(self._ends, index)
        file = self._files[number]
        index -= self._ends[number] - file.take
        name = os.fspath(file.filename)
        try:
            with open(name, "rb", buffering=0) as opened:
                if name not in self._places:
                    self._places[name] = _places(opened, name, file.examples_in_shard)
                start, length = self._places[name][file.skip + index]
                opened.seek(start)
                record = opened.read(length)
        except FileNotFoundError as error:
            raise InputError(f"{name}: is missing; prepare the data again") from error
        except OSError as error:
            raise InputError(
                f"{name}: cannot be read ({error.strerror}); fix that, or prepare the "
                "data again"
            ) from error
        if len(record) != length:
            raise _damaged(name)
        return record


def _places(opened, name, count):
    """[(first byte, number of bytes)] of the records of a file."""
    size, places, place = os.fstat(opened.fileno()).st_size, [], 0
    while place < size and len(places) < count:
        opened.seek(place)
        header = opened.read(_HEADER)
        if len(header) < _HEADER:
            raise _damaged(name)
        (length,) = struct.unpack("<Q", header[:8])
        places.append((place + _HEADER, length))
        place += length + _FRAME
    if place != size or len(places) != count:
        raise _damaged(name)
    return places


def _damaged(name):
    return InputError(f"{name}: is damaged; remove its folder and prepare it again")


def open_records(builder: "tfds.core.DatasetBuilder", split: str) -> Sequence[bytes]:
    """Return a sequence of the serialized examples of a split.

    Args:
        builder: A tfds DatasetBuilder, prepared.
        split: A split, or part of one, as "train[:90%]".

    Raises:
        InputError: It has no such split, no examples in it, or another format.
    """
    import tensorflow_datasets as tfds

    name = builder.info.full_name
    if builder.info.file_format is not tfds.core.FileFormat.TFRECORD:
        raise InputError(
            f"{name}: is in {builder.info.file_format.value} files, which are not read "
            "here; prepare it again, as tfrecord"
        )
    try:
        records = TFRecords(builder.info.splits[split].file_instructions)
    except (KeyError, ValueError) as error:
        known = ", ".join(builder.info.splits)
        raise InputError(f"{name}: no split {split!r}; it has {known}") from error
    if not len(records):
        raise InputError(
            f"{name}: there are no examples in its split {split!r}; prepare it again"
        )
    return records
