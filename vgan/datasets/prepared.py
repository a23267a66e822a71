"""Clips out of shards: prepared by `vgan.prepare`, or of tensorflow-datasets."""

import functools
import math
import pathlib
import typing
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from vgan import InputError
from vgan.datasets import stills, videos
from vgan.datasets.folders import expanded
from vgan.datasets.records import open_records
from vgan.datasets.spec import ClipSpec
from vgan.video.resizing import resize

if typing.TYPE_CHECKING:
    import tensorflow_datasets as tfds

    from vgan.datasets import motion


FEATURES = ("frames", "source", "start", "fps", "label", "licence", "shot")


class Prepared:
    """Clips of one split of a prepared set.

    Only the frames that a clip takes are decoded. A clip that is longer than what is
    stored goes on in the next or the previous ones of its shot; a shot that is shorter
    is played to and fro.

    Args:
        builder: The tfds builder of a `video_clips` data set.
        role: "content" or "style".
        split: "train" or "validation".
        spec: A ClipSpec.

    Raises:
        InputError: The set has other features, no such split, or is damaged.
    """

    def __init__(
        self, builder: "tfds.core.DatasetBuilder", role: str, split: str, spec: ClipSpec
    ) -> None:
        self.name = f"{builder.info.full_name} in {builder.data_dir}"
        missing = [name for name in FEATURES if name not in builder.info.features]
        if missing:
            raise InputError(
                f"{self.name}: has no feature {missing[0]!r}, so vgan.prepare has not "
                "made it; prepare the data again"
            )
        self.spec = spec
        self.training = split == "train"
        self.scaled_to = spec.style_size if role == "style" else 0
        self.estimate_flow = spec.estimate_flow and role == "content"
        self.records = open_records(builder, split)
        self._read(0)  # damage is told before training

    def clip(self, rng: np.random.Generator, length: int) -> "motion.Clip":
        """Return a motion.Clip of `length` frames.

        Raises:
            InputError: A shard is damaged.
        """
        spec, index = self.spec, int(rng.integers(len(self.records)))
        example = self._read(index)
        stored = example["frames"]
        if len(stored) == 1:
            (picture,) = decode(stored, example["name"])
            return stills.clip_of_still(
                *(picture, rng, length, spec.image_size, self.training),
                name=example["name"],
                scaled_to=self.scaled_to,
            )
        step = example["fps"] / spec.fps
        span = round((length - 1) * step) + 1
        start = int(rng.integers(max(1, len(stored) - span + 1)))
        stored = stored[start:]
        if len(stored) < span:
            stored = self._join(index, example, span)
        moments = np.rint(np.arange(length) * step).astype(int)
        moments = moments[moments < len(stored)]
        frames = decode([stored[moment] for moment in moments], example["name"])
        frames = square(frames, rng, spec.image_size, self.training, example["name"])
        order = np.pad(np.arange(len(frames)), (0, length - len(frames)), "reflect")
        return videos.with_flow(frames[order], self.estimate_flow)

    def first_frames(self) -> Iterator[tuple[str, bytes]]:
        """Yield (label, or else its file's name; JPEG file) of each example."""
        for example in map(self._read, range(len(self.records))):
            name = example["label"] or pathlib.PurePosixPath(example["source"]).stem
            yield name, example["frames"][0]

    def _join(self, index, example, span):
        """`span` frames around a clip, or all that its shot has."""
        frames = list(example["frames"])
        for way in (1, -1):
            near, place = example, index
            while len(frames) < span and 0 <= place + way < len(self.records):
                place += way
                near, last = self._read(place), near
                first, second = (last, near) if way > 0 else (near, last)
                if not _follows(first, second):
                    break
                frames = frames + near["frames"] if way > 0 else near["frames"] + frames
        return frames

    def _read(self, index):
        """The example, its frames still JPEG files."""
        values = parse(self.records[index], self.name)
        try:
            example = {name: values[name][0] for name in FEATURES}
            example |= {name: example[name].decode() for name in ("source", "label")}
            good = math.isfinite(example["start"]) and 0 < example["fps"] < math.inf
            good = good and isinstance(example["frames"], bytes)
        # Of flipped bits: a name, the kind of a value, or what is in a text.
        except (LookupError, TypeError, AttributeError, UnicodeDecodeError):
            good = False
        if not good:
            raise InputError(f"{self.name}: is damaged; prepare the data again")
        example["frames"] = list(values["frames"])
        example["name"] = f"{example['source']} in {self.name}"
        return example


def _follows(first, second):
    """Whether a clip goes on where another ends."""
    if any(first[name] != second[name] for name in ("source", "shot", "fps")):
        return False
    end = first["start"] + len(first["frames"]) / first["fps"]
    return abs(second["start"] - end) < 0.5 / first["fps"]


def parse(record: bytes, name: str) -> dict[str, list]:
    """Return {feature: list of values} of a serialized tf.train.Example.

    Args:
        record: bytes.
        name: Of the data set, for messages.

    Raises:
        InputError: It is damaged.
    """
    from google.protobuf.message import DecodeError

    try:
        features = _example_class().FromString(record).features.feature
    except DecodeError as error:
        raise InputError(f"{name}: is damaged; prepare the data again") from error
    return {
        key: getattr(value, value.WhichOneof("kind") or "bytes_list").value
        for key, value in features.items()
    }


@functools.cache
def _example_class():
    import tensorflow as tf

    return tf.train.Example


def decode(files: Sequence[bytes], name: str) -> np.ndarray:
    """Decode pictures.

    Args:
        files: Contents of JPEG or PNG files, all of one size.
        name: Of where they are from, for messages.

    Returns:
        uint8 [T, H, W, 3].

    Raises:
        InputError: One is damaged, or of another size.
    """
    frames = [
        cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR_RGB)
        if file
        else None
        for file in files
    ]
    if any(frame is None for frame in frames):
        raise InputError(f"{name}: a frame is damaged; prepare the data again")
    if len({frame.shape for frame in frames}) > 1:
        raise InputError(f"{name}: has frames of unlike sizes; prepare the data again")
    return np.stack(frames)


def square(
    frames: np.ndarray,
    rng: np.random.Generator,
    size: int,
    training: bool,
    name: object,
) -> np.ndarray:
    """Cut a square out of frames.

    Args:
        frames: uint8 [T, H, W, 3].
        rng: A numpy Generator.
        size: Height and width of the result in pixels.
        training: Whether the square's size and place are random; else it is the
            center, as large as fits.
        name: What to call the frames in an error.

    Returns:
        uint8 [T, size, size, 3].

    Raises:
        InputError: The frames are too small; see stills.check_size.
    """
    height, width = frames.shape[1:3]
    stills.check_size(name, height, width, size)
    side, place = min(height, width), np.array([0.5, 0.5])
    if training:
        part = rng.uniform(max(0.6, min(1.0, size / side)), 1.0)
        side, place = round(part * side), rng.random(2)
    x, y = np.rint(place * (width - side, height - side)).astype(int)
    window = frames[:, y : y + side, x : x + side]
    return np.stack([resize(frame, size, size) for frame in window])


def open_builder(path: str | pathlib.Path) -> "tfds.core.DatasetBuilder | None":
    """Return the tfds builder of what was prepared in a folder; None if nothing was.

    Args:
        path: As "data/mine".

    Raises:
        InputError: It was never finished, or it is damaged.
    """
    root = expanded(path)
    try:
        root.exists()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); give another folder"
        ) from error
    made = sorted(root.glob("video_clips/*/[0-9]*.[0-9]*.[0-9]/dataset_info.json"))
    if not made:
        if (root / "video_clips").is_dir() or (root / ".parts").is_dir():
            raise InputError(
                f"{path}: is being prepared, or was never finished; run the same "
                "python -m vgan.prepare again"
            )
        return None
    names = sorted({file.parents[1].name for file in made})
    if len(names) > 1:
        raise InputError(
            f"{root / 'video_clips'}: holds the sets {' and '.join(names)}; remove all "
            "but one"
        )
    import tensorflow_datasets as tfds

    try:
        return tfds.builder_from_directory(made[-1].parent)
    except Exception as error:  # a file is missing, or not JSON: tfds has no one error
        raise InputError(
            f"{made[-1]}: is damaged ({type(error).__name__}: {error}); "
            "prepare the data again"
        ) from error
