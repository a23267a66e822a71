"""Folders of pictures for the accelerator's memory, and each step's random numbers.

This is all that the host does: decode once, then draw a few numbers a step. `windows`
makes the clips of them.
"""

import concurrent.futures
import logging
import os
import typing
from collections.abc import Iterator

import cv2
import numpy as np
import tqdm

from vgan import InputError, video
from vgan.datasets import folders, stills, videos
from vgan.datasets.sources import SPLITS, find_builder, weights_of
from vgan.datasets.spec import NOISE, ClipSpec
from vgan.datasets.windows import DRAWS, Pictures, Stored

if typing.TYPE_CHECKING:
    from vgan.datasets import windows


_log = logging.getLogger("vgan.datasets")

SPARE = 1.2  # short side of a stored content, of a clip's: room to move
ASPECT = 1.5  # of the canvas; what is longer loses its ends
STRIDE = 16  # sides of the canvas are multiples
SECONDS, MOST = 2.0, 16  # between the frames that are taken of a video, and how many
GRAIN = 512  # pixels of noise


def load(
    spec: ClipSpec, largest: int | None = None, free: int | None = None
) -> "windows.Stored":
    """Decode the training pictures.

    Args:
        spec: A ClipSpec; content and style are folders.
        largest: Height and width in pixels of the largest clips that are made of the
            pictures; None for those of `spec`.
        free: Bytes of memory that the accelerator has left; None if it cannot tell,
            which on a machine without one means the machine's own.

    Returns:
        A windows.Stored of NumPy arrays.

    Raises:
        InputError: A source is no folder, has no picture that can be read, or what it
            has does not fit into memory.
    """
    size = largest or spec.image_size
    shorts = {"content": size * SPARE, "style": spec.style_size or size * SPARE}
    canvases = {role: _canvas(short) for role, short in shorts.items()}
    found = {role: _find(role, spec) for role in shorts}
    needed = sum(len(found[role][0]) * 4 * np.prod(canvases[role]) for role in shorts)
    for room, where in (
        (free, "of the accelerator"),
        (free_memory(), "of the machine"),
    ):
        if room is not None and needed > room:
            count = sum(len(files) for files, _ in found.values())
            raise InputError(
                f"content and style: the accelerator needs {needed / 1e9:.1f} GB for "
                f"{count} pictures, and {room / 1e9:.1f} GB {where} are free; give "
                "fewer of them, or make batches on the host"
            )
    pictures = [
        _decode(role, *found[role], shorts[role], canvases[role], size)
        for role in shorts
    ]
    grain = np.random.default_rng(0).standard_normal((GRAIN, GRAIN, 3), np.float32)
    return Stored(*pictures, grain)


def draws(
    spec: ClipSpec, batch_size: int, seed: int = 0, unroll: int = 1, first_step: int = 0
) -> Iterator[dict[str, np.ndarray]]:
    """Yield the steps' random numbers, as `windows.make_batch` wants them, without end.

    Step k's numbers are a function of the arguments and k. Each clip goes on for
    `unroll` steps; the clips of a batch begin one after the other, so that each step
    has clips of all ages.

    Args:
        spec: A ClipSpec; its `clips` and `clip_length` count.
        batch_size: Clips per step, B.
        seed: Of all numbers.
        unroll: Steps over which a clip goes on.
        first_step: Number of steps to skip, at no cost.
    """
    step, split, slots = first_step, SPLITS.index("train"), np.arange(batch_size)
    while True:
        turn, age = np.divmod(step + slots, unroll)
        clips = turn * batch_size + slots
        clips = clips % spec.clips if spec.clips else clips
        own = [np.random.default_rng([seed, split, clip]) for clip in clips]
        rng = np.random.default_rng([seed, split, step, 1])
        places = batch_size, spec.clip_length, 2
        drawn = {
            "clip": np.stack([clip.random(DRAWS, np.float32) for clip in own]),
            "age": age.astype(np.int32),
            "frames": rng.random(places, np.float32),
            "noise": rng.standard_normal((batch_size, NOISE), np.float32),
        }
        yield (drawn,)  # `fit` takes tuples of generators
        step += 1


def free_memory() -> int | None:
    """Bytes that the machine has left; None where it does not say."""
    try:
        with open("/proc/meminfo") as file:
            fields = dict(line.split(":", 1) for line in file)
        return 1024 * int(fields["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # the first on Windows
        return None


def _canvas(short):
    """Height and width that pictures of this short side lie on."""
    return tuple(STRIDE * -(-round(x) // STRIDE) for x in (short, ASPECT * short))


def _find(role, spec):
    """[(file, second of it, or None)] and how often each is drawn, of all sources."""
    pictures, weights = [], []
    for name, weight in weights_of(role, spec).items():
        if name == "synthetic" or find_builder(name, role) is not None:
            raise InputError(
                f"{role}: on the accelerator a source is a folder of pictures or "
                f"videos, which {name} is not; name one, or make batches on the host"
            )
        files = folders.Folder(name, role, "train", spec).files
        films = [file for file in files if folders.is_video(file)]
        moments = [(file, None) for file in files if file not in set(films)]
        taken = [(file, second) for file in films for second in _seconds(file)]
        if films:
            _log.warning(
                "%s: %s: on the accelerator, %d frames of %d videos are taken "
                "as stills: how they move is not learned from",
                *(role, name, len(taken), len(films)),
            )
        moments += taken
        if moments:
            pictures += moments
            weights += [weight / len(moments)] * len(moments)
    return pictures, np.array(weights) / np.sum(weights)


def _seconds(file):
    """The seconds of a video that are taken, from the middle of even parts."""
    try:
        duration = videos.measures(file)[2]
    except InputError:
        duration = 0  # it is named when it is decoded
    count = int(np.clip(duration / SECONDS, 1, MOST))
    return [(k + 0.5) * duration / count for k in range(count)]


def _decode(role, moments, weights, short, canvas, size):
    """Pictures of one role, decoded by all cores."""
    pixels = np.zeros((len(moments), *canvas), np.float32)
    sizes, turned = np.ones((len(moments), 2), np.float32), np.zeros(len(moments), bool)
    kept, broken = np.ones(len(moments), bool), []

    def one(index):
        file, second = moments[index]
        try:
            picture = fit(_read(file, second), short, size, file)
        except InputError as error:
            kept[index] = False
            broken.append(str(error))
            _log.warning("skipped: %s", error)
            return
        sizes[index] = picture.shape[:2]
        turned[index] = picture.shape[0] > picture.shape[1]
        if turned[index]:
            picture = picture.transpose(1, 0, 2)
        height, width = picture.shape[:2]
        packed = picture.astype(np.float32) @ np.float32([65536, 256, 1])
        pixels[index, :height, :width] = packed

    cv2.setNumThreads(1)  # the pool is over pictures
    with (
        concurrent.futures.ThreadPoolExecutor(min(os.cpu_count() or 1, 16)) as pool,
        tqdm.tqdm(total=len(moments), desc=role, unit="picture") as bar,
    ):
        for _ in pool.map(one, range(len(moments))):
            bar.update()
    if not kept.any():
        raise InputError(f"{role}: no picture can be used; the first: {broken[0]}")
    odds = np.cumsum(weights[kept])
    if not kept.all():
        pixels, sizes, turned = pixels[kept], sizes[kept], turned[kept]
    return Pictures(pixels, sizes, turned, (odds / odds[-1]).astype(np.float32))


def _read(file, second):
    if second is None:
        return video.read_image(file)
    try:
        with video.VideoReader(file, start=second) as reader:
            return next(iter(reader))[0]
    except StopIteration:
        raise InputError(f"{file}: has no frame at second {second:.1f}") from None


def fit(
    picture: np.ndarray, short: float, size: int, name: object = "picture"
) -> np.ndarray:
    """Bring a picture to what is stored: never larger, and not too long.

    Args:
        picture: uint8 [h, w, 3].
        short: Short side in pixels; smaller pictures stay as they are.
        size: Of the clips, in pixels.
        name: What to call the picture in an error.

    Raises:
        InputError: It is too small for the clips; see stills.check_size.
    """
    height, width = picture.shape[:2]
    stills.check_size(name, height, width, size)
    least = min(height, width)
    scale = min(1.0, short / least)
    most = int(least * ASPECT)
    top, left = max(0, height - most) // 2, max(0, width - most) // 2
    picture = picture[top : top + most, left : left + most]
    if scale == 1:
        return picture
    shape = [max(2, round(side * scale)) for side in picture.shape[1::-1]]
    return cv2.resize(picture, shape, interpolation=cv2.INTER_AREA)
