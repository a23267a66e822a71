"""The styles that a trained generator keeps by name."""

import dataclasses
import itertools

import numpy as np

from vgan.datasets import folders, stills, synthetic
from vgan.datasets.catalog import Videos
from vgan.datasets.prepared import Prepared, decode
from vgan.datasets.sources import find_builder
from vgan.datasets.spec import ClipSpec

MOST = 24  # of one folder; any other picture is a style too, by its path
PICTURES = 15  # of one style


def named_styles(spec: ClipSpec) -> dict[str, np.ndarray]:
    """Return the styles that deserve a name.

    Args:
        spec: A ClipSpec; its `style`, `image_size` and `style_size` count.

    Returns:
        {name: float32 [N, S, S, 3] in [-1, 1]}: the procedural styles by their kind,
        the pictures of a sub-folder, N of them, by its name, files beside it by theirs
        without suffix; those of a prepared set by their labels.
    """
    whole = dataclasses.replace(spec, image_size=spec.style_size or spec.image_size)
    styles = {}
    for source in spec.sources("style"):
        if source == "synthetic":
            styles |= {
                name: _painting(name, seed, spec.image_size)
                for seed, name in enumerate(synthetic.STYLES)
            }
            continue
        builder = find_builder(source, "style")
        found = _of_folder if builder is None else _of_builder
        styles |= found(source if builder is None else builder, whole)
    return {
        name: frames.astype(np.float32) / 127.5 - 1 for name, frames in styles.items()
    }


def _painting(name, seed, size):
    picture = synthetic.painting(name, seed, size * 3 // 2)
    return _still(picture, size)


def _still(picture, size):
    """The middle of a picture, as uint8 [1, size, size, 3]."""
    rng = np.random.default_rng(0)
    return stills.clip_of_still(picture, rng, 1, size, training=False).frames


def _of_folder(path, spec):
    folder = folders.Folder(path, "style", "train", spec)
    named = {}
    names = folders.styles_of(folder.files, folder.path)
    for file in folder.files:
        named.setdefault(names[file] if names else file.stem, []).append(file)
    styles = {}
    for name, files in itertools.islice(named.items(), MOST):
        chosen = files[:: -(-len(files) // PICTURES)]
        clips = [folder.read(file, np.random.default_rng(0), 1) for file in chosen]
        frames = [clip.frames for clip in clips if clip is not None]
        if frames:
            styles[name] = np.concatenate(frames)
    return styles


def _of_builder(builder, spec):
    kind = Prepared if builder.name == "video_clips" else Videos
    named = {}
    for name, file in kind(builder, "style", "train", spec).first_frames():
        if name in named or len(named) < MOST:
            files = named.setdefault(name, [])
            files += [file] if len(files) < PICTURES else []
    return {
        name: np.concatenate(
            [_still(decode([file], name)[0], spec.image_size) for file in files]
        )
        for name, files in named.items()
    }
