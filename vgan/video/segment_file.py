"""One finished stretch of a video: its encoded packets and what was known after it.

A zip archive of stored entries, so that every byte has a checksum and nothing in it is
ever unpickled: `packets` (their bytes, one after the other), `index.npy`, `meta.json`
and the arrays of the snapshot. A file that has its final name is complete.
"""

import contextlib
import json
import os
import pathlib
import zipfile
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np

from vgan import files

_COLUMNS = ("size", "pts", "dts", "duration", "is_keyframe")  # of the index
# What reading an archive raises that was cut off or altered.
_DAMAGE = (zipfile.BadZipFile, EOFError, KeyError, ValueError, TypeError, RuntimeError)


class SegmentFile:
    """A segment that is complete.

    Args:
        path: The file.

    Attributes:
        path: The file.
        made_of: The JSON-able value that was given to `SegmentRecorder.save`.
        num_frames: Frames in it.
        shape: Of its frames, (H, W, 3).
        last_timestamp: Fraction of a second, of its last frame.
        last_pts: The same in ticks of the encoder.
        gap: Ticks that its last frame lasts.

    Raises:
        DamagedSegmentError: The file was cut off or altered.
        OSError: It cannot be read.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        with _opened(path) as archive:
            if archive.testzip() is not None:
                raise zipfile.BadZipFile("wrong checksum")
            meta = json.loads(archive.read("meta.json"))
            self.made_of = meta["made_of"]
            self.num_frames, self.shape = meta["num_frames"], tuple(meta["shape"])
            self.last_timestamp = Fraction(meta["last_timestamp"])
            self.last_pts, self.gap = meta["last_pts"], meta["gap"]

    def snapshot(self) -> dict[str, object] | None:
        """Return the flat dict that was saved with it, or None."""
        with _opened(self.path) as archive:
            meta = json.loads(archive.read("meta.json"))
            if meta["values"] is None:
                return None
            snapshot = dict(meta["values"])
            for number, name in enumerate(meta["arrays"]):
                with archive.open(f"{number}.npy") as file:
                    snapshot[name] = np.lib.format.read_array(file, allow_pickle=False)
            return snapshot

    def index(self) -> dict[str, np.ndarray]:
        """Return what is known of its packets: {"pts": int64 [N], "dts": ...}."""
        with _opened(self.path) as archive, archive.open("index.npy") as file:
            table = np.lib.format.read_array(file, allow_pickle=False)
        return dict(zip(_COLUMNS, table.T, strict=True))

    def packets(self, index: dict[str, np.ndarray]) -> Iterator[av.Packet]:
        """Yield its `av.Packet`s in the order of decoding, one at a time in memory."""
        columns = [index[name].tolist() for name in _COLUMNS]
        with _opened(self.path) as archive, archive.open("packets") as file:
            for size, pts, dts, duration, is_keyframe in zip(*columns, strict=True):
                packet = av.Packet(file.read(size))
                packet.pts, packet.dts, packet.duration = pts, dts, duration
                packet.is_keyframe = bool(is_keyframe)
                yield packet


class SegmentRecorder:
    """Takes the packets of a segment as they come; `save` makes it a SegmentFile.

    Until then they are in a file of another name, which `abandon` removes.

    Args:
        path: The SegmentFile to make.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self._path, self._part = path, path.with_suffix(".part")
        self._index = []
        self._archive = zipfile.ZipFile(self._part, "w")
        self._packets = self._archive.open("packets", "w", force_zip64=True)

    def add(self, packet: av.Packet) -> None:
        """Append an encoded `av.Packet`."""
        self._packets.write(bytes(packet))
        self._index.append([getattr(packet, name) for name in _COLUMNS])

    def save(self, snapshot: dict[str, object] | None, **meta: object) -> SegmentFile:
        """Write the rest and put the file under its name: all of it counts, or nothing.

        Args:
            snapshot: Flat dict of arrays and plain JSON values, or None.
            **meta: JSON-able values for the attributes of a SegmentFile.

        Returns:
            SegmentFile.
        """
        self._packets.close()
        arrays, values = _split(snapshot)
        index = np.array(self._index, np.int64).reshape(-1, len(_COLUMNS))
        self._write("index.npy", index)
        for number, array in enumerate(arrays.values()):
            self._write(f"{number}.npy", array)
        meta |= {"values": values, "arrays": list(arrays)}
        # By its name alone, it would get the time of day.
        self._archive.writestr(zipfile.ZipInfo("meta.json"), json.dumps(meta))
        self._archive.close()
        files.sync(self._part)
        os.replace(self._part, self._path)
        files.sync(self._path.parent)
        return SegmentFile(self._path)

    def _write(self, name, array):
        with self._archive.open(name, "w", force_zip64=True) as file:
            np.lib.format.write_array(file, array, allow_pickle=False)

    def abandon(self) -> None:
        """Remove what is not saved."""
        # What cannot be written any more need not be: the file is removed.
        for file in (self._packets, self._archive):
            with contextlib.suppress(OSError, ValueError):
                file.close()
        self._part.unlink(missing_ok=True)


class DamagedSegmentError(Exception):
    """A segment's file is not what was saved."""


@contextlib.contextmanager
def _opened(path):
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except _DAMAGE as error:
        raise DamagedSegmentError(str(path)) from error


def _split(snapshot):
    """The arrays of a snapshot, and its other values (None without one)."""
    if snapshot is None:
        return {}, None
    arrays, values = {}, {}
    for name, value in snapshot.items():
        if isinstance(value, (np.ndarray, np.generic)):
            _check(name, value.dtype)
            arrays[name] = np.asarray(value)
        else:
            values[name] = value
    return arrays, values


def _check(name, dtype):
    """NumPy's format would turn objects to pickles, and bfloat16 to raw bytes."""
    described = np.lib.format.dtype_to_descr(dtype)
    if dtype.hasobject or np.lib.format.descr_to_dtype(described) != dtype:
        raise TypeError(f"snapshot: {name} is {dtype}; make it float32")
