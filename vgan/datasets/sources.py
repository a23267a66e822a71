"""Where clips come from: rendered ones, folders, data sets, mixtures of them.

A source answers `clip(rng, length)` with a motion.Clip, the same for the same state
of `rng`, whatever was asked before.
"""

import functools
import logging
import typing
from collections.abc import Sequence

import cv2
import numpy as np

from vgan import InputError
from vgan.datasets import stills, synthetic
from vgan.datasets.palettes import YIQ
from vgan.datasets.spec import ClipSpec

if typing.TYPE_CHECKING:
    import tensorflow_datasets as tfds

    from vgan.datasets import motion


_log = logging.getLogger("vgan.datasets")

SPLITS = ("train", "validation")
PAINTINGS = 40  # per style; each is painted once and kept


class Scenes:
    """Rendered scenes, with exact flow; the splits share no seed."""

    def __init__(self, split: str, size: int) -> None:
        self.split = SPLITS.index(split)
        self.size = size

    def clip(self, rng: np.random.Generator, length: int) -> "motion.Clip":
        """Return a motion.Clip of `length` frames."""
        seed = [self.split, int(rng.integers(2**62))]
        return synthetic.scene(seed, length, self.size, self.size)


class Paintings:
    """Windows over procedural paintings; the splits share no painting."""

    def __init__(self, split: str, size: int) -> None:
        self.training = split == "train"
        self.size = size

    def clip(self, rng: np.random.Generator, length: int) -> "motion.Clip":
        """Return a motion.Clip of `length` frames."""
        name = synthetic.STYLES[rng.integers(len(synthetic.STYLES))]
        seed = int(rng.integers(PAINTINGS)) + (0 if self.training else PAINTINGS)
        picture = _painting(name, seed, self.size * 3 // 2)
        return stills.clip_of_still(picture, rng, length, self.size, self.training)


@functools.lru_cache(maxsize=len(synthetic.STYLES) * PAINTINGS)
def _painting(name, seed, size):
    return synthetic.painting(name, seed, size)


class Mixture:
    """Several sources, each drawn as often as its weight says."""

    def __init__(self, sources: Sequence[typing.Any], weights: Sequence[float]) -> None:
        self.sources = sources
        self.weights = np.array(weights, float) / np.sum(weights)

    def clip(self, rng: np.random.Generator, length: int) -> "motion.Clip":
        """Return a motion.Clip of `length` frames."""
        source = self.sources[rng.choice(len(self.sources), p=self.weights)]
        return source.clip(rng, length)


class Flipped:
    """Another source's clips, half of them mirrored."""

    def __init__(self, source: typing.Any) -> None:
        self.source = source

    def clip(self, rng: np.random.Generator, length: int) -> "motion.Clip":
        """Return a motion.Clip of `length` frames."""
        mirror = rng.random() < 0.5
        clip = self.source.clip(rng, length)
        return clip.mirrored() if mirror else clip


class Recolored:
    """A source's clips, part of them in other colors: hues turned, more or less pure.

    Few paintings are many styles that way; light and dark stay.
    """

    def __init__(self, source: typing.Any, part: float) -> None:
        self.source = source
        self.part = part

    def clip(self, rng: np.random.Generator, length: int) -> "motion.Clip":
        """Return a motion.Clip of `length` frames."""
        drawn, turn, purity = rng.random(), rng.uniform(-np.pi, np.pi), rng.random()
        clip = self.source.clip(rng, length)
        if drawn >= self.part:
            return clip
        colors = _color_matrix(turn, 0.5 + purity)
        frames = np.clip(clip.frames @ colors.T, 0, 255)
        return clip._replace(frames=np.rint(frames).astype(np.uint8))


class Noisy:
    """A source's clips with a camera's noise, new in each frame.

    Grain of 1 to 4 pixels; how much differs from clip to clip. What looks still never
    quite is: a network must learn not to paint that.
    """

    def __init__(self, source: typing.Any, most: float) -> None:
        self.source = source
        self.most = most

    def clip(self, rng: np.random.Generator, length: int) -> "motion.Clip":
        """Return a motion.Clip of `length` frames."""
        std, grain = rng.uniform(0, self.most), rng.integers(1, 5)
        clip = self.source.clip(rng, length)
        height, width = clip.frames.shape[1:3]
        size = length, -(-height // grain), -(-width // grain), 3
        noise = std * rng.standard_normal(size, np.float32)
        noise = [cv2.resize(frame, (width, height)) for frame in noise]
        frames = np.clip(clip.frames + np.stack(noise), 0, 255)
        return clip._replace(frames=np.rint(frames).astype(np.uint8))


def _color_matrix(turn, purity):
    """[3, 3] for RGB: chroma is turned by an angle and multiplied; luma is kept."""
    x, y = purity * np.cos(turn), purity * np.sin(turn)
    turned = np.array([[1, 0, 0], [0, x, -y], [0, y, x]])
    return (np.linalg.inv(YIQ) @ turned @ YIQ).astype(np.float32)


def open_source(role: str, split: str, spec: ClipSpec) -> typing.Any:
    """Open what an experiment names as a source.

    Args:
        role: "content" or "style", a field of `spec`: a folder, "synthetic", a set
            that vgan.prepare has made, "tfds:NAME", or {source: weight}.
        split: "train" or "validation".
        spec: A ClipSpec. With `target`, content comes as pairs.

    Raises:
        InputError: A folder is missing or has no usable file, a data set is damaged
            or unknown, a weight is not positive, or content that is no folder of files
            should have a target.
    """
    weights = weights_of(role, spec)
    opened = [_open(name, role, split, spec) for name in weights]
    source = opened[0]
    if len(opened) > 1:
        source = Mixture(opened, list(weights.values()))
    if split == "train" and role == "style" and spec.style_hues:
        source = Recolored(source, spec.style_hues)
    if split == "train" and role == "content" and spec.noise and not spec.target:
        source = Noisy(source, spec.noise)
    return Flipped(source) if spec.flip and split == "train" else source


def weights_of(role: str, spec: ClipSpec) -> dict[str, float]:
    """Return {source: weight} of what an experiment names, checked.

    Args:
        role: "content" or "style".
        spec: A ClipSpec.

    Raises:
        InputError: No source is named, or a weight is not positive.
    """
    weights = spec.sources(role)
    if not weights or not all(name.strip() for name in weights):
        raise InputError(f"{role}: is empty; name a folder, or 'synthetic'")
    for name, weight in weights.items():
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not (number and 0 < weight < float("inf")):
            raise InputError(
                f"{role}: the weight of {name!r} is {weight!r}; "
                "use a number above 0, or leave the source out"
            )
    return weights


def _open(name, role, split, spec):
    rendered = Scenes if role == "content" else Paintings
    paired = role == "content" and spec.target
    if name == "synthetic":
        if paired:
            raise InputError(
                "target: rendered content has no stylized form; make content "
                "a folder of videos or images"
            )
        return rendered(split, spec.image_size)
    # Only files need decoders: rendered clips do without them.
    from vgan.datasets.folders import Folder
    from vgan.datasets.pairs import Pairs

    builder = find_builder(name, role)
    if builder is None:
        folder = (Pairs if paired else Folder)(name, role, split, spec)
        return folder if folder.files else rendered(split, spec.image_size)
    if paired:
        raise InputError(
            f"target: {name} has no stylized form; make content a folder of "
            "videos or images"
        )
    from vgan.datasets import catalog, prepared

    if builder.name != "video_clips":
        return catalog.Videos(builder, role, split, spec)
    if split == "validation" and split not in builder.info.splits:
        _log.warning(
            "%s: %s was made of one file, and it is trained on; validation uses "
            "the synthetic source",
            *(role, name),
        )
        return rendered(split, spec.image_size)
    return prepared.Prepared(builder, role, split, spec)


def find_builder(name: str, role: str) -> "tfds.core.DatasetBuilder | None":
    """Return the tfds builder of a source; None if it is a folder of files.

    Args:
        name: A folder, or "tfds:NAME".
        role: "content" or "style", for messages.

    Raises:
        InputError: The data set is unknown, damaged, or cannot be downloaded.
    """
    from vgan.datasets import catalog, prepared

    if name.startswith(catalog.PREFIX):
        return catalog.open_builder(name.removeprefix(catalog.PREFIX), role)
    return prepared.open_builder(name)
