"""One clock for picture and sound: what files of the real world do to it."""

import logging
import pathlib
import re
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.video.samples import make_video
from tests.video.segmenting import run
from tests.video.sync import beeps, film, flashes
from vgan.video import VideoReader, VideoWriter
from vgan.video.clock import AHEAD

ROOT = pathlib.Path(__file__).parents[2]
TICK = 1e-3  # of Matroska
WRAP = 2**33 / 90000  # seconds, after which a broadcast's clock is 0 again; FFmpeg may
# take a step back for that.


def copy(source, target, **options):
    """Timestamps of what is read, after it was written, too."""
    times = []
    with (
        VideoReader(source, **options) as reader,
        VideoWriter(target, reader) as writer,
    ):
        for frame, timestamp in reader:
            writer.write(frame, timestamp)
            times.append(timestamp)
    return times


def joined(tmp_path, *begins, **options):
    parts = [
        film(tmp_path / f"{number}.ts", begin=begin, **options).read_bytes()
        for number, begin in enumerate(begins)
    ]
    (tmp_path / "a.ts").write_bytes(b"".join(parts))
    return tmp_path / "a.ts"


def lines(caplog):
    return [r.message for r in caplog.records if r.name == "vgan"]


def in_step(path, number, source_offset, within=0.01):
    """Whether flashes and beeps of a file are as far apart as those of its source."""
    shown, heard = flashes(path), beeps(path)
    assert len(shown) == len(heard) == number, (shown, heard)
    return np.abs(np.subtract(heard, shown) - source_offset).max() <= within


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv"])
@pytest.mark.parametrize(
    ("begins", "step"),
    [((60, 60), -2), ((60, 5060), 4998), ((3600, 7, 3600), -3595)],
    ids=["back", "ahead", "back and again"],
)
def test_the_parts_of_a_joined_broadcast_follow_one_another(
    tmp_path, caplog, begins, step, name
):
    source = joined(tmp_path, *begins)
    apart = beeps(tmp_path / "0.ts")[1] - flashes(tmp_path / "0.ts")[1]
    times = copy(source, tmp_path / name)
    assert len(times) == 50 * len(begins)
    steps = np.diff([float(t) for t in times])
    assert np.all(np.abs(np.delete(steps, [49, 99][: len(begins) - 1]) - 0.04) < 2e-5)
    assert np.all(np.abs(steps - 0.04) < 0.04)  # sound does not end where pictures do
    assert in_step(tmp_path / name, 5 * len(begins), apart)
    (line,) = lines(caplog)
    said = re.search(r"clock jumps by ([-+.\d]+) s at second ([.\d]+): picture", line)
    off = (float(said[1]) - step) % WRAP
    assert min(off, WRAP - off) < 0.1
    assert abs(float(said[2]) - 2) < 0.1


def test_where_sound_ends_before_the_picture_no_frame_is_squeezed(tmp_path):
    source = joined(tmp_path, 60, 60, sound_seconds=1.9)
    apart = beeps(tmp_path / "0.ts")[1] - flashes(tmp_path / "0.ts")[1]
    times = copy(source, tmp_path / "b.mp4")
    assert np.allclose(np.diff([float(t) for t in times]), 0.04, atol=2e-5)
    assert in_step(tmp_path / "b.mp4", 10, apart)


def test_a_step_ahead_within_the_bound_is_time(tmp_path, caplog):
    times = copy(joined(tmp_path, 3600, 3600 + AHEAD), tmp_path / "b.mp4")
    assert abs(times[50] - times[0] - AHEAD) < Fraction(1, 1000)
    assert lines(caplog) == []


def test_a_clock_that_wraps_goes_on(tmp_path, caplog):
    """33 bits of 1/90000 s are over after 26.5 hours."""
    begin = 2**33 // 90000 - 100
    source = film(tmp_path / "a.ts", 110, begin, fps=1, options={"bf": "0"})
    times = copy(source, tmp_path / "b.mkv")
    assert len(times) == 110
    assert np.allclose(np.diff([float(t) for t in times]), 1, atol=2e-5)
    heard = np.array(beeps(tmp_path / "b.mkv"))
    assert np.abs(np.diff(heard) - 0.4).max() < 0.01
    assert all("jumps by -95443.7 s" in line for line in lines(caplog))


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv"])
def test_sound_that_overlaps_is_heard_once(tmp_path, caplog, name):
    """As in segments of a stream, whose sound runs over the end of the picture."""
    parts = [
        film(tmp_path / f"{k}.ts", begin=100 + 2 * k, sound="aac", sound_seconds=2.1)
        for k in (0, 1)
    ]
    apart = beeps(parts[0])[1] - flashes(parts[0])[1]
    (tmp_path / "a.ts").write_bytes(b"".join(p.read_bytes() for p in parts))
    times = copy(tmp_path / "a.ts", tmp_path / name)
    assert np.allclose(np.diff([float(t) for t in times]), 0.04, atol=2e-5)
    shown = flashes(tmp_path / name)
    heard = [beep for beep in beeps(tmp_path / name) if beep - shown[-1] < 0.3]
    assert np.abs(np.subtract(heard, shown) - apart).max() <= 0.01
    assert lines(caplog) == []


@pytest.mark.parametrize("hours", [3, -3])
def test_one_time_that_is_out_goes_between_its_neighbors(tmp_path, caplog, hours):
    film(tmp_path / "a.mkv", begin=20000, options={"bf": "0"}, sound="aac")
    with (
        av.open(str(tmp_path / "a.mkv")) as source,
        av.open(str(tmp_path / "b.mkv"), "w") as target,
    ):
        pairs = {s: target.add_stream_from_template(s) for s in source.streams}
        count = 0
        for packet in source.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "video":
                count += 1
                if count == 30:
                    packet.pts += round(hours * 3600 / packet.time_base)
            # Not written, but looked at.
            packet.dts -= round(4 * 3600 / packet.time_base)
            packet.stream = pairs[packet.stream]
            target.mux(packet)
    times = copy(tmp_path / "b.mkv", tmp_path / "c.mkv")
    assert np.allclose(np.diff([float(t) for t in times]), 0.04, atol=TICK)
    apart = beeps(tmp_path / "a.mkv")[1] - flashes(tmp_path / "a.mkv")[1]
    assert in_step(tmp_path / "c.mkv", 5, apart)
    (line,) = lines(caplog)
    assert "one time is" in line


def test_packets_shorter_than_a_tick_do_not_add_up(tmp_path):
    """TrueHD's last 0.83 ms, and Matroska counts milliseconds."""
    source = film(tmp_path / "a.mkv", sound="pcm_s16le", step=40)
    copy(source, tmp_path / "b.mkv")
    assert np.allclose(beeps(tmp_path / "b.mkv"), beeps(source), atol=2 * TICK)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_avi_has_even_steps(tmp_path, codec):
    """It says when to decode frames, not when to show them."""
    source = film(tmp_path / "a.avi", codec=codec, options={"bf": "2"}, sound="mp2")
    times = copy(source, tmp_path / "b.mp4")
    assert set(np.diff(times)) == {Fraction(1, 25)}
    assert times[0] <= Fraction(1, 25)
    assert np.allclose(beeps(tmp_path / "b.mp4"), beeps(source), atol=TICK)
    shown = 0.2 + np.arange(5) * 0.4 + float(times[0])
    assert np.allclose(flashes(tmp_path / "b.mp4"), shown, atol=TICK)
    with VideoReader(source, start=1) as reader:
        assert next(reader)[1] == 1


@pytest.mark.parametrize("name", ["a.mpg", "a.ts"])
def test_streams_begin_at_zero(tmp_path, name):
    source = film(tmp_path / name, codec="mpeg2video")
    times = copy(source, tmp_path / "b.mp4")
    apart = beeps(source)[1] - flashes(source)[1]
    assert in_step(tmp_path / "b.mp4", 5, apart)
    first = min(float(times[0]), beeps(tmp_path / "b.mp4")[0] - 0.2)
    assert -0.01 <= first < 0.05


def without_times(data, count):
    """A transport stream whose first pictures have no times."""
    data = bytearray(data)
    for packet in range(0, len(data), 188):
        head = data[packet : packet + 188]
        if (head[1] & 31) << 8 | head[2] == 0x100 and head[1] & 0x40 and count:
            count -= 1
            start = packet + 4 + (1 + head[4] if head[3] & 0x20 else 0)
            assert data[start : start + 3] == b"\0\0\1"
            data[start + 7] &= 0x3F
            length = data[start + 8]
            data[start + 9 : start + 9 + length] = b"\xff" * length
    return bytes(data)


def test_leading_frames_without_times_are_counted_back(tmp_path):
    source = film(tmp_path / "a.ts", options={"bf": "0"})
    times = copy(source, tmp_path / "b.mp4")
    (tmp_path / "c.ts").write_bytes(without_times(source.read_bytes(), 3))
    assert copy(tmp_path / "c.ts", tmp_path / "d.mp4") == times


def ends_on_a_still(path):
    """A film of eight frames whose last one is shown for ten seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width = stream.height = 32
        stream.codec_context.time_base = Fraction(1, 1000)
        packets = []
        for index in range(8):
            frame = av.VideoFrame(32, 32, "yuv420p")
            frame.pts, frame.time_base = index * 40, Fraction(1, 1000)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        packets[-1].duration = 10_000
        container.mux(packets)
    return path


@pytest.mark.parametrize("name", ["b.mp4", "b.mov", "b.mkv"])
@pytest.mark.parametrize("segment_frames", [None, 4, 5])
def test_the_last_frame_lasts_as_long_as_it_did(tmp_path, name, segment_frames):
    source = ends_on_a_still(tmp_path / "a.mp4")
    if segment_frames:
        run(source, tmp_path / name, segment_frames=segment_frames)
    else:
        copy(source, tmp_path / name)
    with av.open(str(tmp_path / name)) as container:
        assert abs(container.duration / 1e6 - 10.28) < 0.002
        if name != "b.mkv":
            stream = container.streams.video[0]
            length = stream.duration * stream.time_base
            assert abs(length - Fraction(1028, 100)) < Fraction(2, 1000)
    with VideoReader(source) as reader:
        list(reader)
        assert reader.shown == (Fraction(7, 25), 10)


PIPE = """
import sys
from tests.video.test_clock import copy
copy(sys.argv[1], "-")
"""


def test_piped_the_last_frame_is_repeated_as_long(tmp_path):
    source = ends_on_a_still(tmp_path / "a.mp4")
    with VideoReader(source) as reader:
        rate = reader.fps
    command = [sys.executable, "-c", PIPE, str(source)]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, check=True)
    assert done.stdout.count(b"FRAME\n") == round(Fraction(1028, 100) * rate)


def test_resampled_the_last_frame_is_repeated_as_long(tmp_path):
    source = make_video(tmp_path / "a.mp4", 12)
    with VideoReader(source, fps=50) as reader:
        assert len(list(reader)) == 24
        assert reader.shown == (Fraction(23, 50), Fraction(1, 50))


def test_sound_and_picture_read_the_same_clock(tmp_path, caplog):
    """Resampled, too, and in segments."""
    source = joined(tmp_path, 0, 500, 20)
    apart = beeps(tmp_path / "0.ts")[1] - flashes(tmp_path / "0.ts")[1]
    times = copy(source, tmp_path / "b.mp4", fps=50)
    assert times == [Fraction(k, 50) for k in range(len(times))]
    assert in_step(tmp_path / "b.mp4", 15, apart, within=0.021)
    with caplog.at_level(logging.WARNING, logger="vgan"):
        run(source, tmp_path / "c.mp4", segment_frames=40)
    assert beeps(tmp_path / "c.mp4") == beeps(tmp_path / "b.mp4")


@pytest.mark.parametrize("name", ["a.mkv", "a.ts"])
def test_a_picture_after_its_sound_in_the_file_comes_whole(tmp_path, name):
    path = tmp_path / name
    with (
        av.open(str(film(tmp_path / "b.mp4", options={"bf": "3"}))) as source,
        av.open(str(path), "w") as target,
    ):
        streams = source.streams.audio[0], source.streams.video[0]
        made = {s.index: target.add_stream_from_template(s) for s in streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = made[packet.stream.index]
                target.mux(packet)
    with VideoReader(path) as reader:
        assert sum(1 for _ in reader) == 50
        assert reader.damage is reader.doubt is None


@pytest.mark.parametrize(
    ("begins", "doubt"),
    [((9, 1), "none"), ((1, 3), "recordings are joined in it, or 1")],
)
def test_joined_recordings_are_not_damaged(tmp_path, begins, doubt):
    parts = [film(tmp_path / f"{k}.ts", begin=at) for k, at in enumerate(begins)]
    path = tmp_path / "a.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with VideoReader(path) as reader:
        assert sum(1 for _ in reader) == 100
        assert reader.damage is None
        assert (reader.doubt or "none").startswith(doubt)
