"""Sound that containers and codecs do not take as it is."""

import zlib

import av
import numpy as np
import pytest

from tests.video.samples import audio_packets, loudest_hertz, make_video
from tests.video.sync import beeps, film, flashes
from tests.video.test_clock import copy, in_step, lines
from vgan import InputError
from vgan.video import VideoReader
from vgan.video.sound import check


def described(path):
    """(codec, layout, rate) of each sound track."""
    with av.open(str(path)) as container:
        return [
            (s.codec_context.codec.canonical_name, s.layout.name, s.sample_rate)
            for s in container.streams.audio
        ]


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv"])
def test_a_track_without_a_packet_is_left_out_and_said(tmp_path, caplog, name):
    """As of a camera whose microphone is off."""
    data = film(tmp_path / "a.ts", sound="aac").read_bytes()
    packets = [data[k : k + 188] for k in range(0, len(data), 188)]
    kept = [p for p in packets if (p[1] & 31) << 8 | p[2] != 0x101]
    (tmp_path / "b.ts").write_bytes(b"".join(kept))
    assert len(copy(tmp_path / "b.ts", tmp_path / name)) == 50
    assert described(tmp_path / name) == []
    assert lines(caplog) == [f"{tmp_path}/b.ts: sound track 1 is empty and left out"]


@pytest.mark.parametrize(
    ("name", "rate", "layout", "becomes", "said"),
    [
        ("b.mp4", 48000, "5.1", ("aac", "5.1", 48000), "aac"),
        ("b.mp4", 48000, "7.1", ("aac", "7.1", 48000), "aac"),
        ("b.mp4", 192000, "stereo", ("aac", "stereo", 96000), "aac, at 96000 Hz"),
        ("b.mp4", 22255, "mono", ("aac", "mono", 24000), "aac, at 24000 Hz"),
        ("b.webm", 44100, "5.1(side)", ("opus", "5.1", 48000), "opus, at 48000 Hz"),
        ("b.webm", 48000, "4.0", ("opus", "quad", 48000), "opus"),
        ("b.mov", 48000, "5.1", ("pcm_s16le", "6 channels", 48000), None),
        ("b.mkv", 192000, "5.1", ("pcm_s16le", "6 channels", 192000), None),
    ],
)
def test_rates_and_layouts(tmp_path, caplog, name, rate, layout, becomes, said):
    source = film(tmp_path / "a.mkv", sound="pcm_s16le", rate=rate, layout=layout)
    copy(source, tmp_path / name)
    assert described(tmp_path / name) == [becomes]
    assert np.allclose(beeps(tmp_path / name), beeps(source), atol=0.01)
    if said is None:
        assert lines(caplog) == []
    else:
        (line,) = lines(caplog)
        assert line.endswith(f"encoded anew as {said}")


def test_what_a_decoder_holds_back_to_the_end_is_kept(tmp_path):
    """WMA's last frame comes without a time."""
    source, long = tmp_path / "a.wma", 40
    with av.open(str(source), "w") as container:
        sound = container.add_stream("wmav2", rate=44100)
        sound.layout, sound.bit_rate = "mono", 64000
        picture = container.add_stream("msmpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
        for index in range(long):
            frame = av.VideoFrame(32, 32, "yuv420p")
            frame.pts = index
            container.mux(picture.encode(frame))
            wave = np.full((1, 1764), 0.1, np.float32)
            heard = av.AudioFrame.from_ndarray(wave, "fltp", "mono")
            heard.sample_rate, heard.pts = 44100, 1764 * index
            container.mux(sound.encode(heard))
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))
    assert len(copy(source, tmp_path / "b.mp4")) == long
    assert loudest_hertz(tmp_path / "b.mp4")[1] == pytest.approx(long / 25, abs=0.06)


@pytest.mark.parametrize(
    ("layouts", "rates"),
    [(["stereo", "mono"], [48000] * 2), (["mono"] * 2, [48000, 32000])],
)
def test_sound_that_changes_midway_is_one_track(tmp_path, layouts, rates):
    """Films and advertisements of a broadcast."""
    parts = [
        film(tmp_path / f"{k}.ts", begin=100 + 2 * k, layout=layout, rate=rate)
        for k, (layout, rate) in enumerate(zip(layouts, rates, strict=True))
    ]
    (tmp_path / "a.ts").write_bytes(b"".join(p.read_bytes() for p in parts))
    apart = beeps(parts[0])[1] - flashes(parts[0])[1]
    assert len(copy(tmp_path / "a.ts", tmp_path / "b.webm")) == 100
    assert described(tmp_path / "b.webm") == [("opus", layouts[0], 48000)]
    assert in_step(tmp_path / "b.webm", 10, apart)


def checksum(section):
    """CRC-32 of MPEG-2: not reflected."""
    flip = bytes(int(f"{n:08b}"[::-1], 2) for n in range(256))
    mirrored = zlib.crc32(section.translate(flip)) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2).to_bytes(4, "big")


def test_only_the_programme_of_the_picture_is_heard(tmp_path):
    """A broadcast carries several; their sound is not that of the film."""
    parts = []
    for number, (service, tables, streams) in enumerate(
        ((1, 0x1000, 0x100), (2, 0x1010, 0x110))
    ):
        options = {
            "mpegts_service_id": str(service),
            "mpegts_pmt_start_pid": str(tables),
            "mpegts_start_pid": str(streams),
        }
        path = film(
            tmp_path / f"{number}.ts", begin=100, container_options=options,
            layout=("mono", "stereo")[number],
        )  # fmt: skip
        data = path.read_bytes()
        parts.append([data[k : k + 188] for k in range(0, len(data), 188)])
    table = bytes.fromhex("00b0110001c100000001f0000002f010")
    pat = b"\x47\x40\x00\x10\x00" + table + checksum(table)
    mixed = [pat.ljust(188, b"\xff")]
    for pair in zip(*parts, strict=False):
        mixed += [p for p in pair if (p[1] & 31) << 8 | p[2] != 0]
    (tmp_path / "a.ts").write_bytes(b"".join(mixed))
    with av.open(str(tmp_path / "a.ts")) as container:
        assert len(container.streams.audio) == 2
    copy(tmp_path / "a.ts", tmp_path / "b.mp4")
    assert [layout for _, layout, _ in described(tmp_path / "b.mp4")] == ["mono"]


def test_all_tracks_of_a_file_are_kept_in_order(tmp_path):
    source = make_video(tmp_path / "a.mkv", 25, audio=["pcm_s16le", "aac"])
    copy(source, tmp_path / "b.mp4")
    for track, tone in enumerate((220, 440)):
        assert abs(loudest_hertz(tmp_path / "b.mp4", track)[0] - tone) < 3


def test_sound_whose_time_stands_still_is_not_lost_in_silence(tmp_path, caplog):
    with (
        av.open(str(film(tmp_path / "a.mkv", sound="mp2"))) as source,
        av.open(str(tmp_path / "b.mkv"), "w") as target,
    ):
        pairs = {s: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.size:
                packet.stream = pairs[packet.stream]
                if packet.stream.type == "audio":
                    packet.pts = packet.dts = 0
                target.mux(packet)
    copy(tmp_path / "b.mkv", tmp_path / "c.mkv")
    assert "sound track 1 runs over itself: " in lines(caplog)[0]


@pytest.mark.parametrize(
    ("kind", "sound", "name", "becomes"),
    [
        ("keep", "flac", "b.mp4", [("flac", "5.1(side)", 48000)]),
        ("none", "flac", "b.mp4", []),
        ("copy", "flac", "b.mp4", [("flac", "5.1(side)", 48000)]),
        ("aac", "flac", "b.mp4", [("aac", "5.1", 48000)]),
        ("aac", "flac", "b.mkv", [("aac", "5.1", 48000)]),
        ("aac", "aac", "b.mov", [("aac", "5.1", 48000)]),
    ],
)
def test_sound_as_it_is_wanted(tmp_path, caplog, kind, sound, name, becomes):
    source = film(tmp_path / "a.mkv", sound=sound, layout="5.1")
    copy(source, tmp_path / name, sound=kind)
    assert described(tmp_path / name) == becomes
    if becomes:
        assert np.allclose(beeps(tmp_path / name), beeps(source), atol=0.01)
    if kind == "copy" or sound == "aac":
        kept = [audio_packets(path)[0] for path in (source, tmp_path / name)]
        assert [data for data, _ in kept[0]] == [data for data, _ in kept[1]]
    assert lines(caplog) == []


@pytest.mark.parametrize(
    ("kind", "name", "line"),
    [
        (
            "copy",
            "b.mov",
            r"audio=copy: \.mov does not take flac; give \.mkv, or audio",
        ),
        ("copy", "b.webm", r"audio=copy: \.webm does not take flac"),
        ("aac", "b.webm", r"audio=aac: goes into \.mp4, .* not into \.webm"),
    ],
)
def test_sound_that_cannot_be_as_wanted_is_said_before_work(tmp_path, kind, name, line):
    source = film(tmp_path / "a.mkv", sound="flac")
    with (
        VideoReader(source, sound=kind) as reader,
        pytest.raises(InputError, match=line),
    ):
        check(reader, (tmp_path / name).suffix)
    with pytest.raises(InputError, match=line):
        copy(source, tmp_path / name, sound=kind)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]


def test_without_sound_nothing_is_said_of_it(tmp_path, caplog):
    source = film(tmp_path / "a.mkv", sound="flac")
    copy(source, tmp_path / "b.gif", sound="none")
    assert lines(caplog) == []
