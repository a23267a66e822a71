"""Parts of sets whose frames tell their time: frame k of a file has brightness 3 k."""

import cv2
import numpy as np

from vgan.datasets import builder
from vgan.prepare.clip_archive import Part

STEP, FPS, LENGTH = 3, 24.0, 16


def frame_file(brightness, size=(48, 64)):
    """A JPEG file of one color."""
    picture = np.full((*size, 3), brightness, np.uint8)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def write_part(path, source, shots=((0, 48),), label="", licence="CC0"):
    """Write a part of clips of LENGTH frames; shots: (first frame, frames)."""
    part = Part(path)
    for shot, (first, count) in enumerate(shots):
        length = min(count, LENGTH)
        for start in range(first, first + count - length + 1, length):
            clip = {
                "key": f"{source}#{start:08d}",
                "source": source,
                "start": start / FPS,
                "fps": FPS,
                "label": label,
                "licence": licence,
                "shot": shot,
                "frames": length,
                "height": 48,
                "width": 64,
            }
            files = [frame_file(STEP * (start + t)) for t in range(length)]
            part.add(clip, files)
    part.close()
    return path


def write_set(folder, sources, name="mine", **options):
    """Write a set of {split: {source: shots or (shots, label)}}."""
    parts = {}
    for split, files in sources.items():
        (folder / ".parts").mkdir(parents=True, exist_ok=True)
        parts[split] = [
            write_part(folder / ".parts" / f"{split}{k}.zip", source, **keywords)
            for k, (source, keywords) in enumerate(files.items())
        ]
    builder.write(folder, name, parts, **options)
    return parts


def times(clip):
    """The frame numbers that a clip shows, [T]."""
    return np.rint(clip.frames.mean(axis=(1, 2, 3)) / STEP).astype(int)
