"""The data sets of tensorflow-datasets as sources, by name: "tfds:davis/480p".

Those with videos (davis, ucf101, youtube_vis, tao, moving_mnist and more) give clips;
those with pictures (dtd and more) give clips by a moving window. What is not prepared
yet is downloaded by tensorflow-datasets, to where TFDS_DATA_DIR says.
"""

import logging
import re
import socket
import typing
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping

import numpy as np

from vgan import InputError
from vgan.datasets import prepared, stills, videos
from vgan.datasets.records import open_records
from vgan.datasets.spec import ClipSpec

if typing.TYPE_CHECKING:
    import tensorflow_datasets as tfds

    from vgan.datasets import motion


_log = logging.getLogger("vgan.datasets")

PREFIX = "tfds:"
CATALOG = "https://www.tensorflow.org/datasets/catalog"
# Frames per second as published; frames of other sets are taken one by one.
FPS = {"davis": 24, "ucf101": 25, "youtube_vis": 30, "tao": 30}


class Videos:
    """Clips out of one split of a data set, cut where a video of it is not.

    Args:
        builder: A tfds DatasetBuilder, prepared.
        role: "content" or "style".
        split: "train" or "validation". A set without a split of that kind is divided:
            its last examples, of a fraction `validation`, are for validation.
        spec: A ClipSpec.

    Raises:
        InputError: No feature of it is a video or a picture, it has one example only,
            or it is damaged.
    """

    def __init__(
        self, builder: "tfds.core.DatasetBuilder", role: str, split: str, spec: ClipSpec
    ) -> None:
        self.name = builder.info.full_name
        self.key = find_pictures(builder.info.features)
        if self.key is None:
            raise InputError(
                f"{role}: {PREFIX}{self.name}: none of its features is a video or "
                f"a picture ({', '.join(builder.info.features)}); name another"
            )
        self.features = builder.info.features
        self.fps = FPS.get(builder.name)
        self.spec = spec
        self.training = split == "train"
        self.scaled_to = spec.style_size if role == "style" else 0
        self.estimate_flow = spec.estimate_flow and role == "content"
        self.records = open_records(builder, part_of(builder, split, spec.validation))
        self._read(0)  # damage is told before training

    def clip(self, rng: np.random.Generator, length: int) -> "motion.Clip":
        """Return a motion.Clip of `length` frames.

        Raises:
            InputError: A shard is damaged.
        """
        index = int(rng.integers(len(self.records)))
        files, name = self._read(index)[self.key], f"example {index} of {self.name}"
        size, training = self.spec.image_size, self.training
        if len(files) == 1:
            (picture,) = prepared.decode(files, name)
            return stills.clip_of_still(
                *(picture, rng, length, size, training),
                name=name,
                scaled_to=self.scaled_to,
            )
        step = self.fps / self.spec.fps if self.fps else 1.0
        last = max(0.0, len(files) - 1 - (length - 1) * step)
        moments = np.rint(np.arange(rng.uniform(0, last), len(files) - 0.5, step))
        seed = int(rng.integers(2**62))

        def frames():
            for moment in moments.astype(int):
                frame, same = prepared.decode([files[moment]], name), (size, training)
                window = np.random.default_rng(seed)  # the same one of each frame
                yield prepared.square(frame, window, *same, name)

        scene = np.concatenate(videos.longest_scene(frames(), length))
        order = np.pad(np.arange(len(scene)), (0, length - len(scene)), "reflect")
        return videos.with_flow(scene[order], self.estimate_flow)

    def first_frames(self) -> Iterator[tuple[str, bytes]]:
        """Yield (label, JPEG or PNG file) of each example; without one, its number."""
        for index in range(len(self.records)):
            values = self._read(index)
            label = f"{self.name.partition('/')[0]}_{index}"
            if values.get("label") and hasattr(self.features["label"], "int2str"):
                label = self.features["label"].int2str(values["label"][0])
            yield label, values[self.key][0]

    def _read(self, index):
        values = prepared.parse(self.records[index], self.name)
        if not values.get(self.key):
            raise InputError(f"{PREFIX}{self.name}: example {index} has no pictures")
        return values


def open_builder(name: str, role: str) -> "tfds.core.DatasetBuilder":
    """Return the builder of a data set, prepared; if need be it is downloaded.

    Args:
        name: As "davis/480p", or "video_clips/mine".
        role: "content" or "style", for messages.

    Raises:
        InputError: It is unknown, or cannot be downloaded.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    from vgan.datasets.builder import quiet

    said = f"{role}: {PREFIX}{name}"
    said = said if name else f"{role}: {PREFIX.removesuffix(':')}"
    if not re.fullmatch(r"\w+(/[\w.-]+)?(:[\d.*]+)?", name, re.ASCII):
        raise InputError(
            f"{said}: is no name of a data set; give one such as "
            f"{PREFIX}davis/480p, or {PREFIX}davis:2.1.0; see {CATALOG}"
        )
    try:
        with quiet():
            builder = tfds.builder(name)
    except InputError as error:  # of video_clips itself
        raise InputError(f"{said}: {_reason(error)}") from error
    except tfds.core.DatasetNotFoundError as error:
        raise InputError(
            f"{said}: tensorflow-datasets knows no such data set; see {CATALOG}"
        ) from error
    except AssertionError as error:  # of a version
        raise InputError(f"{said}: {_reason(error)}") from error
    except (ValueError, RuntimeError) as error:
        name, known = re.split("[/:]", name)[0], {}
        if name in tfds.list_builders():
            known = tfds.builder_cls(name).builder_configs
        raise InputError(
            f"{said}: no such variant; known: {', '.join(known) or 'none'}"
        ) from error
    except (ImportError, tf.errors.OpError) as error:  # of what it is made from
        text = str(error).strip().splitlines()[0]
        raise InputError(f"{said}: cannot be opened ({text}); name another") from error
    if not builder.is_prepared():
        _download(builder, said)
    return builder


def _reason(error):
    """What an error says, without what tfds puts before it."""
    return str(error).rpartition('": ')[-1]


def _download(builder, said):
    if builder.name == "video_clips":
        raise InputError(
            f"{said}: is not prepared in {builder.data_dir_root}; give the folder that "
            "vgan.prepare made, as data/mine, or run python -m vgan.prepare"
        )
    sizes = {url: info.size for url, info in (builder.url_infos or {}).items()}
    size = sum(size or 0 for size in sizes.values())
    much = f"up to {size / 1e9:.1f} GB" if size else "an unknown amount"
    _log.warning(
        "%s: is not here yet; downloading %s to %s", said, much, builder.data_dir
    )
    by_hand = builder.MANUAL_DOWNLOAD_INSTRUCTIONS
    # Where no address is on record, the set's own page stands for it.
    _check_network(sizes or ([] if by_hand else [builder.info.homepage]), said)
    try:
        builder.download_and_prepare()
    except Exception as error:
        text = str(error).split("Instructions:")[-1].strip().splitlines()[0]
        raise InputError(
            f"{said}: cannot be prepared ({type(error).__name__}: {text}); see "
            f"{CATALOG}/{builder.name}"
        ) from error


def _check_network(urls, said):
    """Without a network tfds would try again for minutes."""
    hosts = {urllib.parse.urlsplit(url).hostname for url in urls}
    hosts -= {None, urllib.parse.urlsplit(CATALOG).hostname}
    if urllib.request.getproxies():
        return
    for host in sorted(hosts):
        try:
            socket.getaddrinfo(host, 443)
        except OSError as error:
            raise InputError(
                f"{said}: cannot be downloaded, as {host} is not found ({error}); "
                "is there a network?"
            ) from error


def part_of(builder: "tfds.core.DatasetBuilder", split: str, fraction: float) -> str:
    """The split, or part of one, that serves as `split`."""
    splits = builder.info.splits
    train = "train" if "train" in splits else next(iter(splits))
    others = [name for name in ("validation", "val", "test") if name in splits]
    others = [name for name in others if name != train]
    if others:
        return train if split == "train" else others[0]
    count = splits[train].num_examples
    if count < 2:
        raise InputError(f"{PREFIX}{builder.info.full_name}: has one example only")
    first = count - min(max(1, round(count * fraction)), count - 1)
    return f"{train}[:{first}]" if split == "train" else f"{train}[{first}:]"


def find_pictures(features: Mapping[str, typing.Any]) -> str | None:
    """Return the name, as "video/frames", of the feature to make clips of, or None.

    Videos come before pictures, colors before gray ones, maps of what is where last.
    """
    import tensorflow_datasets as tfds

    found = []

    def look(feature, path, depth):
        if isinstance(feature, tfds.features.FeaturesDict):
            for name in feature:
                look(feature[name], [*path, name], depth)
        elif isinstance(feature, tfds.features.Sequence):
            look(feature.feature, path, depth + 1)
        elif isinstance(feature, tfds.features.Image) and depth < 2:
            gray = feature.shape[-1] == 1
            if feature.np_dtype == np.uint8 and feature.shape[-1] in (1, 3, None):
                found.append((-depth, gray, len(found), "/".join(path)))

    look(features, [], 0)
    return min(found)[-1] if found else None
