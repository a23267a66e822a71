"""Parts of films: the same frames as of the whole, with what belongs to them."""

import math
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.video.samples import make_video, moving
from tests.video.sync import beeps, film, flashes
from tests.video.test_clock import copy, joined
from tests.video.test_frame_folders import render
from tests.video.test_streams import server, transport_stream
from tests.video.test_tags import film as film_with_texts  # noqa: F401
from tests.video.test_tags import texts
from vgan import InputError
from vgan.video import VideoReader, VideoWriter
from vgan.video.cut import ROUNDING, Cut, read, read_time
from vgan.video.segments import SegmentedWriter


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("12", 12), ("12.5", Fraction(25, 2)), ("12s", 12), (" .5s", Fraction(1, 2)),
        ("0:20", 20), ("90:00", 5400), ("1:02:03.5", Fraction(7447, 2)), ("5.", 5),
        (3, 3), (0.25, Fraction(1, 4)), (Fraction(1, 3), Fraction(1, 3)),
        (np.float32(1.5), Fraction(3, 2)),
    ],
)  # fmt: skip
def test_times(value, seconds):
    assert read_time("start", value) == seconds


@pytest.mark.parametrize(
    "value",
    ["", "-1", "1:", ":5", "1:60", "1:60:00", "1:2:3:4", "soon", "1e3", "nan", "1,5",
     "0:-5", "9" * 12, -1, math.nan, math.inf, True, None, [5]],
)  # fmt: skip
def test_what_is_no_time(value):
    with pytest.raises(InputError, match=r"start=.*: give seconds, such as "):
        read_time("start", value)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"start": 5, "end": "0:04"}, "end=0:04: is not after start=5; give a later"),
        ({"start": 5, "end": 5}, "end=5: is not after start=5"),
        ({"end": "0"}, "end=0: is not after start=0"),
        ({"duration": "0"}, "duration=0: give more than 0 seconds"),
        ({"end": 5, "duration": 5}, "duration: does not go with end="),
    ],
)
def test_parts_that_are_none(given, line):
    with pytest.raises(InputError, match=line):
        read(**given)


def test_all_of_it_is_no_cut():
    assert read() is None
    assert read(start="0:00") == Cut()


COUNT = 160
VARYING = np.cumsum([1, 1, 4, 2, 1, 60, 1] * 23)[:COUNT] - 1
LONG = {"g": "40", "bf": "3"}  # open to jump in, each with a way to go
FILMS = {
    "a.mp4": {"options": LONG},
    "varying.mp4": {"options": LONG, "pts": VARYING.tolist()},
    "b.mkv": {"options": LONG, "time_base": Fraction(1001, 30000)},
    "open.mkv": {"options": {**LONG, "x264-params": "open-gop=1"}},
    "refreshed.mp4": {"options": {"x264-params": "intra-refresh=1:keyint=30"}},
    "c.webm": {"codec": "libvpx-vp9", "options": {"g": "30", "cpu-used": "8"}},
    "d.ts": {"options": LONG, "begin": 700},
    "e.avi": {"codec": "mpeg4", "options": {"g": "12", "bf": "2"}},
    "f.mov": {"codec": "prores_ks", "pix_fmt": "yuv422p10le"},
    "woven.mkv": {"options": {"g": "30", "flags": "+ildct+ilme"}},
}


def weave(stream):
    stream.codec_context.flags |= 1 << 18 | 1 << 29


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Function of a film's name and rate: its path, all its frames and their times."""
    folder, known = tmp_path_factory.mktemp("films"), {}

    def get(name, fps=None):
        path = folder / name
        if name == "joined.ts" and not path.exists():
            joined(folder, 100, 9, seconds=3).rename(path)
        if name == "shot" and not path.exists():
            render(path, [f"f{n:03d}.png" for n in range(1001, 1025) if n % 7])
        if not path.exists():
            make_video(path, COUNT, **FILMS[name])
        if (name, fps) not in known:
            with VideoReader(path, fps=fps) as reader:
                known[name, fps] = list(reader)
        return path, known[name, fps]

    return get


PARTS = [(0, 1.0), (0.05, 0.49), (1.28, 2.56), (3.333, 4.2), (4.0, None), (5.61, 6)]


@pytest.mark.parametrize("fps", [None, 12])
@pytest.mark.parametrize("name", [*FILMS, "joined.ts", "shot"])
def test_frames_are_those_of_the_whole(whole, name, fps):
    path, every = whole(name, None if name == "shot" else fps)
    last = every[-1][1]
    for start, end in PARTS:
        if name == "shot":
            start, end = start / 8, end and end / 8
        if start > last:
            continue
        shown = [k for k, (_, t) in enumerate(every) if t <= Fraction(start) + ROUNDING]
        first = shown[-1] if shown else 0  # some begin a little late
        after = math.inf if end is None else Fraction(end) - ROUNDING
        expected = [every[first], *(f for f in every[first + 1 :] if f[1] < after)]
        rate = None if name == "shot" else fps
        with VideoReader(path, fps=rate, cut=read(start, end)) as reader:
            zero = reader.offset
            found = list(reader)
            assert next(reader, None) is None
            length = reader.shown[0] + reader.shown[1]
        assert [t for _, t in found] == [max(0, t - zero) for _, t in expected]
        for (one, _), (two, _) in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, two)
        held = start and zero != expected[0][1]
        assert not held or (name == "varying.mp4" and abs(zero - Fraction(start)) < 0.1)
        if end is not None:
            assert length < end - zero + Fraction(1, 12) + ROUNDING


def test_what_stands_for_long_is_cut(tmp_path):
    pictures = list(moving(3, 48, 64))
    slides = make_video(
        tmp_path / "a.mp4", frames=pictures, pts=[0, 100, 200], options={"bf": "0"}
    )
    with VideoReader(slides, cut=read(start=2, end=5.5)) as reader:
        assert [t for _, t in reader] == [0, 2]
        assert reader.shown == (2, Fraction(3, 2))
        assert (reader.offset, reader.duration) == (2, Fraction(7, 2))


def test_a_duration_counts_from_the_first_frame(whole):
    path, every = whole("a.mp4")
    with VideoReader(path, cut=read(start=0.05, duration=2)) as reader:
        found = list(reader)
        assert reader.num_frames == len(found) == 50
    np.testing.assert_array_equal(found[0][0], every[1][0])


@pytest.mark.parametrize("name", ["a.mp4", "b.mkv", "d.ts", "e.avi", "shot"])
@pytest.mark.parametrize("start", [100, 10**8])
def test_after_the_end(whole, name, start):
    path, _ = whole(name)
    with pytest.raises(InputError, match=r"has no frame at 1.* s, it is \d.* s long"):
        VideoReader(path, cut=read(start))


def test_names_of_pictures_stay(whole):
    path, _ = whole("shot")
    with VideoReader(path, cut=read(0.2, 0.4)) as reader:
        names = [reader.names[t] for _, t in reader]
    assert names == ["f1007", "f1009", "f1010", "f1011"]


@pytest.mark.parametrize(
    ("source", "target", "sound"),
    [
        ("a.mp4", "b.mp4", "aac"), ("a.mkv", "b.mkv", "flac"), ("a.ts", "b.mp4", "mp2"),
        ("a.mp4", "b.mkv", "aac"), ("a.mkv", "b.mov", "flac"),
        ("a.mkv", "b.webm", "aac"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("segmented", [False, True])
def test_sound_is_cut_with_the_picture(tmp_path, source, target, sound, segmented):
    begin = 50 if source == "a.ts" else 0
    path = film(tmp_path / source, seconds=44, sound=sound, begin=begin)
    cut, target = read(start="0:40.1", duration="2"), tmp_path / target
    with (
        VideoReader(path, cut=cut) as reader,
        SegmentedWriter(target, reader, "", dict, segment_frames=20)
        if segmented
        else VideoWriter(target, reader) as writer,
    ):
        for item in reader:
            writer.write(*item)
    expected = [0.1, 0.5, 0.9, 1.3, 1.7]
    np.testing.assert_allclose(flashes(target), expected, atol=0.021)
    np.testing.assert_allclose(beeps(target), flashes(target), atol=0.03)
    with av.open(str(target)) as container:
        assert abs(container.duration / av.time_base - 2) < 0.15
        assert container.streams.video[0].start_time in (0, None)
        (tone,) = container.streams.audio
        times = [p.pts * p.time_base for p in container.demux(tone) if p.size]
    assert -0.1 < times[0] < 0.03
    assert times[-1] < 2.1


def test_subtitles_and_chapters_are_cut(tmp_path, film_with_texts):  # noqa: F811
    for name in ("b.mkv", "b.mp4"):
        copy(film_with_texts, tmp_path / name, cut=read(start=0.6, duration=1))
        assert [t[:2] for t in texts(tmp_path / name)] == [(0, 300), (600, 400)]
        with av.open(str(tmp_path / name)) as container:
            parts = [
                (c["start"] * c["time_base"], c["end"] * c["time_base"])
                for c in container.chapters()
            ]
        assert parts == [(0, Fraction(1, 5)), (Fraction(1, 5), 1)]
    copy(film_with_texts, tmp_path / "c.mkv", cut=read(start=1))
    assert [t[:2] for t in texts(tmp_path / "c.mkv")] == [(200, 700)]
    with av.open(str(tmp_path / "c.mkv")) as container:
        assert [c["metadata"]["title"] for c in container.chapters()] == ["Two"]


def test_of_a_live_source_a_duration_only(tmp_path):
    with (
        server(transport_stream(tmp_path)) as address,
        VideoReader(f"tcp://{address}", cut=read(duration=0.4)) as reader,
    ):
        assert reader.is_live
        assert len(list(reader)) == 10
    with (
        server(transport_stream(tmp_path)) as address,
        pytest.raises(InputError, match="a live source cannot start at 1 s"),
    ):
        VideoReader(f"tcp://{address}", cut=read(start=1))
