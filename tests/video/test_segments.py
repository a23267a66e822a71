import os
import signal
import subprocess
import sys
import zlib
from fractions import Fraction

import av
import ml_dtypes
import numpy as np
import pytest

from tests.video.samples import audio_packets, make_video, moving
from vgan import InputError
from vgan.video import VideoReader, VideoWriter
from vgan.video.segments import SegmentedWriter

NAMES = ["b.mp4", "b.mov", "b.mkv", "b.webm"]
UNEVEN = [0, 3, 4, 5, 9, 10, 20, 21, 22, 25, 30, 31, 33, 70, 71, 72, 73, 80, 81, 99]


class Trail:
    """Stands for a recurrent network: each frame leaves a trace in the next ones."""

    def __init__(self):
        self.trace, self.count = None, 0

    def __call__(self, frame):
        old = frame if self.trace is None else self.trace
        self.trace = np.float32(0.7) * old + np.float32(0.3) * frame
        self.count += 1
        return np.uint8(self.trace)

    def save(self):
        return {"trace/0": self.trace, "count": self.count}

    def restore(self, snapshot):
        self.trace, self.count = snapshot["trace/0"], snapshot["count"]


def run(source, target, stop=None, error=ZeroDivisionError, task="trail", **options):
    """Stylise; raise `error` instead of writing frame number `stop` of this run."""
    trail = Trail()
    options = {"segment_frames": 5, **options}
    with (
        VideoReader(source) as reader,
        SegmentedWriter(target, reader, task, trail.save, **options) as writer,
    ):
        if writer.snapshot:
            trail.restore(writer.snapshot)
        for made, (frame, timestamp) in enumerate(writer.remaining(reader)):
            if made == stop:
                raise error
            writer.write(trail(frame), timestamp)
        if stop is not None:
            raise error
    return writer


def run_whole(source, target):
    """The same with a VideoWriter."""
    trail = Trail()
    with VideoReader(source) as reader, VideoWriter(target, reader) as writer:
        for frame, timestamp in reader:
            writer.write(trail(frame), timestamp)


def times(path):
    """Seconds of all frames as FFmpeg decodes them, and how long the picture is."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        seconds = [frame.pts * frame.time_base for frame in container.decode(stream)]
        length = stream.duration and stream.duration * stream.time_base
        return seconds, length, container.duration


def decode_times(path):
    with av.open(str(path)) as container:
        return [p.dts for p in container.demux(video=0) if p.size]


def pictures(path):
    with av.open(str(path)) as container:
        return [
            (
                zlib.crc32(frame.to_ndarray(format="rgb24").tobytes()),
                frame.pts * frame.time_base,
            )
            for frame in container.decode(video=0)
        ]


def segments(target):
    folder = target.with_name(f".{target.name}.segments")
    return sorted(folder.glob("*.segment"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "a.mp4"
    return make_video(
        path, 23, audio=["aac", "aac"], pts=[k + k // 7 for k in range(23)]
    )


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


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("name", NAMES)
def test_interrupted_and_resumed_is_the_same(tmp_path, clip, caplog, name, error):
    run(clip, tmp_path / f"whole{name}")
    target = tmp_path / name
    done = 0
    # Before the first frame and the first segment's end, at ends, next to them.
    for stop in (0, 1, 4, 5, 0, 6, 3, 7, 0):
        caplog.clear()
        with pytest.raises(error):
            run(clip, target, stop, error)
        done += stop // 5 * 5
        assert not target.exists()
        assert len(segments(target)) == done // 5
        kept = f"stopped: {done} frames are kept; the same command again goes on"
        assert (kept in caplog.text) == (error is KeyboardInterrupt)
    assert done == 15
    writer = run(clip, target)
    assert (writer.done, writer.num_frames, writer.path) == (15, 23, target)
    assert writer.snapshot["count"] == 15
    with VideoReader(clip) as reader:
        assert writer.resume_time == list(reader)[14][1]
    assert pictures(target) == pictures(tmp_path / f"whole{name}")
    assert times(target) == times(tmp_path / f"whole{name}")
    assert audio_packets(target) == audio_packets(tmp_path / f"whole{name}")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, f"whole{name}"])


def test_interrupted_before_anything_is_done_leaves_nothing(tmp_path, clip):
    for error in (ZeroDivisionError, KeyboardInterrupt):
        for stop in (0, 3):
            with pytest.raises(error):
                run(clip, tmp_path / "b.mp4", stop, error)
            assert list(tmp_path.iterdir()) == []


def test_interrupted_after_the_last_frame(tmp_path, clip):
    """When only the joining is left, or a last segment that is not full."""
    for segment_frames in (5, 23):
        run(clip, tmp_path / "whole.mp4", segment_frames=segment_frames)
        with pytest.raises(ZeroDivisionError):
            run(clip, tmp_path / "b.mp4", 23, segment_frames=segment_frames)
        run(clip, tmp_path / "b.mp4", segment_frames=segment_frames)
        assert pictures(tmp_path / "b.mp4") == pictures(tmp_path / "whole.mp4")
        (tmp_path / "b.mp4").unlink()
        (tmp_path / "whole.mp4").unlink()


_CHILD = """
import os, pathlib, resource, signal, sys, threading
from tests.video.test_segments import run
source, target, stop, limit = sys.argv[1:]
if int(limit):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
class Kill(BaseException):
    def __init__(self):
        os.kill(os.getpid(), signal.SIGKILL)
def watch():
    while not list(pathlib.Path(target).parent.glob(".*/joined.*")):
        pass
    os.kill(os.getpid(), signal.SIGKILL)
if stop == "joining":
    threading.Thread(target=watch, daemon=True).start()
    stop = "-1"
try:
    run(source, target, None if stop == "-1" else int(stop), Kill)
except Exception as error:
    print(type(error).__name__, error)
"""


def child(source, target, stop=-1, limit=0):
    return subprocess.run(
        [sys.executable, "-c", _CHILD, str(source), str(target), str(stop), str(limit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("stops", [(3, 7, 5), (12, "joining")])
def test_killed_and_resumed_is_the_same(tmp_path, clip, stops):
    run(clip, tmp_path / "whole.mp4")
    target = tmp_path / "b.mp4"
    done = 0
    for stop in stops:
        assert child(clip, target, stop).returncode == -signal.SIGKILL
        assert not target.exists()
        done = 23 if stop == "joining" else done + stop // 5 * 5
        assert len(segments(target)) == -(-done // 5)
    writer = run(clip, target)
    assert writer.done == done
    assert pictures(target) == pictures(tmp_path / "whole.mp4")
    assert audio_packets(target) == audio_packets(tmp_path / "whole.mp4")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.mp4", "whole.mp4"]


def test_full_disk_is_one_line_and_keeps_what_is_done(tmp_path):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (96, 128, 3), np.uint8) for _ in range(42)]
    source = make_video(tmp_path / "a.mkv", 42, 96, 128, frames=noise)
    run(source, tmp_path / "whole.mkv")
    size = (tmp_path / "whole.mkv").stat().st_size
    target = tmp_path / "b.mkv"
    for limit, count in (
        (size // 20, 0),
        (size * 4 // 5, 9),
    ):  # in a segment; in joining
        result = child(source, target, limit=limit)
        (line,) = result.stdout.splitlines()
        assert line.startswith(f"InputError {target}: cannot be written (File too lar")
        assert "what is done is kept" in line
        assert not target.exists()
        assert len(segments(target)) == count
    assert run(source, target).done == 42
    assert pictures(target) == pictures(tmp_path / "whole.mkv")


def _cut(data):
    return data[: len(data) // 2]


def _flip(data):
    middle = len(data) // 3
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [_cut, _flip, lambda data: b""])
def test_a_damaged_segment_and_what_follows_are_made_anew(
    tmp_path, clip, caplog, damage
):
    run(clip, tmp_path / "whole.mp4")
    target = tmp_path / "b.mp4"
    with pytest.raises(ZeroDivisionError):
        run(clip, target, 17)
    one, two, three = segments(target)
    two.write_bytes(damage(two.read_bytes()))
    with pytest.raises(ZeroDivisionError):
        run(clip, target, 0)
    assert [r.message for r in caplog.records if "is damaged" in r.message] == [
        f"{two}: is damaged, it and what follows is made anew"
    ]
    assert segments(target) == [one]
    assert not three.exists()
    assert run(clip, target).done == 5
    assert pictures(target) == pictures(tmp_path / "whole.mp4")


def test_no_damage_goes_unnoticed(tmp_path, clip):
    """Whatever byte is altered: the segment is dropped, or holds the same."""
    target = tmp_path / "b.mp4"
    run(clip, tmp_path / "whole.mp4")
    with pytest.raises(ZeroDivisionError):
        run(clip, target, 6)
    (path,) = segments(target)
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    # The end of the file is its table of contents.
    places = [
        *rng.integers(0, len(good), 60),
        *rng.integers(len(good) - 400, len(good), 60),
    ]
    seen = set()
    for place in places:
        data = bytearray(good)
        data[place] ^= 1 << rng.integers(8)
        path.write_bytes(data)
        with VideoReader(clip) as reader:
            writer = SegmentedWriter(target, reader, "trail", dict, segment_frames=5)
            seen.add(writer.done)
            if writer.done:
                assert writer.snapshot["count"] == 5
            writer.__exit__(ZeroDivisionError, None, None)
        path.parent.mkdir(exist_ok=True)
    assert 0 in seen


def test_another_task_starts_afresh(tmp_path, clip, caplog):
    target = tmp_path / "b.mp4"
    for change in (
        {"task": {"style": "other", "size": [1, 2]}},
        {"quality": 20},
        {"segment_frames": 6},
    ):
        caplog.clear()
        with pytest.raises(ZeroDivisionError):
            run(clip, target, 12)
        assert run(clip, target, **change).done == 0
        assert sum("made anew" in r.message for r in caplog.records) == 1
        target.unlink()
        with pytest.raises(ZeroDivisionError):
            run(clip, target, 7, **change)
        assert run(clip, target, **change).done in (5, 6)
        target.unlink()
        assert list(tmp_path.iterdir()) == []


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


def test_where_seeking_finds_other_frames_they_are_counted(tmp_path):
    """Two recordings in one: the clock starts again, so times say nothing."""
    parts = []
    for number in range(2):
        frames = [255 - f if number else f for f in moving(20, 48, 64)]
        path = make_video(
            tmp_path / f"{number}.ts", 20, codec="mpeg2video", begin=5,
            frames=frames,
        )  # fmt: skip
        parts.append(path.read_bytes())
    source = tmp_path / "a.ts"
    source.write_bytes(b"".join(parts))
    run(source, tmp_path / "whole.mp4")
    for stop in (11, 26, 33):
        with pytest.raises(ZeroDivisionError):
            run(source, tmp_path / "b.mp4", stop)
        assert run(source, tmp_path / "b.mp4").done == stop // 5 * 5
        assert pictures(tmp_path / "b.mp4") == pictures(tmp_path / "whole.mp4")
        (tmp_path / "b.mp4").unlink()


def test_frames_that_the_earlier_run_did_not_see_are_refused(tmp_path, clip):
    target = tmp_path / "b.mp4"
    with pytest.raises(ZeroDivisionError):
        run(clip, target, 12)
    with (
        VideoReader(clip, start=Fraction(3, 25)) as reader,
        pytest.raises(InputError, match=r"is not what .*b.mp4 was begun with"),
        SegmentedWriter(target, reader, "trail", dict, segment_frames=5) as writer,
    ):
        next(writer.remaining(reader))
    assert len(segments(target)) == 2
    assert run(clip, target).done == 10


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
            (tmp_path / "pngs", "cannot be made in segments"),
            (f"{tmp_path}/v1.mp4/", "cannot be made in segments"),
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
