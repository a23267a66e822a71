r"""Pack photos, paintings and frames of films small, without the hold-outs, to travel.

    python tools/pack_pictures.py --data DATA --output .pack

writes .pack/photos, .pack/films and .pack/styles, folders of JPEGs as training takes
them, of `--short` pixels a short side and no longer than 3:2.
"""

import argparse
import pathlib

import cv2
import tqdm

from vgan.video import VideoReader, is_image, read_image

ASPECT = 1.5
SECONDS = 1.0  # between frames of a film
FEWEST = 96  # pixels of a short side, below which nothing is taken


def held_out():
    """Paths in the data pack that no training may see, after tools/holdouts.txt."""
    lines = pathlib.Path(__file__).with_name("holdouts.txt").read_text().splitlines()
    words = [line.split(maxsplit=1) for line in lines]
    return {parts[1] for parts in words if parts and parts[0] in ("held", "without")}


def fit(picture, short):
    """Cut the ends of what is long; bring the short side to at most so many pixels."""
    height, width = picture.shape[:2]
    most = int(min(height, width) * ASPECT)
    top, left = max(0, height - most) // 2, max(0, width - most) // 2
    picture = picture[top : top + most, left : left + most]
    scale = short / min(picture.shape[:2])
    if scale >= 1:
        return picture
    size = [round(side * scale) for side in picture.shape[1::-1]]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def frames(path, most):
    """Frames of a film, a second apart, at most so many."""
    taken, after = 0, 0.0
    with VideoReader(path) as reader:
        for frame, timestamp in reader:
            if timestamp >= after:
                yield frame
                taken, after = taken + 1, float(timestamp) + SECONDS
            if taken == most:
                return


def main():
    """Read, shrink, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--short", type=int, default=288)
    parser.add_argument("--quality", type=int, default=66, help="of the JPEGs")
    parser.add_argument("--photos", type=int, default=1000, help="at most so many")
    parser.add_argument("--frames", type=int, default=8, help="of a film, at most")
    arguments = parser.parse_args()
    for kind in ("photos", "styles", "videos"):
        if not (arguments.data / kind).is_dir():
            parser.error(f"--data: there is no folder {arguments.data / kind}")
    held, total = held_out(), 0
    for kind in ("photos", "styles", "videos"):
        folder = arguments.output / {"videos": "films"}.get(kind, kind)
        folder.mkdir(parents=True, exist_ok=True)
        paths = sorted((arguments.data / kind).iterdir())
        paths = [path for path in paths if f"{kind}/{path.name}" not in held]
        if kind == "photos":
            paths = paths[:: -(-len(paths) // arguments.photos)]
        for path in tqdm.tqdm(paths, desc=kind, unit="file"):
            try:
                if kind == "videos":
                    pictures = list(frames(path, arguments.frames))
                else:
                    pictures = [read_image(path)] if is_image(path) else []
            except ValueError as error:  # made to be unreadable, some of them
                tqdm.tqdm.write(f"skipped: {error}")
                continue
            for index, picture in enumerate(pictures):
                if min(picture.shape[:2]) < FEWEST:
                    continue
                picture = fit(picture, arguments.short)[..., ::-1]
                options = [cv2.IMWRITE_JPEG_QUALITY, arguments.quality]
                _, packed = cv2.imencode(".jpg", picture, options)
                (folder / f"{path.stem}_{index}.jpg").write_bytes(packed)
                total += len(packed)
    print(f"{arguments.output}: {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
