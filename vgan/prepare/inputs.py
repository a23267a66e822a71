"""The files that a set is made from, each with a name of its own."""

import dataclasses
import itertools
import os
import pathlib
import typing
from collections.abc import Iterable

from vgan import InputError, video
from vgan.datasets.folders import expanded, find_files
from vgan.files import visible

if typing.TYPE_CHECKING:
    from vgan.prepare.provenance import Rows


SUFFIXES = {*video.VIDEO_SUFFIXES, *video.IMAGE_SUFFIXES}


@dataclasses.dataclass(frozen=True)
class Source:
    """A video or a photo, and what the user says of it.

    Attributes:
        path: Where it is, absolute.
        name: Its path below the input, with "/"; unlike all others, valid UTF-8.
        below: Its path below the input, for people.
        label: What it shows, or the name of its style; may be empty.
        license: May be empty.
        provenance: {column: text} of the other columns of the user's list.
    """

    path: str
    name: str
    below: str
    label: str = ""
    license: str = ""
    provenance: dict = dataclasses.field(default_factory=dict)


def find(
    inputs: Iterable[str | pathlib.Path], role: str, rows: "Rows | None" = None
) -> list[Source]:
    """Find all videos and photos.

    Args:
        inputs: Folders, searched with all inside, or single files.
        role: "content" or "style".
        rows: A `provenance.Rows`, or None.

    Returns:
        List of Source, sorted by name. A file that is found twice counts once.

    Raises:
        InputError: An input does not exist, or has no video and no photo.
    """
    if not inputs:
        raise InputError("input: is missing; give a folder of videos and photos")
    found = []
    for root in map(expanded, inputs):
        if root.is_file():
            files, root = [root], root.parent
        else:
            files = _files(root)
        found += [(root, file) for file in files]
    sources, names, seen = [], set(), set()
    for root, file in found:
        real = os.path.realpath(file)
        if real in seen:
            continue
        seen.add(real)
        below = file.relative_to(root).as_posix()
        name = _unlike(_text(below), _text(root.resolve().name), names)
        names.add(name)
        sources.append(Source(os.path.abspath(file), name, _text(below)))
    if rows is not None:
        sources = rows.joined(sources)
    if role == "style":
        sources = [_named_style(source) for source in sources]
    return sorted(sources, key=lambda source: source.name)


def others(inputs: Iterable[str | pathlib.Path]) -> list[str]:
    """Return the names of files in the inputs that look like no video and no photo."""
    files = itertools.chain(*(visible(expanded(root)) for root in inputs))
    return sorted(_text(f.name) for f in files if f.suffix.lower() not in SUFFIXES)


def _files(root):
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "there is no such folder"
        raise InputError(f"input={root}: {what}; give a folder of videos and photos")
    try:
        return find_files(root, "content")
    except InputError as error:
        raise InputError(
            f"input={root}: has no video and no photo in it; give another folder"
        ) from error


def _text(name):
    """A name that is not UTF-8 cannot be stored in a set: its odd bytes are spelt."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _unlike(name, folder, names):
    """`name` if it is free; else below its input's own name, numbered if need be."""
    numbered = (f"{folder}~{n}/{name}" for n in itertools.count(2))
    candidates = itertools.chain((name, f"{folder}/{name}"), numbered)
    return next(candidate for candidate in candidates if candidate not in names)


def _named_style(source):
    """The first sub-folder is the style; without any, the list or the file says it."""
    below = pathlib.PurePosixPath(source.below)
    inside = len(below.parts) > 1
    label = below.parts[0] if inside else source.label or below.stem
    return dataclasses.replace(source, label=label)
