"""Files: written whole or not at all, held by one process, found in a folder."""

import contextlib
import errno
import json
import logging
import os
import pathlib
import re
import secrets
import shutil
import tempfile
import typing
from collections.abc import Collection, Iterator

from vgan import InputError

PARTIAL = ".partial_"  # begins the names of what a killed process was writing
LOCK = ".lock"
LONGEST_NAME = 255  # bytes, which the usual file systems have in common
_NO_LOCKS = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS)
_log = logging.getLogger("vgan")


@contextlib.contextmanager
def replacing(path: str | pathlib.Path) -> Iterator[pathlib.Path]:
    """Give a path to write to, which takes the place of `path` when the block ends.

    If the block raises, what it wrote is removed, and `path` stays as it was. Only a
    process that is killed leaves `.partial_<8 hex digits>_<name>` behind.

    Args:
        path: A file, or a folder, to make. What is there is replaced, also where it is
            a link; a file never replaces a folder.

    Yields:
        pathlib.Path beside it, of the same suffix. Nothing is there yet.

    Raises:
        OSError: It cannot be put there.
    """
    path = pathlib.Path(path)
    # Not the process's number: in a container it is always the same.
    partial = path.with_name(short_name(f"{PARTIAL}{secrets.token_hex(4)}_", path.name))
    try:
        yield partial
        if partial.is_dir() and path.is_dir():
            shutil.rmtree(path)
        os.replace(partial, path)
    finally:  # after the renaming nothing is there
        with contextlib.suppress(OSError):
            shutil.rmtree(partial) if partial.is_dir() else partial.unlink()


def short_name(start: str, middle: str, end: str = "") -> str:
    """Return a name of these parts; `middle` loses its first letters if need be.

    File systems take names of 255 bytes, and that of a result may well have as many.
    """
    while middle and len(os.fsencode(start + middle + end)) > LONGEST_NAME:
        middle = middle[1:]
    return start + middle + end


def write_bytes(path: str | pathlib.Path, data: bytes) -> None:
    """Write a file, whole or not at all; see `replacing`."""
    with replacing(path) as partial:
        partial.write_bytes(data)


def write_text(path: str | pathlib.Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all; what UTF-8 cannot hold is escaped."""
    write_bytes(path, _encoded(text))


def write_json(path: str | pathlib.Path, value: object, **options: typing.Any) -> None:
    """Write plain types as JSON, whole or not at all.

    Args:
        path: Of the file.
        value: What it shall hold.
        **options: Of json.dumps; by default, lines are indented by 1.
    """
    write_text(path, json.dumps(value, **{"indent": 1, **options}) + "\n")


def write_together(folder: str | pathlib.Path, texts: dict[str, str]) -> None:
    """Write several texts; none takes its place before all of them are written.

    Args:
        folder: Where; made if it is not there.
        texts: {name of the file: text}.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        for name, text in texts.items():
            partial = stack.enter_context(replacing(folder / name))
            partial.write_bytes(_encoded(text))


def _encoded(text):
    return text.encode("utf-8", "backslashreplace")


def sync(path: str | pathlib.Path) -> None:
    """Wait until a file or folder is on the disk, where a power cut finds it."""
    folder = os.path.isdir(path)
    if folder and os.name == "nt":  # which opens none
        return
    handle = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def writing(name: object, advice: str) -> Iterator[None]:
    """Tell in one line what keeps the block from writing.

    Args:
        name: What is written: a path, or a flag with it.
        advice: What to do.

    Raises:
        InputError: The block raised an OSError.
    """
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{name}: cannot be written ({error.strerror or error}); {advice}"
        ) from error


def check_writable(folder: str | pathlib.Path, name: object, advice: str) -> None:
    """Make sure that files can be made in a folder, before long work.

    Args:
        folder: It must be there.
        name: As in `writing`.
        advice: As in `writing`.

    Raises:
        InputError: They cannot.
    """
    with writing(name, advice), tempfile.TemporaryFile(dir=folder):
        pass


@contextlib.contextmanager
def locked(folder: str | pathlib.Path, told: str, name: str = LOCK) -> Iterator[None]:
    """Hold a folder, so that no other process, and no other block, does so as well.

    The system lets go of it when this process ends, however it does. Where the file
    system knows no locks, the log says so, and nobody is kept out.

    Args:
        folder: It must be there; meanwhile it holds the file `name`.
        told: The message if another one holds it.
        name: Of the file, where it stands for something else in the folder.

    Raises:
        InputError: Another one holds it.
        OSError: No file can be made in it.
    """
    path = pathlib.Path(folder, name)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            _lock(handle)
            # Who held it may have removed it since it was opened here.
            held = os.path.samestat(os.fstat(handle), os.stat(path))
        except (BlockingIOError, PermissionError, FileNotFoundError):
            held = False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            _log.warning("%s: no locks here; run nothing else on it", folder)
            held = True
        if not held:
            raise InputError(told)
        try:
            yield
        finally:
            _remove(path)  # while it is held, so that it is nobody else's
    finally:
        os.close(handle)
    if os.name == "nt":  # which removes no open file, this or another process's
        _remove(path)


def _lock(handle):
    try:
        import fcntl
    except ImportError:  # on Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove(path):
    with contextlib.suppress(OSError):
        path.unlink()


def find(
    folder: str | pathlib.Path, suffixes: Collection[str], natural: bool = False
) -> list[pathlib.Path]:
    """Find the files right in a folder that end so; hidden ones are not seen.

    Args:
        folder: Its path.
        suffixes: In lower case, as in (".jpg", ".png"); files may have any case.
        natural: Whether "10.png" comes after "9.png", and not before it.

    Returns:
        Sorted list of pathlib.Path.
    """
    files = [path for path in pathlib.Path(folder).iterdir() if path.is_file()]
    return sorted(
        (path for path in files if path.name[0] != "." and ends(path, suffixes)),
        key=_natural if natural else None,
    )


def find_below(
    folder: str | pathlib.Path, suffixes: Collection[str], links: bool = False
) -> list[pathlib.Path]:
    """Find the files in a folder and its sub-folders that end so, as `find` does.

    Args:
        folder: Its path.
        suffixes: As in `find`.
        links: Whether to look into sub-folders that are links, too.

    Returns:
        Sorted list of pathlib.Path.
    """
    return sorted(path for path in visible(folder, links) if ends(path, suffixes))


def visible(folder: str | pathlib.Path, links: bool = False) -> Iterator[pathlib.Path]:
    """Yield the paths of all files in a folder and its sub-folders but hidden ones."""
    seen = set()
    for place, inside, names in os.walk(folder, followlinks=links):
        real = os.path.realpath(place)
        if real in seen:  # links may go in circles
            inside.clear()
            continue
        seen.add(real)
        inside[:] = sorted(name for name in inside if name[0] != ".")
        yield from (pathlib.Path(place, name) for name in names if name[0] != ".")


def ends(path: str | pathlib.Path, suffixes: Collection[str]) -> bool:
    """Whether a path has one of these suffixes, in any case."""
    return pathlib.Path(path).suffix.lower() in suffixes


def _natural(path):
    return [int(t) if t.isdecimal() else t for t in re.split(r"(\d+)", path.name)]
