"""A disk that becomes full: what was made is kept, and can be played."""

import errno
import io
import os

import numpy as np
import pytest

from tests.video.samples import leftovers
from vgan import InputError
from vgan.video import VideoReader, VideoWriter, encoders, spare


class Disk:
    """Files of it share some free bytes."""

    def __init__(self, free):
        self.free = free

    def opened(self, path, mode="w+b", buffering=0):
        return File(self, path, mode)

    def unnamed(self, dir, buffering):
        return File(self, os.open(dir, os.O_TMPFILE | os.O_RDWR), "r+b")


class File(io.FileIO):
    def __init__(self, disk, path, mode):
        super().__init__(path, mode)
        self._disk, self._size = disk, 0
        self._is_room = isinstance(path, int)

    def write(self, data):
        more = max(0, self.tell() + len(data) - self._size)
        if more > self._disk.free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._disk.free -= more
        self._size += more
        return super().write(data)

    def close(self):
        if self._is_room and not self.closed:
            self._disk.free += self._size
        super().close()


@pytest.fixture
def disk(monkeypatch):
    disk = Disk(3 * 2**20)
    monkeypatch.setattr(spare, "open", disk.opened, raising=False)
    monkeypatch.setattr(spare.tempfile, "TemporaryFile", disk.unnamed)
    return disk


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs Linux")
@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.gif"])
def test_a_full_disk_keeps_what_was_made(tmp_path, caplog, disk, name):
    rng = np.random.default_rng(0)
    with (  # noqa: PT012
        pytest.raises(InputError, match=r"No space left.*free space on the disk"),
        VideoWriter(tmp_path / name, fps=25) as writer,
    ):
        for k in range(1000):
            writer.write(rng.integers(0, 255, (96, 128, 3), np.uint8), k / 25)
    kept = tmp_path / f"a.partial{name[1:]}"
    assert [p.name for p in tmp_path.iterdir()] == [kept.name]
    assert f"stopped: {writer.num_frames} frames are in {kept}" in caplog.text
    with VideoReader(kept) as reader:
        assert sum(1 for _ in reader) == writer.num_frames
        assert reader.damage is None
    assert 20 < writer.num_frames < 1000


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs Linux")
def test_a_disk_that_is_full_at_the_very_end(tmp_path, caplog, disk):
    """When all that is left is what the encoder still holds."""
    rng = np.random.default_rng(0)
    with (  # noqa: PT012
        pytest.raises(InputError, match="No space left"),
        VideoWriter(tmp_path / "a.mp4", fps=25) as writer,
    ):
        for k in range(30):
            writer.write(rng.integers(0, 255, (96, 128, 3), np.uint8), k / 25)
        disk.free = 0
        while len(writer._encoder._file._rooms) > 1:  # another program takes it
            writer._encoder._file._rooms.pop()
    with VideoReader(tmp_path / "a.partial.mp4") as reader:
        assert sum(1 for _ in reader) == writer.num_frames
    assert 0 < writer.num_frames < 30


def test_a_folder_keeps_whole_pictures(tmp_path, monkeypatch):
    save = encoders.Image.Image.save

    def full(self, path, **options):
        if path.name == "000004.png":
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(self, path, **options)

    monkeypatch.setattr(encoders.Image.Image, "save", full)
    with (  # noqa: PT012
        pytest.raises(InputError, match="free space"),
        VideoWriter(tmp_path / "a") as writer,
    ):
        for k in range(9):
            writer.write(np.zeros((16, 16, 3), np.uint8), k)
    assert len(list((tmp_path / "a.partial").iterdir())) == 4
    assert leftovers(tmp_path) == ["a.partial"]


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EINVAL, "give another output, or one of another kind"),
        (errno.EFBIG, "no file may be so large there"),
        (errno.ENOSPC, "free space on the disk"),
    ],
)
def test_only_a_full_disk_is_called_one(tmp_path, monkeypatch, number, advice):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(encoders.Movie, "write", fail)
    with (
        pytest.raises(InputError, match=f"{os.strerror(number)}.*{advice}"),
        VideoWriter(tmp_path / "a.mp4") as writer,
    ):
        writer.write(np.zeros((16, 16, 3), np.uint8), 0)
    assert list(tmp_path.iterdir()) == []
