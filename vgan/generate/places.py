"""Folders here, or URLs that Apache Beam's file systems know, such as gs://bucket/films.

A file is written whole or not at all: under another name first, in a folder of scratch.
"""

import contextlib
import os
import pathlib
import secrets
import shutil
import tempfile
import typing
from collections.abc import Iterable, Iterator

from vgan import InputError, files

UNFINISHED = "unfinished-"  # begins the names of what is being written


def local(place: str | os.PathLike) -> str:
    """Return a folder or URL as text; file:///films as /films."""
    return os.fspath(place).removeprefix("file://")


def is_url(place: str) -> bool:
    """Whether it is no path on this machine."""
    return "://" in place


def join(place: str, name: str) -> str:
    """Return the path of what has a name, with slashes, in a folder."""
    return f"{place.rstrip('/')}/{name}"


def listed(place: str) -> dict[str, tuple[int, float]]:
    """List all files of a folder and those inside, hidden ones too.

    Returns:
        {name with slashes, sorted: (bytes, second when it was written)}; none where
        there is no such folder.

    Raises:
        InputError: Its file system is not known, or says no.
    """
    if not is_url(place):
        found = {}
        for inside, _, names in os.walk(place):
            for path in (pathlib.Path(inside, name) for name in names):
                with contextlib.suppress(FileNotFoundError):  # it was there
                    stat = path.stat()
                    name = path.relative_to(place).as_posix()
                    found[name] = stat.st_size, stat.st_mtime
        return dict(sorted(found.items()))
    systems = _systems()
    try:
        (match,) = systems.match([join(place, "**")])
    except (OSError, ValueError) as error:
        raise InputError(f"{place}: cannot be listed ({error})") from error
    start = len(join(place, ""))
    return {
        one.path[start:]: (one.size_in_bytes, one.last_updated_in_seconds)
        for one in sorted(match.metadata_list, key=lambda one: one.path)
    }


def exists(path: str) -> bool:
    """Whether there is such a file."""
    return _systems().exists(path)


def opened(path: str) -> typing.BinaryIO:
    """Open a file to read bytes of it, anywhere in it."""
    from apache_beam.io.filesystem import CompressionTypes

    uncompressed = CompressionTypes.UNCOMPRESSED
    return _systems().open(path, compression_type=uncompressed)


@contextlib.contextmanager
def fetched(path: str) -> Iterator[pathlib.Path]:
    """Give a file as one of this machine: itself, or a copy for the time of the block.

    Yields:
        pathlib.Path of the same suffix.
    """
    if not is_url(path):
        yield pathlib.Path(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder, path.rpartition("/")[2])
        with opened(path) as source, open(copy, "wb") as target:
            shutil.copyfileobj(source, target, 2**20)
        yield copy


@contextlib.contextmanager
def making(path: str, scratch: str) -> Iterator[pathlib.Path]:
    """Give a file to write, which is put at `path` when the block ends well.

    Args:
        path: Of the file to make; what is there is replaced.
        scratch: Folder on the same disk or in the same bucket. Only there something is
            left where the process is killed, of a name that begins with UNFINISHED.

    Yields:
        pathlib.Path of the same suffix; nothing is there yet.
    """
    name = f"{UNFINISHED}{secrets.token_hex(8)}{pathlib.PurePath(path).suffix}"
    partial, systems = join(scratch, name), _systems()
    with contextlib.ExitStack() as stack:
        stack.callback(remove, [partial])  # after the renaming nothing is there
        if is_url(scratch):
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            made = pathlib.Path(folder, name)
        else:
            made = pathlib.Path(partial)
        make_folder(path.rpartition("/")[0])
        yield made
        if is_url(scratch):
            with open(made, "rb") as source, _created(partial) as target:
                shutil.copyfileobj(source, target, 2**20)
        else:
            files.sync(made)
        systems.rename([partial], [path])


def make_folder(place: str) -> None:
    """Make a folder, where there are such and it is not there yet.

    Raises:
        InputError: It cannot be made.
    """
    if is_url(place):
        try:
            _systems().mkdirs(place)
        except OSError:  # it is there, or the first file will tell
            pass
        except ValueError as error:
            raise InputError(f"{place}: cannot be written ({error})") from error
        return
    with files.writing(place, "give another folder"):
        os.makedirs(place, exist_ok=True)


def remove(paths: Iterable[str]) -> None:
    """Remove the files that are there."""
    for path in paths:
        with contextlib.suppress(OSError):
            _systems().delete([path])


def _created(path):
    from apache_beam.io.filesystem import CompressionTypes

    uncompressed = CompressionTypes.UNCOMPRESSED
    return _systems().create(path, compression_type=uncompressed)


def _systems():
    from apache_beam.io.filesystems import FileSystems

    return FileSystems
