"""Damaged films: what is lost is counted; whole ones, however odd, are not blamed."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.video import sync
from tests.video.samples import make_video, moving
from vgan.video import VideoReader, VideoWriter

KINDS = [
    ("a.mp4", "libx264"),
    ("a.mov", "mjpeg"),
    ("a.mkv", "libx264"),
    ("a.webm", "libvpx"),
    ("a.webm", "libvpx-vp9"),
    ("a.ts", "libx264"),
    ("a.mpg", "mpeg2video"),
    ("a.avi", "mpeg4"),
    ("a.flv", "flv"),
]
# Declares how long it is before the first frame: what is cut off can be counted.
COUNTED = [kind for kind in KINDS if kind[0][-3:] not in (".ts", "mpg")]


def film(tmp_path, name, codec, **options):
    """40 frames; MP4 and MOV with the index first, as what streams has it."""
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = tmp_path / name
    made = make_video(path, 40, codec=codec, pix_fmt=pix_fmt, **options)
    if name[-3:] not in ("mp4", "mov"):
        return path
    made = made.rename(tmp_path / f"made_{name}")
    first = {"movflags": "+faststart"}
    with av.open(str(made)) as source, av.open(str(path), "w", options=first) as target:
        streams = {s: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                target.mux(packet)
    return path


def read(path, **options):
    """How many frames come, and what is said to be lost."""
    with VideoReader(path, **options) as reader:
        return sum(1 for _ in reader), reader.damage


@pytest.mark.parametrize(("name", "codec"), KINDS)
def test_whole_films_are_not_blamed(tmp_path, name, codec):
    path = film(tmp_path, name, codec)
    assert read(path) == (40, None)
    assert read(path, fps=10)[1] is None
    assert read(path, start=0.8)[1] is None
    if codec == "libx264" and not name.endswith("ts"):
        path = film(tmp_path, f"b_{name}", codec, audio=["aac"])
        assert read(path) == (40, None)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_an_odd_clock_is_no_damage(tmp_path, name):
    """Pauses, and a last frame that lasts for seconds, where sound goes on."""
    pts = [k + k // 3 + 20 * (k > 20) for k in range(40)]
    path = make_video(tmp_path / name, 40, pts=pts, audio=["aac"])
    assert read(path) == (40, None)
    if not name.endswith("ts"):
        with VideoWriter(tmp_path / f"b_{name}", fps=Fraction(1, 4)) as writer:
            for k, frame in enumerate(moving(5, 48, 64)):
                writer.write(frame, Fraction(k, 25))
        assert read(tmp_path / f"b_{name}") == (5, None)


def test_a_hole_in_a_steady_clock_is_told_but_no_damage(tmp_path):
    """A recorder may have paused."""
    pts = [k + 5 * (k > 20) for k in range(40)]
    path = make_video(tmp_path / "a.mkv", 40, pts=pts)
    with VideoReader(path) as reader:
        assert reader.doubt is None
        assert sum(1 for _ in reader) == 40
        assert reader.damage is None
        assert "room for 5 more frames" in reader.doubt


def test_who_stops_early_is_told_nothing(tmp_path):
    path = film(tmp_path, "a.mp4", "libx264")
    with VideoReader(path) as reader:
        next(reader)
        assert reader.damage is reader.doubt is None


def test_what_an_edit_list_hides_is_no_damage(tmp_path):
    """As of a film that was trimmed on a telephone: all frames are still there."""
    made, path = make_video(tmp_path / "made.mp4", 40), tmp_path / "a.mp4"
    with av.open(str(made)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        early = round(Fraction(1, 2) / source.streams.video[0].time_base)
        for packet in source.demux():
            if packet.dts is not None:
                packet.pts, packet.dts = packet.pts - early, packet.dts - early
                packet.stream = stream
                target.mux(packet)
    count, damage = read(path)
    assert count < 40
    assert damage is None


def test_a_frame_hidden_by_a_wrong_time_is_lost(tmp_path):
    """One that an edit list hides is meant to be; this one is a minute off."""
    path = film(tmp_path, "a.mp4", "libx264", options={"bf": "2"})
    data = bytearray(path.read_bytes())
    late = data.index(b"ctts") + 12 + 8 * 10 + 4  # of the eleventh entry
    data[late + 1] ^= 0x10  # of 1/12800 s
    path.write_bytes(data)
    assert read(path) == (39, "39 of 40 frames; the rest cannot be decoded")


def test_frames_that_a_damaged_list_of_times_hides_are_told(tmp_path):
    """One entry that goes on to the end: what follows is out of place, or after it."""
    path = film(tmp_path, "a.mp4", "libx264", options={"bf": "2"})
    data = bytearray(path.read_bytes())
    first = data.index(b"ctts") + 12
    wait = [int.from_bytes(data[first + 8 * k + 4 :][:4]) for k in range(20)]
    data[first + 8 * wait.index(max(wait), 10) + 1] ^= 2  # of its count
    path.write_bytes(data)
    with VideoReader(path) as reader:
        assert sum(1 for _ in reader) < 40
        assert reader.damage is None
        assert "its list of times is damaged" in reader.doubt


@pytest.mark.parametrize("end", [b"", b"\x21\xf9\x04\x05\x04\0\0\0", b"\0"])
def test_a_gif_without_its_end_is_cut_off(tmp_path, end):
    """Its frames may all be whole: only the mark of the end tells that none follow."""
    path = make_video(tmp_path / "a.gif", 5, codec="gif", pix_fmt="rgb8")
    whole = path.read_bytes()
    assert read(path) == (5, None)
    path.write_bytes(whole[:-1] + b"\x21\xfe\x05hello\0;")
    assert read(path) == (5, None)
    path.write_bytes(whole[:-1] + end)
    lost = "5 frames; a part of the file is damaged, and lost"
    begun = "5 of 6 frames; the rest cannot be decoded"
    assert read(path) == (5, begun if len(end) > 1 else lost)


@pytest.mark.parametrize("trims", [True, False])
def test_an_index_that_ends_early_is_no_edit_list(tmp_path, trims):
    path = film(tmp_path, "a.mov", "mjpeg")
    data = bytearray(path.read_bytes())
    if trims:  # as a telephone does
        where = data.index(b"elst") + 12
        length = int.from_bytes(data[where : where + 4]) // 4
        data[where : where + 4] = length.to_bytes(4)
    else:  # FFmpeg ends at a frame of a gigabyte
        data[data.index(b"stsz") + 16 + 4 * 10] ^= 0x40
    path.write_bytes(data)
    lost = "10 of 40 frames; the rest cannot be decoded"
    assert read(path) == (10, None if trims else lost)


def test_an_edit_list_that_leaves_out_nearly_all_is_told(tmp_path):
    path = film(tmp_path, "a.mp4", "libx264")
    data = bytearray(path.read_bytes())
    where = data.index(b"elst") + 12
    data[where : where + 4] = bytes([0, 0, 0, 40])  # milliseconds
    path.write_bytes(data)
    with VideoReader(path) as reader:
        count = sum(1 for _ in reader)
        assert reader.damage is None
        assert reader.doubt == f"its edit list leaves out {40 - count} of 40 frames"


def test_what_a_hole_at_the_beginning_holds_is_missed(tmp_path):
    """What FFmpeg cannot read there, it passes over."""
    path = film(tmp_path, "a.webm", "libvpx", options={"g": "10"})
    data = bytearray(path.read_bytes())
    first = data.index(bytes.fromhex("1f43b675"))  # a cluster
    data[first : first + 400] = bytes(400)
    path.write_bytes(data)
    count, damage = read(path)
    assert 0 < count < 40
    assert damage


@pytest.mark.parametrize("name", ["a.mkv", "a.webm"])
def test_a_block_of_no_track_is_damage(tmp_path, name):
    """FFmpeg ends there, as at the end of the file."""
    path = film(tmp_path, name, "libvpx-vp9")
    with av.open(str(path)) as container:
        block = [bytes(packet) for packet in container.demux(video=0)][20]
    data = bytearray(path.read_bytes())
    data[data.index(block) - 4] = 0  # the track's number
    path.write_bytes(data)
    count, damage = read(path)
    assert damage == f"{count} of 40 frames; the rest cannot be decoded"


def test_a_block_of_no_track_in_a_recording_is_damage(tmp_path):
    """As `MediaRecorder` writes it, without a length."""
    made, path = film(tmp_path, "made.webm", "libvpx-vp9"), tmp_path / "a.webm"
    live = {"live": "1"}
    with av.open(str(made)) as source, av.open(str(path), "w", options=live) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.metadata.clear()  # which has the length, too
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert read(path) == (40, None)
    with av.open(str(path)) as container:
        assert not container.duration
        block = [bytes(packet) for packet in container.demux(video=0)][37]
    data = bytearray(path.read_bytes())
    data[data.index(block) - 4] = 0  # the track's number
    path.write_bytes(data)
    count, damage = read(path)
    assert count < 40
    assert damage == f"{count} frames; a part of the file is damaged, and lost"


@pytest.mark.parametrize("audio", [[], ["aac"]])
def test_blocks_that_do_not_come_are_counted(tmp_path, audio):
    """FFmpeg ends where the sizes in a block do not add up, too."""
    path = film(tmp_path, "a.mkv", "libx264", audio=audio)
    with av.open(str(path)) as container:
        block = [bytes(packet) for packet in container.demux(video=0)][30]
    data = bytearray(path.read_bytes())
    data[data.index(block) - 1] |= 2  # several frames in one
    path.write_bytes(data)
    count, damage = read(path)
    assert count < 40
    assert damage is not None


def test_a_damaged_index_hides_no_loss(tmp_path):
    path = film(tmp_path, "a.avi", "mpeg4")
    data = bytearray(path.read_bytes())
    index = data.index(b"idx1")
    last = data.rindex(b"00dc", 0, index)
    data[last : last + 8] = bytes(8)
    assert data[index + 8 + 20 * 16 :][:4] == b"00dc"
    data[index + 8 + 20 * 16 :] = bytes(len(data) - index - 8 - 20 * 16)
    path.write_bytes(data)
    assert read(path) == (39, "39 of 40 frames; the rest cannot be decoded")


@pytest.mark.parametrize(("name", "codec"), COUNTED)
def test_what_is_cut_off_is_counted(tmp_path, name, codec):
    path = film(tmp_path, name, codec)
    data = path.read_bytes()
    counts = []
    for part in (0.7, 0.8, 0.9):  # the headers of AVI are large
        path.write_bytes(data[: int(part * len(data))])
        count, damage = read(path)
        assert damage == f"{count} of 40 frames; the rest cannot be decoded"
        counts.append(count)
    assert 0 < counts[0] < counts[1] < counts[2] < 40


def test_a_transport_stream_that_is_cut_off_says_so(tmp_path):
    path = film(tmp_path, "a.ts", "libx264")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 7])
    count, damage = read(path)
    assert damage.startswith(f"{count} ")
    assert "cut off" in damage or "cannot be decoded" in damage


def test_a_beginning_that_is_gone_is_told(tmp_path):
    """And with it the place where it says how long it is."""
    path = film(tmp_path, "a.flv", "flv", options={"g": "10"})
    data = bytearray(path.read_bytes())
    data[13 : len(data) // 2] = bytes(len(data) // 2 - 13)
    path.write_bytes(data)
    count, damage = read(path)
    assert count < 40
    assert "damaged" in damage or f"{count} of" in damage


@pytest.mark.parametrize(("name", "codec"), KINDS)
def test_what_is_zeroed_is_counted(tmp_path, name, codec):
    options = {"g": "10"}
    path = film(tmp_path, name, codec, height=96, width=128, options=options)
    data = bytearray(path.read_bytes())
    lost = []
    for place in np.linspace(0.4, 0.8, 6):
        damaged, start = data.copy(), int(place * len(data))
        damaged[start : start + 2500] = bytes(2500)
        path.write_bytes(damaged)
        count, damage = read(path)
        if count < 40:
            assert damage is not None
            lost.append(damage)
    assert lost


def test_a_resampled_film_counts_its_own_frames(tmp_path):
    path = film(tmp_path, "a.mkv", "libx264")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    count, damage = read(path)
    assert read(path, fps=50)[1] == damage
    assert f"{count} of 40" in damage


def test_sound_that_cannot_be_decoded_is_counted(tmp_path):
    made, path = tmp_path / "made.mkv", tmp_path / "a.mkv"
    make_video(made, 20, codec="mpeg2video", audio=["ac3"])
    with av.open(str(made)) as source, av.open(str(path), "w") as target:
        streams = {s: target.add_stream_from_template(s) for s in source.streams}
        for number, packet in enumerate(source.demux()):
            if packet.dts is None:
                continue
            stream, copy = streams[packet.stream], packet
            if packet.stream.type == "audio" and number > 20:
                copy = av.Packet(bytes(packet.size))
                copy.pts, copy.dts = packet.pts, packet.dts
                copy.time_base = packet.time_base
            copy.stream = stream
            target.mux(copy)
    with VideoReader(path) as reader:
        with VideoWriter(tmp_path / "b.webm", like=reader) as writer:
            for frame, timestamp in reader:
                writer.write(frame, timestamp)
        assert "packets of its sound cannot be decoded" in reader.damage


def test_sound_that_breaks_off_is_damage(tmp_path, monkeypatch):
    from vgan.video import sound

    def broken(self, *streams):
        raise av.error.InvalidDataError(1, "damaged")
        yield

    path = film(tmp_path, "a.mkv", "libx264", audio=["aac"])
    with VideoReader(path) as reader:
        like = {"format": av.format.ContainerFormat("matroska"), "demux": broken}
        container = type("Container", (), {**like, "close": lambda self: None})
        copied = sound.Sound(None, None, ".mkv")
        copied._like, copied._name, copied._input = reader, "a.mkv", container()
        assert list(copied._demux([])) == []
        assert reader.damage == "its sound ends early (damaged)"


@pytest.mark.parametrize("name", ["a.mpg", "a.h264"])
def test_whole_files_whose_structure_tells_little_are_whole(tmp_path, name):
    options = {"codec": "mpeg2video"} if name == "a.mpg" else {"sound": None}
    with VideoReader(sync.film(tmp_path / name, **options)) as reader:
        assert sum(1 for _ in reader) == 50
        assert reader.damage is reader.doubt is None


@pytest.mark.parametrize("seconds", [2, 1e9, float("inf")])
@pytest.mark.parametrize("fps", [None, 10])
def test_a_wild_length_is_no_total(tmp_path, seconds, fps):
    path = film(tmp_path, "a.mkv", "libx264")
    data = bytearray(path.read_bytes())
    place = data.index(bytes.fromhex("448988")) + 3  # the segment's, in ms
    data[place : place + 8] = struct.pack(">d", 1000 * seconds)
    path.write_bytes(data)
    with VideoReader(path, fps=fps) as reader:
        assert reader.num_frames == (2 * (fps or 25) if seconds == 2 else None)
        assert sum(1 for _ in reader) == (fps or 25) * 40 / 25
