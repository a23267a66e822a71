"""Files that can be finished on a disk that has become full."""

import errno
import io
import os
import pathlib
import tempfile

FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_INDEX = 2**20  # bytes that are kept aside for what a container writes last
_BLOCK = 2**18


class SparedFile:
    """A file to write, with room kept aside for its end.

    When the disk is full, room is set free, and writing goes on: first that for what an
    encoder still holds, then that for the container's index, without which no movie can
    be played. FFmpeg takes no write again that has failed once.

    Args:
        path: The file to make.
        held: Bytes that an encoder may hold.

    Attributes:
        name: Its absolute path, as FFmpeg reads it.
        full: The OSError of the disk, once it is full.
    """

    def __init__(self, path: pathlib.Path, held: int = _BLOCK) -> None:
        self.name, self.full = str(path.absolute()), None
        self._file = open(path, "w+b", buffering=0)  # noqa: SIM115
        self.seek, self.tell = self._file.seek, self._file.tell
        self.read = self._file.read
        self._rooms = [_room(path.parent, size) for size in (_INDEX, held)]

    @property
    def is_spent(self) -> bool:
        """Whether the room that is left is needed for the index."""
        return not self._rooms

    def write(self, data: bytes) -> int:
        """Write all of it.

        Raises:
            OSError: It cannot be written, not even into the room set aside.
        """
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._file.write(rest) :]
            except OSError as error:
                if error.errno not in FULL or not self._rooms:
                    raise
                self._rooms.pop().close()
                self.full = error
        return len(data)

    def close(self) -> None:
        """Close; the room is free."""
        while self._rooms:
            self._rooms.pop().close()
        self._file.close()


def _room(folder, size):
    """A file without a name: of a process that is killed nothing is left."""
    try:
        room = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
    except OSError:  # which not every file system has
        return io.BytesIO()
    block = os.urandom(_BLOCK)  # zeros may take no room; to draw all of it takes long
    try:
        while room.tell() < size:
            room.write(block)
    except OSError:  # there is less
        room.truncate(room.tell() // 8)
    return room
