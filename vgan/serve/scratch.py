"""The one folder that the server writes to; it goes when the server goes."""

import contextlib
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from vgan import InputError, files

PREFIX = "vgan-serve-"


@contextlib.contextmanager
def folder() -> Iterator[pathlib.Path]:
    """Make the folder, readable by this user alone; remove it at the end.

    What servers left that were killed is removed first: their folders hold a lock that
    the system has let go of.

    Yields:
        pathlib.Path in the system's folder for temporary files.
    """
    remove_leftovers()
    path = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        with files.locked(path, f"{path}: another server holds it; start again"):
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def remove_leftovers() -> None:
    """Remove the folders of this user's servers that are dead."""
    for path in pathlib.Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # Another user's cannot be opened; one without a lock is just being made.
        with contextlib.suppress(InputError, OSError):
            if path.is_symlink() or not (path / files.LOCK).is_file():
                continue
            with files.locked(path, "is in use"):
                shutil.rmtree(path, ignore_errors=True)
