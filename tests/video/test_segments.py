"""What a SegmentedWriter makes, from beginning to end."""

import os
import subprocess
import sys
from fractions import Fraction

import av
import ml_dtypes
import numpy as np
import pytest

from tests.video.samples import audio_packets, make_video
from tests.video.segmenting import (
    NAMES,
    decode_times,
    pictures,
    run,
    run_whole,
    times,
)
from vgan import InputError
from vgan.video import VideoReader, VideoWriter
from vgan.video.segments import SegmentedWriter

UNEVEN = [0, 3, 4, 5, 9, 10, 20, 21, 22, 25, 30, 31, 33, 70, 71, 72, 73, 80, 81, 99]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "base", [Fraction(1, 25), Fraction(1001, 30000), Fraction(1, 90000)]
)
@pytest.mark.parametrize("segment_frames", [1, 2, 3, 7, 20])
def test_times_and_length_are_those_of_a_video_writer(
    tmp_path, name, base, segment_frames
):
    source = make_video(tmp_path / "a.mp4", 20, pts=UNEVEN, time_base=base)
    run_whole(source, tmp_path / f"whole.{name}")
    run(source, tmp_path / name, segment_frames=segment_frames)
    seconds, length, duration = times(tmp_path / name)
    whole = times(tmp_path / f"whole.{name}")
    assert seconds == whole[0]
    if name in ("b.mp4", "b.mov"):
        assert seconds == [pts * base for pts in UNEVEN]
    if segment_frames > 2:  # x264 holds back two frames, if it gets as many
        assert (length, duration) == whole[1:]
        if name in ("b.mp4", "b.mov"):  # others do not keep them
            assert decode_times(tmp_path / name) == decode_times(
                tmp_path / f"whole.{name}"
            )


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv"])
def test_any_times_survive(tmp_path, name):
    rng = np.random.default_rng(0)
    for _ in range(8):
        pts = np.cumsum(rng.choice([1, 2, 5, 40, 3000], 30)).tolist()
        source = make_video(tmp_path / "a.mp4", 30, 16, 16, pts=pts)
        run_whole(source, tmp_path / f"whole.{name}")
        run(source, tmp_path / name, segment_frames=int(rng.integers(3, 16)))
        assert times(tmp_path / name) == times(tmp_path / f"whole.{name}")
        for made in (tmp_path / name, tmp_path / f"whole.{name}"):
            made.unlink()


@pytest.mark.parametrize("name", NAMES)
def test_sound_and_description_are_those_of_a_video_writer(tmp_path, clip, name):
    def describe(stream):
        context = stream.codec_context
        context.sample_aspect_ratio = Fraction(4, 3)
        context.color_primaries, context.color_trc = 5, 6
        context.colorspace = 5

    other = make_video(tmp_path / "a.mp4", 23, setup=describe)
    for source in (clip, other):
        run_whole(source, tmp_path / f"whole.{name}")
        run(source, tmp_path / name)
        assert audio_packets(tmp_path / name) == audio_packets(
            tmp_path / f"whole.{name}"
        )
        descriptions = []
        for path in (tmp_path / name, tmp_path / f"whole.{name}"):
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                context = stream.codec_context
                descriptions.append(
                    (
                        context.codec.name, context.profile, context.format.name,
                        context.color_primaries, context.color_trc,
                        context.colorspace, context.color_range,
                        stream.sample_aspect_ratio, stream.time_base,
                        stream.average_rate, stream.start_time, context.extradata,
                    )
                )  # fmt: skip
            path.unlink()
        assert descriptions[0] == descriptions[1]


def test_segments_have_b_frames(tmp_path, clip):
    run(clip, tmp_path / "b.mp4", segment_frames=8)
    with av.open(str(tmp_path / "b.mp4")) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    assert [p.dts for p in packets] != [p.pts for p in packets]
    assert sum(p.is_keyframe for p in packets) == 3


def test_snapshots_are_kept_as_they_are(tmp_path):
    saved = {
        "state/é": np.arange(6, dtype=np.float16).reshape(1, 2, 3),
        "empty": np.zeros((0, 3), np.int64),
        "scalar": np.float32(0.1),
        "flag": True,
        "none": None,
        "nested": {"a": [1, 2.5, "x"]},
    }
    frame = np.zeros((16, 16, 3), np.uint8)
    for value, reason in (
        (np.array([object()]), "object"),
        (np.zeros(2, ml_dtypes.bfloat16), "bfloat16"),
    ):
        with (
            pytest.raises(TypeError, match=f"snapshot: bad is {reason}"),
            SegmentedWriter(
                tmp_path / "b.mp4",
                None,
                0,
                lambda v=value: {"bad": v},
                segment_frames=1,
            ) as writer,
        ):
            writer.write(frame, 0)
        assert list(tmp_path.iterdir()) == []
    with (  # noqa: PT012
        pytest.raises(KeyboardInterrupt),
        SegmentedWriter(
            tmp_path / "b.mp4", None, 0, lambda: saved, segment_frames=1
        ) as writer,
    ):
        assert (writer.done, writer.resume_time, writer.snapshot) == (0, None, None)
        writer.write(frame, Fraction(1, 3))
        raise KeyboardInterrupt
    with SegmentedWriter(
        tmp_path / "b.mp4", None, 0, lambda: saved, segment_frames=1
    ) as writer:
        got = writer.snapshot
        assert (writer.done, writer.resume_time) == (1, Fraction(1, 3))
        with pytest.raises(ValueError, match="first was"):
            writer.write(np.zeros((8, 16, 3), np.uint8), 1)
    assert got.keys() == saved.keys()
    for name, value in saved.items():
        assert np.array_equal(got[name], value)
        assert getattr(got[name], "dtype", None) == getattr(value, "dtype", None)


def test_the_callers_snapshots_are_due_where_it_is_told(tmp_path, clip):
    asked = []
    with (
        VideoReader(clip) as reader,
        SegmentedWriter(
            tmp_path / "b.mp4",
            reader,
            0,
            lambda: asked.append(1) or {},
            segment_frames=4,
        ) as writer,
    ):
        for index, (frame, timestamp) in enumerate(reader):
            before = len(asked)
            writer.write(frame, timestamp)
            assert (len(asked) > before) == writer.ends_segment(index)
    assert len(asked) == 5


def test_two_runs_at_once_are_refused(tmp_path, clip):
    target = tmp_path / "b.mp4"
    with VideoReader(clip) as reader:
        first = SegmentedWriter(target, reader, 0, dict)
        with pytest.raises(InputError, match="another run is writing it"):
            SegmentedWriter(target, reader, 0, dict)
        first.write(*next(reader))
        first.close()
    assert [p.name for p in tmp_path.iterdir()] == ["b.mp4"]


def test_bad_output_is_refused_at_once(tmp_path, clip):
    (tmp_path / "there.mp4").write_bytes(b"precious")
    with VideoReader(clip) as reader:
        for path, words in (
            (tmp_path / "there.mp4", "exists"),
            (tmp_path / "b.gif", "cannot be made in segments; give .mp4"),
            (f"{tmp_path}/there.mp4/", "a file of that name exists"),
            ("-", "cannot be made in segments"),
            ("rtmp://host/app/secret", r"host/app/\.\.\.: cannot be made in segments"),
            (tmp_path / "no" / "b.mp4", "there is no folder"),
        ):
            with pytest.raises(InputError, match=words):
                SegmentedWriter(path, reader, 0, dict)
        with pytest.raises(InputError, match="is the input itself"):
            SegmentedWriter(clip, reader, 0, dict, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["there.mp4"]


def test_no_frame_is_an_error(tmp_path):
    with (
        pytest.raises(InputError, match="no frame"),
        SegmentedWriter(tmp_path / "b.mp4", None, 0, dict),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_overwriting_happens_at_the_end(tmp_path, clip):
    target = tmp_path / "b.mp4"
    target.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError):
        run(clip, target, 12, overwrite=True)
    assert target.read_bytes() == b"old"
    assert run(clip, target, overwrite=True).done == 10
    assert len(pictures(target)) == 23


_MEMORY = """
import sys
from vgan.video import VideoReader
from vgan.video.segments import SegmentedWriter

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20

with VideoReader(sys.argv[1]) as reader:
    writer = SegmentedWriter(sys.argv[2], reader, 0, dict, segment_frames=50)
    for count, (frame, timestamp) in enumerate(writer.remaining(reader)):
        writer.write(frame, timestamp)
        if count == 200:
            early = resident()
    writer.close()
print(early, resident(), count + 1)
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads /proc")
def test_memory_stays_flat(tmp_path):
    source = make_video(tmp_path / "a.mp4", 1000, 90, 160, audio=["aac"])
    result = subprocess.run(
        [sys.executable, "-c", _MEMORY, str(source), str(tmp_path / "b.mp4")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    early, late, count = map(float, result.stdout.split())
    assert count == 1000
    assert late < early * 1.1


@pytest.mark.parametrize("file", ["sunset_vfr_7frames.mp4", "rooftop_hevc10_vfr.mp4"])
@pytest.mark.parametrize("name", ["b.mp4", "b.mkv"])
def test_real_uneven_videos_keep_their_times(tmp_path, shared_data, file, name):
    with VideoReader(shared_data / "videos" / file) as reader:
        frames = [
            (f[::8, ::8].copy(), t)
            for _, (f, t) in zip(range(60), reader, strict=False)
        ]
        with VideoWriter(tmp_path / f"whole.{name}", reader) as writer:
            for frame, timestamp in frames:
                writer.write(frame, timestamp)
        with SegmentedWriter(
            tmp_path / name, reader, 0, dict, segment_frames=6
        ) as writer:
            for frame, timestamp in frames:
                writer.write(frame, timestamp)
    assert times(tmp_path / name) == times(tmp_path / f"whole.{name}")
    assert audio_packets(tmp_path / name) == audio_packets(tmp_path / f"whole.{name}")
    if name == "b.mp4":
        assert times(tmp_path / name)[0] == [timestamp for _, timestamp in frames]


def test_a_name_that_looks_like_a_protocol_is_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(make_video(tmp_path / "a.mkv"), "a:b.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mkv", "a:b.mp4"]
