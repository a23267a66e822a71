"""One frame of a film, stylized; or in many styles at once, to choose among them."""

import math
import os
import pathlib
import typing
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vgan import InputError, files
from vgan.generate import schedule
from vgan.generate.options import Size, StylizeOptions
from vgan.generate.progress import progress
from vgan.runtime import styles
from vgan.video import IMAGE_SUFFIXES, VideoReader, is_image, read_image
from vgan.video.cut import Cut
from vgan.video.exr import write_exr
from vgan.video.images import NUMBER, srgb_profile
from vgan.video.resizing import resize

ALL = "all"  # in the place of a folder: those given, or that the model knows by name
_CELL = 480  # pixels at most of the longer side of a picture on a contact sheet
_GAP = 8  # pixels between two
_SHAPE = 16 / 9  # of a contact sheet, as near as may be


def check_output(
    output: pathlib.Path, source: str | os.PathLike, overwrite: bool
) -> None:
    """Raise InputError where a picture cannot be written.

    Args:
        output: Where it shall be.
        source: What it is made of.
        overwrite: Whether it may replace another one.
    """
    if NUMBER.search(output.name):
        raise InputError(
            f"output={output}: stands for many pictures, and one is made; give a name "
            "without a number to be filled in, such as still.png"
        )
    if not is_image(output):
        raise InputError(f"output={output}: a picture becomes a .png, .jpg or .exr")
    if output.exists() and not overwrite:
        raise InputError(f"{output}: exists; give another name or overwrite=True")
    if output.exists() and os.path.exists(source) and output.samefile(source):
        raise InputError(f"{output}: is the input itself; give another output")
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise InputError(f"{output}: cannot be written; give another folder")


def save(frame: np.ndarray, output: pathlib.Path) -> str:
    """Write a frame [H, W, 3 or 4], whole or not at all; returns a line of it.

    Args:
        frame: uint8, of sRGB with or without alpha; uint16 too for an .exr.
        output: .png or .jpg, or .exr.

    Raises:
        InputError: It cannot be written.
    """
    advice = "free space on the disk or give another folder"
    with files.writing(output, advice), files.replacing(output) as partial:
        if output.suffix.lower() == ".exr":
            write_exr(partial, frame)
        else:
            picture = Image.fromarray(frame)
            # PNGs of level 3 take a third of the time that 6 takes, as in folders.
            choices = {"quality": 95, "compress_level": 3}
            picture.save(partial, **choices, icc_profile=srgb_profile())
    return f"{output}: {frame.shape[1]} x {frame.shape[0]}"


def still(
    options: StylizeOptions,
    source: str | os.PathLike,
    at: Fraction,
    output: pathlib.Path,
    reading: dict[str, typing.Any],
    overwrite: bool = False,
) -> str:
    """Stylize the frame that is shown at a second, by itself.

    Args:
        options: StylizeOptions; of its schedule, and of masks, that second counts.
        source: What VideoReader takes.
        at: Second of the film; 0 of a live source.
        output: The .png or .jpg to make.
        reading: {argument: value} of VideoReader.
        overwrite: Replace an output that exists.

    Returns:
        One line of what was made.

    Raises:
        InputError: Anything of it cannot be used; nothing is left behind.
    """
    check_output(output, source, overwrite)
    options.read()
    frame, size, second = _frame(options, source, at, reading)
    with options.processor(size) as process:
        return save(process(frame, second), output)


def contact_sheet(
    options: StylizeOptions,
    source: str | os.PathLike,
    at: Fraction,
    folder: str,
    output: pathlib.Path,
    reading: dict[str, typing.Any],
    overwrite: bool = False,
    show: str = "auto",
) -> str:
    """Make one picture of a frame in many styles, each with its name below.

    Args:
        options: StylizeOptions, without times and regions. The styles that it names
            come first.
        source: What VideoReader takes, or a picture.
        at: As of `still`.
        folder: Of pictures, a style each; or ALL: the named styles of the model where
            the options name none.
        output: As of `still`.
        reading: As of `still`.
        overwrite: As of `still`.
        show: Kind of `progress`.

    Returns:
        One line of what was made.

    Raises:
        InputError: As `still`; or there are no styles.
    """
    check_output(output, source, overwrite)
    info, texts = options.opened.info, _texts(options, folder)
    schedules = [
        schedule.read([text], None, None, info, options.seed + index)
        for index, text in enumerate(texts)
    ]
    frame, size, second = _frame(options, source, at, reading)
    cells = [_small(frame)]
    with progress(len(texts), show) as bar:
        for one in schedules:
            with options.processor(size, [one]) as process:
                cells.append(_small(process(frame, second)))
            bar.update()
    names = ["input", *(_name(text, info.named_styles) for text in texts)]
    return f"{save(_sheet(cells, names), output)}, {len(texts)} styles"


def _texts(options, folder):
    """The styles to show, as they are written."""
    for name in ("schedule", "label_mask", "compare"):
        if getattr(options, name):
            raise InputError(f"{name}: does not go with a contact sheet; leave it out")
    texts, named = styles.listed(options.style), options.opened.info.named_styles
    for text in texts:
        if schedule.split_time(text, named)[1] is not None:
            raise InputError(
                f"style={text}: of a contact sheet, styles have no times; leave it out"
            )
    if folder == ALL:
        texts = texts or list(named)
        if not texts:
            raise InputError(
                "contact_sheet=all: the model knows no styles by name; give some with "
                "style=, or a folder of pictures"
            )
        return texts
    if not os.path.isdir(folder):
        raise InputError(
            f"contact_sheet={folder}: there is no such folder; give one of pictures, "
            "or all: the styles that are given, or that the model knows"
        )
    found = files.find(folder, IMAGE_SUFFIXES, natural=True)
    if not found:
        raise InputError(
            f"contact_sheet={folder}: holds no pictures; give a folder of styles"
        )
    return [*texts, *map(str, found)]


def _frame(options, source, at, reading):
    """A frame as large as its result, its Size, and the second that it is shown at."""
    if is_image(source):
        frame = options.resized(read_image(source))
        return frame, Size(*frame.shape[:2]), 0
    with VideoReader(source, **reading, cut=Cut(start=at)) as reader:
        frame, timestamp = next(reader)
        size = Size(reader.height, reader.width, reader.fps)
        return options.resized(frame), size, reader.offset + timestamp


def _small(frame):
    height, width = frame.shape[:2]
    scale = min(1, _CELL / max(height, width))
    return resize(frame, max(1, round(height * scale)), max(1, round(width * scale)))


def _name(text, named_styles):
    source, _ = styles.split_weight(text, named_styles)
    return source if source in named_styles else pathlib.Path(source).stem


def _sheet(cells: Sequence[np.ndarray], names: Sequence[str]) -> np.ndarray:
    """Pictures uint8 [h, w, 3] of one size in rows, on white, names below each."""
    height, width = cells[0].shape[:2]
    points = max(10, width // 28)
    font = ImageFont.load_default(size=points)
    step_x, step_y = width + _GAP, height + _GAP + 3 * points // 2
    columns = round(math.sqrt(len(cells) * _SHAPE * step_y / step_x))
    columns = min(max(1, columns), len(cells))
    rows = math.ceil(len(cells) / columns)
    size = columns * step_x + _GAP, rows * step_y + _GAP
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for index, (cell, name) in enumerate(zip(cells, names, strict=True)):
        x, y = index % columns * step_x + _GAP, index // columns * step_y + _GAP
        sheet.paste(Image.fromarray(cell), (x, y))
        short = name
        while font.getlength(short) > width and len(short) > 1:
            short = short.removesuffix("…")[:-1] + "…"
        draw.text((x, y + height + 2), short, fill=(40, 40, 40), font=font)
    return np.asarray(sheet)
