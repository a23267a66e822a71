import logging
import os
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from tests.video.samples import (
    audio_packets,
    leftovers,
    loudest_hertz,
    make_video,
    moving,
    psnr,
)
from vgan import InputError
from vgan.video import VideoReader, VideoWriter


def copy(source, target, **options):
    """Read, write, read again: both lists of (frame, timestamp)."""
    with (
        VideoReader(source) as reader,
        VideoWriter(target, reader, **options) as writer,
    ):
        before = []
        for frame, timestamp in reader:
            before.append((frame.copy(), timestamp))
            writer.write(frame, timestamp)
        assert writer.num_frames == len(before)
    with VideoReader(target) as reader:
        return before, list(reader)


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv", "b.mov", "b.webm"])
@pytest.mark.parametrize(("height", "width"), [(48, 64), (47, 63), (45, 64)])
def test_copy_keeps_frames_times_size_and_look(tmp_path, name, height, width):
    pts = [0, 3, 4, 5, 9, 10, 20, 21, 22, 25, 30, 31]
    source = make_video(
        tmp_path / "a.mkv", 12, height, width, pix_fmt="yuv444p", pts=pts
    )
    before, after = copy(source, tmp_path / name)
    assert [t for _, t in after] == [t for _, t in before]
    assert len(after) == 12
    for (a, _), (b, _) in zip(before, after, strict=True):
        assert a.shape == b.shape == (height, width, 3)
        assert psnr(a, b) > 37  # strong colours at 64 pixels; real clips reach 40
    assert leftovers(tmp_path) == []


def test_fine_time_bases_survive(tmp_path):
    for base in (Fraction(1001, 30000), Fraction(1, 90000), Fraction(1, 600)):
        pts = [0, 7, 19, 20, 100]
        source = make_video(tmp_path / "a.mp4", 5, pts=pts, time_base=base)
        before, after = copy(source, tmp_path / "b.mp4", overwrite=True)
        assert (
            [t for _, t in after] == [t for _, t in before] == [p * base for p in pts]
        )


@pytest.mark.parametrize(
    ("source", "codec", "target"),
    [
        ("a.mp4", "aac", "b.mp4"),
        ("a.mp4", "aac", "b.mkv"),
        ("a.mkv", "libopus", "b.mp4"),
        ("a.mkv", "libopus", "b.webm"),
        ("a.mkv", "flac", "b.mkv"),
        ("a.mkv", "ac3", "b.mov"),
    ],
)
def test_all_sound_tracks_are_copied_bit_for_bit(tmp_path, source, codec, target):
    source = make_video(tmp_path / source, 50, audio=[codec, codec])
    before, after = copy(source, tmp_path / target)
    assert [t for _, t in after] == [t for _, t in before]
    tracks, copies = audio_packets(source), audio_packets(tmp_path / target)
    assert len(tracks) == len(copies) == 2
    for track, other in zip(tracks, copies, strict=True):
        assert [data for data, _ in track] == [data for data, _ in other]
        assert np.allclose([t for _, t in track], [t for _, t in other], atol=0.002)


@pytest.mark.parametrize(
    ("codec", "target", "new"),
    [
        ("libopus", "b.mov", "aac"),
        ("pcm_s16le", "b.mp4", "aac"),
        ("aac", "b.webm", "opus"),
    ],
)
def test_other_sound_is_encoded_anew_and_said(tmp_path, caplog, codec, target, new):
    source = make_video(tmp_path / "a.mkv", 50, audio=[codec, codec])
    with caplog.at_level(logging.WARNING, logger="vgan"):
        copy(source, tmp_path / target)
    assert sum("encoded anew" in r.message for r in caplog.records) == 2
    with av.open(str(tmp_path / target)) as container:
        names = [s.codec_context.codec.canonical_name for s in container.streams.audio]
    assert names == [new, new]
    for track, tone in enumerate((220, 440)):
        hertz, seconds = loudest_hertz(tmp_path / target, track)
        assert abs(hertz - tone) < 3
        assert abs(seconds - 2) < 0.1


def test_sound_stays_in_step_where_the_clock_starts_elsewhere(tmp_path):
    source = make_video(
        tmp_path / "a.ts", 50, codec="mpeg2video", audio=["mp2"], begin=5
    )
    with av.open(str(source)) as container:
        apart = container.streams.audio[0].start_time - (
            container.streams.video[0].start_time
        )
    before, after = copy(source, tmp_path / "b.mp4")
    assert [t for _, t in after] == [t for _, t in before]
    first_sound = audio_packets(tmp_path / "b.mp4")[0][0][1]
    assert abs(first_sound - float(after[0][1]) - apart / 90000) < 1e-4


@pytest.mark.parametrize(("height", "width"), [(96, 128), (720, 1280)])
@pytest.mark.parametrize("name", ["a.mp4", "a.webm"])
def test_colors_are_right_for_everybody(tmp_path, height, width, name):
    """Read by OpenCV, and by swscale with the tags that the file carries."""
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 100, 50)]
    colors += [(v, v, v) for v in (0, 16, 64, 128, 235, 255)]
    path = tmp_path / name
    with VideoWriter(path, fps=25) as writer:
        for k, color in enumerate(colors):
            writer.write(np.full((height, width, 3), color, np.uint8), Fraction(k, 25))
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert context.color_range == 1
        assert context.colorspace == (1 if height >= 720 else 6)
        tagged = [
            frame.reformat(
                format="rgb24",
                src_colorspace=1 if height >= 720 else 5,
                src_color_range=1,
                dst_color_range=2,
            ).to_ndarray()[height // 2, width // 2]
            for frame in container.decode(video=0)
        ]
    capture = cv2.VideoCapture(str(path))
    opencv = [capture.read()[1][height // 2, width // 2, ::-1] for _ in colors]
    capture.release()
    ours = [frame[height // 2, width // 2] for frame, _ in VideoReader(path)]
    for got in (tagged, opencv, ours):
        assert np.abs(np.array(got, int) - colors).max() <= 4


def test_picture_description_is_kept(tmp_path):
    def describe(stream):
        context = stream.codec_context
        context.sample_aspect_ratio = Fraction(4, 3)
        context.color_primaries, context.color_trc = 5, 6
        context.colorspace = 5
        stream.set_display_rotation(90)

    source = make_video(tmp_path / "a.mp4", setup=describe)
    _, after = copy(source, tmp_path / "b.mp4")
    assert after[0][0].shape == (64, 48, 3)
    with av.open(str(tmp_path / "b.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.sample_aspect_ratio == Fraction(3, 4)
        context = stream.codec_context
        assert (context.color_primaries, context.color_trc) == (5, 6)
        assert next(container.decode(stream)).rotation == 0


def test_quality_trades_size(tmp_path):
    sizes = []
    for quality in (5, 40):
        path = tmp_path / f"q{quality}.mp4"
        with VideoWriter(path, fps=25, quality=quality) as writer:
            for k, frame in enumerate(moving(10, 48, 64)):
                writer.write(frame, Fraction(k, 25))
        sizes.append(path.stat().st_size)
    assert sizes[0] > 2 * sizes[1]
    with pytest.raises(InputError, match="quality=99"):
        VideoWriter(tmp_path / "a.mp4", quality=99)


def test_gif_keeps_delays_and_few_colors_exactly(tmp_path):
    flat = [
        np.full((10, 20, 3), c, np.uint8) for c in ((255, 0, 0), (0, 99, 0), (7, 7, 7))
    ]
    seconds = [Fraction(0), Fraction(10, 100), Fraction(35, 100)]
    with VideoWriter(tmp_path / "a.gif", fps=10) as writer:
        for frame, second in zip(flat, seconds, strict=True):
            writer.write(frame, second)
    with VideoReader(tmp_path / "a.gif") as reader:
        got = list(reader)
    assert [t for _, t in got] == seconds
    assert all(np.array_equal(a, b) for (a, _), b in zip(got, flat, strict=True))
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.n_frames, image.info["duration"], image.info["loop"]) == (
            3,
            100,
            0,
        )


def test_gif_of_a_fast_video_leaves_frames_out(tmp_path, caplog):
    with (
        caplog.at_level(logging.WARNING, logger="vgan"),
        VideoWriter(tmp_path / "a.gif", fps=100) as writer,
    ):
        for k, frame in enumerate(moving(20, 48, 64)):
            writer.write(frame, Fraction(k, 100))
    with VideoReader(tmp_path / "a.gif") as reader:
        got = list(reader)
    assert [t for _, t in got] == [Fraction(2 * k, 100) for k in range(10)]
    kept = list(moving(20, 48, 64))[::2]
    assert min(psnr(f, g) for (f, _), g in zip(got, kept, strict=True)) > 28
    assert "10 left out" in caplog.text


@pytest.mark.parametrize("name", ["frames", "frames/", "v1.0/"])
def test_folder_of_pngs_is_lossless(tmp_path, name):
    frames = list(moving(3, 7, 9))
    with VideoWriter(f"{tmp_path}/{name}", fps=5) as writer:
        for k, frame in enumerate(frames):
            writer.write(frame, Fraction(k, 5))
    folder = tmp_path / name
    assert sorted(p.name for p in folder.iterdir()) == [
        f"{k:06d}.png" for k in range(3)
    ]
    with VideoReader(folder, fps=5) as reader:
        got = list(reader)
    assert all(np.array_equal(a, b) for (a, _), b in zip(got, frames, strict=True))
    assert [t for _, t in got] == [Fraction(k, 5) for k in range(3)]
    with pytest.raises(InputError, match="exists"):
        VideoWriter(folder, fps=5)
    with VideoWriter(folder, fps=5, overwrite=True) as writer:
        writer.write(frames[0], 0)
    assert len(list(folder.iterdir())) == 1
    (folder / "diary.txt").write_text("dear")
    with pytest.raises(InputError, match="more than numbered PNGs"):
        VideoWriter(folder, fps=5, overwrite=True)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["a:b.mp4", "file:x.mp4", "http:y.gif", "c:d%20#?.mkv"]
)
def test_names_that_look_like_protocols_are_names(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    source = "pipe:0.mkv"
    make_video(tmp_path / "a.mkv", 5, audio=["aac"]).rename(source)
    _, after = copy(source, name)
    assert len(after) == 5
    assert sorted(os.listdir()) == sorted([source, name])
    if not name.endswith("gif"):
        assert len(audio_packets(tmp_path / name)) == 1
