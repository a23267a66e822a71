"""What was found in one source: a part, which holds its clips, and its facts.

A part is a ZIP file without compression: `clips.json`, the list of clips in order,
and `00012/003.jpg`, frame 3 of clip 12. The same clips give the same bytes.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import typing
import zipfile
from collections.abc import Iterable

from vgan.prepare.inputs import Source
from vgan.prepare.settings import Settings

VERSION = 2  # of what is found in a file: grows with each change of the scan


def places(folder: pathlib.Path, name: str) -> tuple[pathlib.Path, pathlib.Path]:
    """Return the paths of the part and of the facts of the source called `name`."""
    digest = hashlib.blake2b(name.encode(), digest_size=12).hexdigest()
    folder = pathlib.Path(folder)
    return folder / f"{digest}.zip", folder / f"{digest}.json"


def stamp(source: Source, settings: Settings) -> list:
    """Return what a part was made from: the same stamp, the same part.

    Raises:
        OSError: The file is not there.
    """
    stat = os.stat(source.path)
    said = [source.name, source.label, source.license, source.provenance]
    made = json.dumps([VERSION, settings.of_scan(), said], sort_keys=True)
    digest = hashlib.blake2b(made.encode(), digest_size=12).hexdigest()
    return [stat.st_size, stat.st_mtime_ns, digest]


def read_json(path: str | pathlib.Path) -> typing.Any:
    """Return what a JSON file holds; None if there is none, or if it is damaged."""
    try:
        return json.loads(pathlib.Path(path).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


@dataclasses.dataclass
class Part:
    """Writes a part, which is whole when its `with` block has ended well.

    Args:
        file: Path, or file object, to write to.
    """

    file: object

    def __post_init__(self) -> None:
        self.clips = []
        self._zip = zipfile.ZipFile(self.file, "w", zipfile.ZIP_STORED)

    def add(self, clip: dict[str, typing.Any], frames: Iterable[bytes]) -> None:
        """Add a clip.

        Args:
            clip: {"key", "source", "start" in seconds, "fps", "label", "licence",
                "shot", "frames", "height", "width"}.
            frames: The frames, bytes of JPEG files.
        """
        for t, frame in enumerate(frames):
            self._write(f"{len(self.clips):05d}/{t:03d}.jpg", frame)
        self.clips.append(clip)

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
            return
        with contextlib.suppress(OSError):  # the disk that was full still is
            self._zip.close()

    def close(self) -> None:
        """End the file."""
        try:
            self._write("clips.json", json.dumps(self.clips, sort_keys=True).encode())
        finally:
            self._zip.close()

    def _write(self, name, data):
        # A ZipInfo as it comes has the date 1980-01-01.
        self._zip.writestr(zipfile.ZipInfo(name), data)
