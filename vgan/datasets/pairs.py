"""Videos and pictures beside their stylized form, from two folders."""

import logging
import pathlib
import typing

import numpy as np

from vgan import InputError, video
from vgan.datasets import motion, stills, videos
from vgan.datasets.folders import Folder, expanded, find_files, is_video
from vgan.datasets.spec import ClipSpec
from vgan.video.resizing import resize

_log = logging.getLogger("vgan")

ALIKE = 0.02  # how far shapes and lengths of the two may differ


class Pair(typing.NamedTuple):
    """A clip and its stylized form.

    Attributes:
        clip: A motion.Clip of the content.
        target: uint8 [T, H, W, 3], its frames in their stylized form.
        style: uint8 [T', H, W, 3], another clip of the stylized file, or None.
    """

    clip: motion.Clip
    target: np.ndarray
    style: np.ndarray | None = None

    def mirrored(self) -> typing.Self:
        """All of it flipped left to right."""
        style = None if self.style is None else self.style[:, :, ::-1]
        return Pair(self.clip.mirrored(), self.target[:, :, ::-1], style)


class Pairs(Folder):
    """Clips of content files whose stylized form `target` holds.

    The two files have the same path below their folders, but for the suffix; videos go
    with videos, pictures with pictures. A folder's only pair is used for both splits.
    """

    takes_file = False

    def find(self, role: str) -> list[pathlib.Path]:
        """Return the content files that have a partner; a line tells of the others."""
        root = expanded(self.spec.target)
        if root.exists() and self.path.exists() and root.samefile(self.path):
            raise InputError(
                f"target: {root} is the folder of the content itself; name the "
                "folder of its stylized form"
            )
        targets = {}
        for file in find_files(root, "target"):
            targets.setdefault(_key(file, root), []).append(file)
        self._partners, found = {}, find_files(self.path, role)
        for file in found:
            alike = targets.get(_key(file, self.path), [])
            same = [t for t in alike if t.suffix == file.suffix]
            if alike:
                self._partners[file] = (same or alike)[0]
        missing = len(found) - len(self._partners)
        if not self._partners:
            raise InputError(
                f"target: {root}: has no file of the same name as any in "
                f"{self.path}; name the stylized form of a/b.mp4 a/b.mp4 too"
            )
        if missing:
            _log.warning(
                "target: %d of %d files of %s are left out, as %s has no file of "
                "their name",
                missing,
                len(found),
                self.path,
                root,
            )
        return list(self._partners)

    def do_without_validation(self, role: str) -> None:
        """Validate on the only pair: rendered clips have no target."""
        self.files = list(self._partners)
        self.files = [file for file in self.files if file not in self._broken]
        _log.warning(
            "%s: %s has only one usable pair; it is trained on, and validation "
            "uses it too",
            role,
            self.path,
        )

    def cut(self, file: pathlib.Path, rng: np.random.Generator, length: int) -> Pair:
        """Return a Pair; it has a style if styles come from targets.

        Raises:
            InputError: One of the two files is broken, or they do not fit.
        """
        spec, target = self.spec, self._partners[file]
        cut = self._cut_videos if is_video(file) else self._cut_pictures
        pair = cut(file, target, rng, length)
        if not styled_by_target(spec):
            return pair
        style_rng = rng.spawn(1)[0]
        if is_video(target):
            style = videos.clip_of_video(
                target,
                style_rng,
                spec.style_length,
                spec.image_size,
                spec.fps,
                self.training,
            )
        else:
            style = stills.clip_of_still(
                video.read_image(target),
                style_rng,
                spec.style_length,
                spec.image_size,
                self.training,
                name=target,
            )
        return pair._replace(style=style.frames)

    def _cut_videos(self, file, target, rng, length):
        spec = self.spec
        *shape, seconds = videos.measures(file)
        *target_shape, target_seconds = videos.measures(target)
        _check_shapes(file, shape, target, target_shape)
        apart = abs(seconds - target_seconds)
        if seconds and target_seconds and apart > max(1 / spec.fps, ALIKE * seconds):
            raise InputError(
                f"{target}: lasts {target_seconds:.2f} s, and {file} "
                f"{seconds:.2f} s; a pair must be equally long"
            )
        frames, stylized = videos.cut(
            [file, target], rng, length, spec.image_size, spec.fps, self.training
        )
        return Pair(videos.with_flow(frames, self.estimate_flow), stylized)

    def _cut_pictures(self, file, target, rng, length):
        pictures = [video.read_image(each) for each in (file, target)]
        height, width = pictures[0].shape[:2]
        _check_shapes(file, (height, width), target, pictures[1].shape[:2])
        # The window depends on the size in pixels; the same seed moves it alike.
        pictures[1] = resize(pictures[1], height, width)
        seed = int(rng.integers(2**62))
        clip, stylized = (
            stills.clip_of_still(
                picture,
                np.random.default_rng(seed),
                length,
                self.spec.image_size,
                self.training,
                name=file,
            )
            for picture in pictures
        )
        return Pair(clip, stylized.frames)


def styled_by_target(spec: ClipSpec) -> bool:
    """Whether each clip's style is its own target's: one folder is named for both."""
    named = bool(spec.target) and isinstance(spec.style, str)
    return named and pathlib.Path(spec.style) == pathlib.Path(spec.target)


def _key(file, root):
    return file.relative_to(root).with_suffix(""), is_video(file)


def _check_shapes(file, shape, target, target_shape):
    (height, width), (rows, columns) = shape, target_shape
    if abs(columns * height / (rows * width) - 1) > ALIKE:
        raise InputError(
            f"{target}: {columns}x{rows} pixels, and {file} {width}x{height}; a pair "
            "must have one shape, in any size"
        )
