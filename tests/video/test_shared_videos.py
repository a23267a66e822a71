"""Every clip of the shared data pack, read and copied."""

from fractions import Fraction

import numpy as np
import pytest

from tests.video.samples import audio_packets, psnr
from vgan import InputError
from vgan.video import VideoReader, VideoWriter

UNREADABLE = {
    "CORRUPT_invalid_vp9.webm",
    "CORRUPT_truncated_after_moov.m4b",
    "CORRUPT_undecodable_fragmented.mp4",
    "NOVIDEO_audio_only.mp4",
}
DAMAGED = {"CORRUPT_decord.mp4": 49, "CORRUPT_invalid_nalu.mp4": 29}
REENCODED = {"nature_flower_vp8.webm"}  # Vorbis, which MP4 players do not know
FRAMES, BIG_FRAMES = 24, 5  # copied of each clip: enough for its quirks


def test_every_clip_survives_a_copy(shared_data, tmp_path):
    clips = sorted((shared_data / "videos").iterdir())
    assert len(clips) > 50
    problems = []
    for clip in clips:
        target = tmp_path / f"{clip.stem}.mp4"
        if clip.name in UNREADABLE:
            with pytest.raises(InputError, match=clip.name):
                VideoReader(clip)
        else:
            problems += [f"{clip.name}: {what}" for what in _copy(clip, target)]
            target.unlink()
    assert problems == []


def test_damaged_clips_give_the_frames_that_decode(shared_data):
    for name, count in DAMAGED.items():
        with VideoReader(shared_data / "videos" / name) as reader:
            assert len(list(reader)) == count


def _copy(clip, target):
    """Copy the first frames and the whole sound; tell what differs."""
    times, samples = [], {}
    with VideoReader(clip) as reader, VideoWriter(target, like=reader) as writer:
        most = BIG_FRAMES if reader.width * reader.height > 2**20 else FRAMES
        most = 2 if reader.width * reader.height > 2**24 else most
        for index, (frame, timestamp) in zip(range(most), reader, strict=False):
            if index % 6 == 0:
                samples[index] = frame
            writer.write(frame, timestamp)
            times.append(timestamp)
        size, origin = (reader.width, reader.height), reader.origin
        # MP4 gets microseconds where a clip counts nanoseconds.
        tick = max(reader.time_base, Fraction(1, 1_000_000))
    ratios, copied = [], []
    with VideoReader(target) as reader:
        if (reader.width, reader.height) != size:
            yield f"size {size} became {reader.width}x{reader.height}"
        for index, (frame, timestamp) in enumerate(reader):
            copied.append(timestamp)
            if index in samples:
                ratios.append(psnr(frame, samples[index]))
    if len(copied) != len(times):
        yield f"{len(times)} frames became {len(copied)}"
    if any(abs(a - b) > tick for a, b in zip(times, copied, strict=False)):
        yield "timestamps differ"
    if np.mean(ratios) < 40 and not clip.name.startswith(("synthetic", "CORRUPT")):
        yield f"{np.mean(ratios):.1f} dB"
    before, after = audio_packets(clip), audio_packets(target)
    if len(before) != len(after):
        yield f"{len(before)} sound tracks became {len(after)}"
    for track, other in zip(before, after, strict=False):
        if clip.name in REENCODED:
            continue
        if [data for data, _ in track] != [data for data, _ in other]:
            yield "sound differs"
        if abs(track[0][1] - float(origin) - other[0][1]) > 0.001:
            yield "sound is shifted"
