from fractions import Fraction

import av
import numpy as np
import pytest

from tests.runtime.scenes import scene
from vgan import InputError
from vgan.runtime import Stylizer
from vgan.video import VideoReader, VideoWriter

CODE = np.ones((1, 16), np.float32)


@pytest.fixture
def stylizer(engine):
    return Stylizer(engine, CODE)


def moving(seed, count=4, height=50, width=70):
    wide = scene(seed, height, width + 10 * count)
    return [wide[:, 3 * i : 3 * i + width] for i in range(count)]


def run(stylizer, frames):
    return [stylizer(frame) for frame in frames]


@pytest.mark.parametrize(
    ("height", "width"),
    [(1, 1), (1, 40), (10, 12), (12, 7), (16, 16), (33, 47), (121, 161)],
)
def test_any_size(stylizer, height, width):
    frame = scene(0, height, width)
    result = stylizer(frame)
    assert result.shape == frame.shape
    assert result.dtype == np.uint8


def test_padding_is_not_seen_where_none_is_needed(engine, stylizer):
    frame = scene(0, 32, 64)
    content = frame[None, None].astype(np.float32) / 127.5 - 1
    expected, _ = engine.step(content, CODE, engine.initial_state(32, 64))
    np.testing.assert_allclose(
        stylizer(frame), expected[0, 0] * 127.5 + 127.5, atol=0.501
    )


def test_state_is_carried(engine, stylizer):
    frames = moving(0)
    together = run(stylizer, frames)[-1]
    alone = Stylizer(engine, CODE)(frames[-1])
    assert (together != alone).any()


def test_reset_cut_and_change_of_size_start_afresh(engine, stylizer):
    first, second = moving(0), moving(2)
    fresh = run(Stylizer(engine, CODE), second)
    run(stylizer, first)
    np.testing.assert_array_equal(run(stylizer, second), fresh)  # a cut lies between
    stylizer.reset()
    np.testing.assert_array_equal(run(stylizer, second), fresh)
    run(stylizer, moving(2, height=40))
    np.testing.assert_array_equal(run(stylizer, second), fresh)


def test_strength(engine):
    frame = scene(0)
    full = Stylizer(engine, CODE, 1.0)(frame).astype(float)
    half = Stylizer(engine, CODE, 0.5)(frame)
    none = Stylizer(engine, CODE, 0.0)(frame)
    np.testing.assert_array_equal(none, frame)
    np.testing.assert_allclose(half, (full + frame) / 2, atol=1.0)
    assert np.abs(full - frame).mean() > 5


def test_bad_arguments(engine, stylizer):
    for strength in -0.1, 1.1, float("nan"):
        with pytest.raises(InputError, match="strength"):
            Stylizer(engine, CODE, strength)
    with pytest.raises(
        InputError, match=r"takes codes \[1, 16\].*got float32 \[1, 8\]"
    ):
        Stylizer(engine, CODE[:, :8])
    for frame in scene(0).astype(np.float32), scene(0)[..., :1], scene(0)[..., 0]:
        with pytest.raises(ValueError, match="uint8"):
            stylizer(frame)


@pytest.mark.parametrize(
    "frame",
    [None, "x", [[[1, 2, 3]]], np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3))],
)
def test_what_is_no_frame(stylizer, frame):
    with pytest.raises(InputError, match=r"^frame: takes"):
        stylizer(frame)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("strength", value) for value in ("x", 5, True, None)),
        *(("style_code", value) for value in (CODE[:, :8], None, "mosaic")),
    ],
)
def test_attributes_are_checked_when_they_are_set(stylizer, name, value):
    with pytest.raises(InputError, match=r"^(strength=|style: )"):
        setattr(stylizer, name, value)


@pytest.mark.parametrize("kept", [None, {"tiles": 1}, 3, {"tiles": 1, "size": "x"}])
def test_what_is_no_snapshot(stylizer, kept):
    with pytest.raises(InputError, match=r"^kept: takes what snapshot gave"):
        stylizer.restore(kept)
    stylizer(scene(0))  # it begins afresh


def sound(path):
    with av.open(str(path)) as container:
        return [
            sum(packet.size for packet in container.demux(stream))
            for stream in container.streams.audio
            if container.seek(0) is None
        ]


@pytest.mark.parametrize(
    "name",
    [
        "sunset_vfr_7frames.mp4",
        "keyboard_rot90_3frames.mov",
        "animal_bear_odd_161x121.webm",
        "handheld_room_realshort.mp4",
        "london_station_60fps.mp4",
        "space_nasa_multistream.mp4",
        "newtonscradle.gif",
        "TINY_10x12_multitrack.mp4",
        "TINY_50x50_unordered.mov",
    ],
)
def test_real_videos_keep_frames_times_size_and_sound(
    stylizer, shared_data, tmp_path, name
):
    source, target = shared_data / "videos" / name, tmp_path / "out.mp4"
    with VideoReader(source) as reader, VideoWriter(target, like=reader) as writer:
        size = reader.width, reader.height
        times = []
        for frame, timestamp in reader:
            writer.write(stylizer(frame), timestamp)
            times.append(timestamp)
        tick = max(reader.time_base, Fraction(1, 1000))
    with VideoReader(target) as reader:
        assert (reader.width, reader.height) == size
        written = [timestamp for _, timestamp in reader]
    assert len(written) == len(times)
    errors = [abs(a - b) for a, b in zip(times, written, strict=True)]
    assert max(errors) <= tick
    assert sound(target) == sound(source)
