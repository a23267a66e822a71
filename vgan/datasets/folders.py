"""A folder of videos and still images as a source of clips."""

import hashlib
import logging
import os
import pathlib
import typing

import numpy as np

from vgan import InputError, video
from vgan.datasets import stills, videos
from vgan.datasets.spec import ClipSpec
from vgan.files import find_below

if typing.TYPE_CHECKING:
    from vgan.datasets import motion


_log = logging.getLogger("vgan.datasets")
_reported = set()  # what this process has already told


def _once(record):
    """Training opens a damaged file again and again; one line about it will do."""
    line = record.getMessage()
    return line not in _reported and not _reported.add(line)


_log.addFilter(_once)


class Folder:
    """Clips from the files of one split of a folder, searched with its subfolders.

    Attributes:
        files: Paths of the split's files; empty if the folder has but one usable
            file and that one is trained on.
    """

    takes_file = True

    def __init__(
        self, path: str | pathlib.Path, role: str, split: str, spec: ClipSpec
    ) -> None:
        """Find and split the files; make sure that at least one per split works.

        Args:
            path: The folder, or a single file, which is of both splits.
            role: "content" or "style", for messages.
            split: "train" or "validation".
            spec: A ClipSpec.

        Raises:
            InputError: There is no such folder, or no usable file in it.
        """
        self.path = expanded(path)
        self.spec = spec
        self.training = split == "train"
        self.scaled_to = spec.style_size if role == "style" else 0
        self.estimate_flow = spec.estimate_flow and role == "content"
        self._broken = {}
        single = self.takes_file and self.path.is_file() and _is_media(self.path)
        if single and role == "style":
            self.training = False  # all of the picture, always
        files = [self.path] if single else self.find(role)
        if single:
            self.path = self.path.parent
        while True:
            styles = styles_of(files, self.path) if role == "style" else None
            parts = files, files
            if not single:
                parts = split_files(files, self.path, spec.validation, styles)
            useless = [part for part in parts if part and not self._any_works(part)]
            if not useless:
                break
            files = [f for f in files if not any(f in part for part in useless)]
            if not files:
                self._give_up()
        self.files = parts[0] if self.training else parts[1]
        if not self.files:
            self.do_without_validation(role)

    def find(self, role: str) -> list[pathlib.Path]:
        """Return all files that clips may come from."""
        return find_files(self.path, role)

    def do_without_validation(self, role: str) -> None:
        """Say that the folder's only file is trained on."""
        _log.warning(
            "%s: %s has only one usable file, and it is trained on; "
            "validation uses the synthetic source",
            role,
            self.path,
        )

    def clip(self, rng: np.random.Generator, length: int) -> "motion.Clip":
        """Return a motion.Clip of `length` frames.

        The place of a broken file is taken by the next draw.

        Raises:
            InputError: Every file is broken.
        """
        while True:
            clip = self.read(*self.draw(rng), length)
            if clip is not None:
                return clip
            if all(file in self._broken for file in self.files):
                self._give_up()

    def draw(
        self, rng: np.random.Generator
    ) -> tuple[pathlib.Path, np.random.Generator]:
        """Draw a file, and the numpy Generator that decides what is taken of it."""
        file = self.files[rng.integers(len(self.files))]
        return file, rng.spawn(1)[0]

    def read(
        self, file: pathlib.Path, rng: np.random.Generator, length: int
    ) -> "motion.Clip | None":
        """Return a motion.Clip of one file; None, and a line, if it is broken."""
        if file in self._broken:
            return None
        try:
            return self.cut(file, rng, length)
        except InputError as error:
            self._broken[file] = str(error)
            _log.warning("skipped: %s", error)
            return None

    def cut(
        self, file: pathlib.Path, rng: np.random.Generator, length: int
    ) -> "motion.Clip":
        """Return a motion.Clip of one file.

        Raises:
            InputError: It is broken.
        """
        spec = self.spec
        if is_video(file):
            return videos.clip_of_video(
                file,
                rng,
                length,
                spec.image_size,
                spec.fps,
                self.training,
                self.estimate_flow,
            )
        return stills.clip_of_still(
            video.read_image(file),
            rng,
            length,
            spec.image_size,
            self.training,
            name=file,
            scaled_to=self.scaled_to,
        )

    def _any_works(self, files):
        rng = np.random.default_rng(0)
        return any(self.read(file, rng, self.spec.clip_length) for file in files)

    def _give_up(self):
        raise InputError(
            f"{self.path}: every file is unusable; "
            f"the first: {next(iter(self._broken.values()))}"
        )


def split_files(
    files: list[pathlib.Path],
    root: pathlib.Path,
    fraction: float,
    styles: dict[pathlib.Path, str] | None = None,
) -> tuple[list[pathlib.Path], list[pathlib.Path]]:
    """Divide files into (train, validation) by a hash of their path below `root`.

    A file stays on its side when others come or go, but for this: from two files on,
    each side has at least one. A single file is for training.

    Args:
        files: Paths.
        root: Their folder.
        fraction: Expected part of the files in validation.
        styles: {file: name of its style}, to keep one of each for training; or None.

    Returns:
        Two lists of paths, sorted.
    """

    def place(file):
        name = os.fsencode(file.relative_to(root).as_posix())
        digest = hashlib.blake2b(name, digest_size=8).digest()
        return int.from_bytes(digest) / 2**64

    ordered = sorted(files, key=lambda file: (place(file), file))
    count = sum(place(file) < fraction for file in files)
    count = min(max(count, 1), len(files) - 1) if len(files) > 1 else 0
    held, kept = ordered[:count], ordered[count:]
    if styles:
        trained = {styles[file] for file in kept}
        for file in reversed(ordered[:count]):
            if styles[file] not in trained:
                trained.add(styles[file])
                held.remove(file)
                kept.append(file)
    return sorted(kept), sorted(held)


def styles_of(
    files: list[pathlib.Path], root: pathlib.Path
) -> dict[pathlib.Path, str] | None:
    """{file: name of its style}: its sub-folder's, or its own; None without any.

    A folder without sub-folders is a heap of styles, which are not told apart.
    """
    below = {file: file.relative_to(root).parts for file in files}
    if all(len(parts) == 1 for parts in below.values()):
        return None
    return {
        file: parts[0] if len(parts) > 1 else file.stem for file, parts in below.items()
    }


def expanded(path: str | pathlib.Path) -> pathlib.Path:
    """Return a path of the user's, with ~ as the home folder.

    Raises:
        InputError: It is ~name, of nobody here.
    """
    try:
        return pathlib.Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(
            f"{path}: there is no user of that name; give another path"
        ) from error


def is_video(file: pathlib.Path) -> bool:
    """Whether a file's name says that it is a video, not a still picture."""
    return file.suffix.lower() in video.VIDEO_SUFFIXES


def _is_media(file):
    """Whether a file's name says that it is a video or a picture."""
    return is_video(file) or file.suffix.lower() in video.IMAGE_SUFFIXES


def find_files(root: pathlib.Path, role: str) -> list[pathlib.Path]:
    """Find all videos and images under a folder; hidden ones are not seen.

    Args:
        root: The folder.
        role: "content", "style" or "target", for messages.

    Returns:
        Paths, sorted.

    Raises:
        InputError: It is no folder, or has none of them.
    """
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "there is no such folder"
        raise InputError(
            f"{role}: {root}: {what}; give a folder of videos or images"
            + ("" if role == "target" else ", or 'synthetic'")
        )
    suffixes = {*video.VIDEO_SUFFIXES, *video.IMAGE_SUFFIXES}
    files = find_below(root, suffixes, links=True)
    if not files:
        raise InputError(
            f"{role}: {root}: has no video and no image ({' '.join(sorted(suffixes))})"
        )
    return files
