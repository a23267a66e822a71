"""Codecs by name, their pixel formats, and which files take them."""

import logging
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.video.samples import audio_packets, leftovers, make_video, moving, psnr
from tests.video.segmenting import Trail
from vgan import InputError
from vgan.video import VideoReader, VideoWriter, codecs
from vgan.video.codecs import Coding
from vgan.video.segments import SegmentedWriter


def write(path, count=12, height=144, width=256, **coding):
    frames = list(moving(count, height, width))
    with VideoWriter(path, fps=25, coding=Coding(**coding)) as writer:
        for k, frame in enumerate(frames):
            writer.write(frame, Fraction(k, 25))
    return frames


def made(path):
    """Codec and pixel format of the picture of a file."""
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context
        return codec.codec.canonical_name, codec.pix_fmt


@pytest.mark.parametrize(
    ("name", "coding", "kind", "pixels"),
    [
        ("a.mp4", {}, "h264", "yuv420p"),
        ("a.m4v", {}, "h264", "yuv420p"),
        ("a.avi", {}, "h264", "yuv420p"),
        ("a.ts", {}, "h264", "yuv420p"),
        ("a.mp4", {"pixel_format": "yuv422p10"}, "h264", "yuv422p10le"),
        ("a.mov", {"codec": "hevc", "preset": "fast"}, "hevc", "yuv420p"),
        ("a.m4v", {"codec": "hevc", "bitrate": "2M"}, "hevc", "yuv420p"),
        ("a.mkv", {"codec": "hevc", "pixel_format": "gbrp10le"}, "hevc", "gbrp10le"),
        ("a.webm", {"codec": "av1", "quality": 20}, "av1", "yuv420p"),
        ("a.mp4", {"codec": "vp9"}, "vp9", "yuv420p"),
        ("a.mov", {"codec": "prores"}, "prores", "yuv422p10le"),
        ("a.mkv", {"codec": "prores", "preset": "lt"}, "prores", "yuv422p10le"),
        ("a.mov", {"codec": "prores4444"}, "prores", "yuv444p12le"),
        ("a.mov", {"codec": "dnxhr"}, "dnxhd", "yuv422p"),
        ("a.mov", {"codec": "dnxhr", "preset": "hqx"}, "dnxhd", "yuv422p10le"),
        (
            *("a.mov", {"codec": "dnxhr", "pixel_format": "yuv444p10"}),
            *("dnxhd", "yuv444p10le"),
        ),
        ("a.mkv", {"codec": "ffv1"}, "ffv1", "bgr0"),
        ("a.avi", {"codec": "ffv1", "pixel_format": "gbrp10"}, "ffv1", "gbrp10le"),
        ("a.mov", {"codec": "png"}, "png", "rgb24"),
    ],
)
def test_codecs_keep_frames_and_times(tmp_path, name, coding, kind, pixels):
    frames = write(tmp_path / name, **coding)
    assert made(tmp_path / name) == (kind, pixels)
    with VideoReader(tmp_path / name) as reader:
        got = list(reader)
    # FFmpeg takes the H.264 of any AVI to be a frame late.
    late = Fraction(kind == "h264" and name == "a.avi", 25)
    assert [t - late for _, t in got] == [Fraction(k, 25) for k in range(12)]
    # Where the bit rate is fixed, a picture so small has few.
    low = "bitrate" in coding or kind == "dnxhd"
    worst = 99 if kind in ("png", "ffv1") else 28 if low else 36
    for (frame, _), own in zip(got, frames, strict=True):
        assert frame.shape == own.shape
        assert psnr(frame, own) > worst
    assert leftovers(tmp_path) == []


def test_quality_presets_and_bit_rates_count(tmp_path):
    sizes = {}
    for name, coding in (
        ("slow", {"bitrate": "3M", "preset": "slow"}),
        ("thin", {"bitrate": 100_000}),
        ("good", {"codec": "av1", "quality": 5}),
        ("bad", {"codec": "av1", "quality": 45}),
        ("proxy", {"codec": "prores", "preset": "proxy"}),
        ("hq", {"codec": "prores", "preset": "hq"}),
    ):
        path = tmp_path / f"{name}.mkv"
        write(path, **coding)
        sizes[name] = path.stat().st_size
    assert sizes["slow"] > 2 * sizes["thin"]
    assert sizes["good"] > 2 * sizes["bad"]
    assert sizes["hq"] > 1.5 * sizes["proxy"]


@pytest.mark.parametrize(
    ("name", "coding", "message"),
    [
        ("a.mp4", {"codec": "h265"}, "codec=h265: give h264, hevc, av1, vp9, prores"),
        ("a.mp4", {"codec": "prores"}, "does not fit .mp4, which takes h264, hevc"),
        ("a.mp4", {"codec": "prores"}, "one of these, or .mov or .mkv$"),
        ("a.avi", {"codec": "hevc"}, "does not fit .avi, which takes h264, ffv1"),
        ("a.gif", {"codec": "h264"}, "does not fit .gif, which takes gif"),
        ("a", {"codec": "gif"}, "does not fit a folder, which takes png"),
        ("a.mp4", {"quality": 3, "bitrate": "8M"}, "^bitrate: does not go with qua"),
        ("a.mp4", {"bitrate": "fast"}, "bitrate='fast': give bits per second"),
        ("a.mp4", {"bitrate": "8"}, "bitrate='8': give bits per second"),
        ("a.mp4", {"preset": "hq"}, "preset=hq: h264 has veryfast, ultrafast"),
        ("a.mov", {"codec": "prores", "quality": 3}, "quality: prores has none; it "),
        ("a.gif", {"bitrate": "8M"}, "bitrate: gif has none"),
        ("a.gif", {"preset": "slow"}, "preset: gif has none"),
        ("a.mp4", {"pixel_format": "yuv411p"}, "h264 takes yuv420p, yuv422p"),
        ("a.mov", {"codec": "prores", "pixel_format": "yuv444p10"}, "yuv422p10le$"),
        ("a.mkv", {"codec": "h264_nvidia"}, "codec=h264_nvidia: give h264"),
    ],
)
def test_what_does_not_fit_is_one_line(tmp_path, name, coding, message):
    with pytest.raises(InputError, match=message) as caught:
        VideoWriter(tmp_path / name, fps=25, coding=Coding(**coding))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_an_encoder_does_not_take_is_one_line(tmp_path):
    message = "codec=dnxhr: .* 64 x 48 yuv422p .* wants even sides, 256 x 120 or more"
    with pytest.raises(InputError, match=message):
        write(tmp_path / "a.mov", 1, 48, 64, codec="dnxhr")
    with pytest.raises(InputError, match=r"codec=h264: .* 63 x 48 yuv420p .* another"):
        write(tmp_path / "a.mov", 1, 48, 63, pixel_format="yuv420p")
    assert list(tmp_path.iterdir()) == []


def test_hevc_and_prores_keep_odd_sides(tmp_path):
    for name, codec in (("a.mp4", "hevc"), ("a.mov", "prores"), ("b.mp4", "av1")):
        frames = write(tmp_path / name, 3, 143, 255, codec=codec)
        with VideoReader(tmp_path / name) as reader:
            for (frame, _), own in zip(reader, frames, strict=True):
                assert psnr(frame, own) > 36


def hardware(name):
    """Whether this FFmpeg has an encoder and this machine opens it."""
    return name in codecs._hardware() and codecs._trouble(name) is None


@pytest.mark.parametrize("codec", ["h264_nvenc", "hevc_qsv", "h264_videotoolbox"])
def test_hardware_makes_it_or_says_why_not(tmp_path, codec):
    if hardware(codec):
        frames = write(tmp_path / "a.mp4", codec=codec)
        with VideoReader(tmp_path / "a.mp4") as reader:
            for (frame, _), own in zip(reader, frames, strict=True):
                assert psnr(frame, own) > 33
        return
    with pytest.raises(InputError, match=rf"codec={codec}: this \w+ (has no|cannot)"):
        write(tmp_path / "a.mp4", codec=codec)
    with pytest.raises(InputError, match=r"hardware it (has [a-z]|can open)"):
        write(tmp_path / "a.mp4", codec=codec)


@pytest.mark.parametrize(
    ("name", "sound", "kept"),
    [("b.avi", "aac", "mp3"), ("b.ts", "aac", "aac"), ("b.m4v", "aac", "aac"),
     ("b.m3u8", "flac", "aac")],
)  # fmt: skip
def test_sound_goes_into_every_container(tmp_path, name, sound, kept):
    source = make_video(tmp_path / "a.mkv", 50, audio=[sound])
    with VideoReader(source) as reader, VideoWriter(tmp_path / name, reader) as writer:
        before = []
        for frame, timestamp in reader:
            before.append((frame, timestamp))
            writer.write(frame, timestamp)
    with VideoReader(tmp_path / name) as reader:
        after = list(reader)
    # MPEG-TS and AVI count from where the sound's run-in begins.
    late = after[0][1] - before[0][1]
    assert 0 <= late < 0.05
    assert [t - late for _, t in after] == [t for _, t in before]
    assert min(psnr(a, b) for (a, _), (b, _) in zip(before, after, strict=True)) > 35
    with av.open(str(tmp_path / name)) as container:
        names = [s.codec_context.codec.canonical_name for s in container.streams.audio]
    assert names == [kept]
    assert abs(audio_packets(tmp_path / name)[0][-1][1] - 2) < 1.5


def test_hls_is_a_playlist_and_one_file(tmp_path):
    write(tmp_path / "film.m3u8", 110)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.m3u8", "film.ts"]
    playlist = (tmp_path / "film.m3u8").read_text()
    assert "partial" not in playlist
    assert playlist.count("film.ts") == 2
    assert "#EXT-X-BYTERANGE" in playlist
    assert "#EXT-X-ENDLIST" in playlist
    with VideoReader(tmp_path / "film.m3u8") as reader:
        assert len(list(reader)) == 110
    with pytest.raises(InputError, match=r"film.m3u8: exists"):
        write(tmp_path / "film.m3u8")
    (tmp_path / "film.m3u8").unlink()
    with pytest.raises(InputError, match=r"film.ts: exists"):
        write(tmp_path / "film.m3u8")
    with pytest.raises(InputError, match="nothing to write"):
        write(tmp_path / "b.m3u8", 0)
    assert [p.name for p in tmp_path.iterdir()] == ["film.ts"]


def test_a_playlist_never_replaces_its_input(tmp_path):
    source = make_video(tmp_path / "a.ts", 20)
    with (
        VideoReader(source) as reader,
        pytest.raises(InputError, match="is the input itself"),
    ):
        VideoWriter(tmp_path / "a.m3u8", reader, overwrite=True)


@pytest.mark.parametrize(
    ("name", "coding"),
    [("b.mp4", {"codec": "hevc"}), ("b.mkv", {"codec": "ffv1"}),
     ("b.mov", {"codec": "prores"}), ("b.webm", {"codec": "av1"})],
)  # fmt: skip
def test_segments_of_any_codec_join(tmp_path, name, coding):
    source = make_video(tmp_path / "a.mkv", 12, 96, 128)

    def run(target, stop=None):
        trail = Trail()
        with (
            VideoReader(source) as reader,
            SegmentedWriter(
                target, reader, "task", trail.save, segment_frames=5,
                coding=Coding(**coding),
            ) as writer,
        ):  # fmt: skip
            if writer.snapshot:
                trail.restore(writer.snapshot)
            for made, (frame, timestamp) in enumerate(writer.remaining(reader)):
                if made == stop:
                    raise ZeroDivisionError
                writer.write(trail(frame), timestamp)

    run(tmp_path / name)
    with pytest.raises(ZeroDivisionError):
        run(tmp_path / f"again{name}", stop=7)
    run(tmp_path / f"again{name}")
    results = []
    for path in (tmp_path / name, tmp_path / f"again{name}"):
        with VideoReader(path) as reader:
            results.append([(frame.copy(), t) for frame, t in reader])
    with VideoReader(source) as reader:
        assert [t for _, t in results[0]] == [t for _, t in reader]
    for (a, t), (b, u) in zip(*results, strict=True):
        assert t == u
        np.testing.assert_array_equal(a, b)


def test_srt_is_there_or_said_to_be_missing(tmp_path):
    try:
        av.open("srt://", "w", format="mpegts")
    except av.error.ProtocolNotFoundError:
        message = (
            r"^srt://host:9000: the FFmpeg of this PyAV was built without SRT; let"
        )
        with pytest.raises(InputError, match=message):
            VideoReader("srt://host:9000")
        with pytest.raises(InputError, match=message):
            VideoWriter("srt://host:9000", fps=25)
    except (OSError, ValueError, av.FFmpegError):
        pytest.skip("this FFmpeg has SRT")


def test_svt_and_x265_say_nothing(tmp_path, capfd, caplog):
    with caplog.at_level(logging.WARNING, logger="vgan"):
        write(tmp_path / "a.mp4", codec="hevc")
        write(tmp_path / "b.mp4", codec="av1")
    assert capfd.readouterr().err == ""
    assert caplog.text == ""


def test_in_a_folder_of_films_the_usual_file_of_a_codec_comes_first():
    assert Coding(codec="prores").among((".mp4", ".mkv", ".mov")) == (".mov", ".mkv")
    assert Coding().among((".mp4", ".mkv")) == (".mp4", ".mkv")
