"""What a film carries besides picture and sound."""

import re
from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition

from tests.video.samples import make_video
from tests.video.segmenting import run
from tests.video.test_clock import copy, lines
from vgan.video import VideoReader, VideoWriter

TAGS = {"title": "My film", "artist": "Me", "creation_time": "2020-01-02T03:04:05Z"}
TEXTS = [(500, 400, "Hello <i>you</i>"), (1200, 700, "Bye, 世界")]  # ms, ms


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Two sounds, the second by default; subtitles, chapters, tags and a cover."""
    folder = tmp_path_factory.mktemp("film")
    plain = make_video(
        folder / "plain.mkv", 50, audio=["aac", "aac"], options={"bf": "0"}
    )
    with (
        av.open(str(plain)) as source,
        av.open(str(folder / "film.mkv"), "w") as target,
    ):
        pairs = {s: target.add_stream_from_template(s) for s in source.streams}
        picture, german, english = pairs.values()
        picture.disposition = Disposition.default
        german.metadata.update({"language": "deu", "title": "Ton"})
        german.disposition = Disposition(0)
        english.metadata["language"] = "eng"
        english.disposition = Disposition.default | Disposition.original
        subtitles = target.add_mux_stream("subrip", time_base=Fraction(1, 1000))
        subtitles.metadata["language"] = "fra"
        cover = av.CodecContext.create("png", "w")
        cover.width, cover.height, cover.pix_fmt = 16, 16, "rgb24"
        cover.time_base = Fraction(1, 25)
        white = av.VideoFrame.from_ndarray(np.full((16, 16, 3), 255, np.uint8))
        target.add_attachment("cover.png", "image/png", bytes(cover.encode(white)[0]))
        target.add_attachment("font.ttf", "application/x-truetype-font", b"glyphs")
        target.metadata.update({**TAGS, "FOO": "bar"})
        chapters = ((1, 0, 800, "One"), (2, 800, 2000, "Two"))
        target.set_chapters(
            [
                {
                    **{"id": number, "start": start, "end": end},
                    **{"time_base": Fraction(1, 1000), "metadata": {"title": title}},
                }
                for number, start, end, title in chapters
            ]
        )
        packets = [p for p in source.demux() if p.size]
        for packet in packets:
            packet.stream = pairs[packet.stream]
        for begin, length, text in TEXTS:
            packet = av.Packet(text.encode())
            packet.pts = packet.dts = begin
            packet.duration, packet.time_base = length, Fraction(1, 1000)
            packet.stream = subtitles
            packets.append(packet)
        for packet in sorted(packets, key=lambda p: p.pts * p.time_base):
            target.mux(packet)
    return folder / "film.mkv"


def texts(path):
    """[(ms, ms, text)] of the subtitles."""
    with av.open(str(path)) as container:
        found = []
        for packet in container.demux(container.streams.subtitles[0]):
            for text in packet.decode() if packet.size else ():
                if text.dialogue:
                    ticks = packet.pts, packet.duration
                    times = (round(t * packet.time_base * 1000) for t in ticks)
                    words = re.sub(r"{[^}]*}", "", text.dialogue.decode())
                    found.append((*times, words))
        return found


@pytest.mark.parametrize("name", ["b.mp4", "b.mov", "b.mkv", "b.webm"])
@pytest.mark.parametrize("segmented", [False, True])
def test_what_the_container_can_hold_is_kept(tmp_path, caplog, film, name, segmented):
    target = tmp_path / name
    if segmented:
        run(film, target, segment_frames=20)
    else:
        copy(film, target)
    with av.open(str(target)) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
        for key, value in TAGS.items():
            assert tags[key].startswith(value[:19])
        german, english = container.streams.audio
        assert german.language in ("deu", "ger")
        assert english.language == "eng"
        assert "Ton" in german.metadata.values()
        assert not german.disposition & Disposition.default
        assert english.disposition & Disposition.default
        assert container.streams.subtitles[0].language == "fra"
        chapters = [
            (chapter["start"] * chapter["time_base"], chapter["metadata"]["title"])
            for chapter in container.chapters()
        ]
        assert chapters == [(0, "One"), (Fraction(4, 5), "Two")]
        pictures = container.streams.video
        covers = [s for s in pictures if s.disposition & Disposition.attached_pic]
        fonts = len(container.streams.attachments)
    said = [line for line in lines(caplog) if "does not hold" in line]
    lost = {
        "b.mp4": ["tag FOO, attachment font.ttf"],
        "b.mov": ["tag FOO, cover 4, attachment font.ttf"],
        "b.mkv": [],
        "b.webm": ["cover 4, attachment font.ttf"],
    }[name]
    assert said == [
        f"{film}: {target.suffix} does not hold its {what}: left out" for what in lost
    ]
    assert len(covers) == (name in ("b.mp4", "b.mkv"))
    assert fonts == (name == "b.mkv")
    assert tags.get("foo") == (None if target.suffix in (".mp4", ".mov") else "bar")
    seen = texts(target)
    assert [(begin, length) for begin, length, _ in seen] == [
        (begin, length) for begin, length, _ in TEXTS
    ]
    assert seen[1][2] == "Bye, 世界"
    assert "Hello" in seen[0][2]


def test_subtitles_come_back_from_mp4(tmp_path, film):
    copy(film, tmp_path / "b.mp4")
    for name in ("c.mkv", "c.mp4", "c.webm"):
        copy(tmp_path / "b.mp4", tmp_path / name)
        assert texts(tmp_path / name) == texts(tmp_path / "b.mp4")
        with av.open(str(tmp_path / name)) as container:
            assert len(container.chapters()) == 2
            assert container.metadata["title"] == "My film"


def test_a_film_without_sound_keeps_them_too(tmp_path):
    source = make_video(tmp_path / "a.mkv", 5)
    with av.open(str(source)) as before, av.open(str(tmp_path / "b.mkv"), "w") as after:
        (stream,) = (after.add_stream_from_template(s) for s in before.streams)
        after.metadata["title"] = "Silent"
        for packet in before.demux():
            if packet.size:
                packet.stream = stream
                after.mux(packet)
    copy(tmp_path / "b.mkv", tmp_path / "c.mp4")
    with av.open(str(tmp_path / "c.mp4")) as container:
        assert container.metadata["title"] == "Silent"


def test_tags_in_another_encoding_stop_nothing(tmp_path):
    source = make_video(tmp_path / "a.avi", 5, codec="mpeg4")
    with (
        av.open(str(source)) as before,
        av.open(str(tmp_path / "b.avi"), "w", metadata_encoding="latin-1") as after,
    ):
        (stream,) = (after.add_stream_from_template(s) for s in before.streams)
        after.metadata["title"] = "Früher"
        for packet in before.demux():
            if packet.size:
                packet.stream = stream
                after.mux(packet)
    assert len(copy(tmp_path / "b.avi", tmp_path / "c.mp4")) == 5


PICTURES_ONLY = [("b.gif", "a GIF"), ("b", "a folder of PNGs"), ("-", "raw video")]


@pytest.mark.parametrize(("name", "holder"), PICTURES_ONLY)
def test_what_pictures_alone_do_not_hold_is_said(
    tmp_path, caplog, capfdbinary, film, name, holder
):
    copy(film, name if name == "-" else tmp_path / name)
    capfdbinary.readouterr()  # the pictures
    tags = "tag ARTIST, tag FOO, tag creation_time, tag title"
    lost = f"sound, subtitles 3 (srt), {tags}, chapters, cover 4, attachment font.ttf"
    (line,) = lines(caplog)
    assert sorted(line.split(", ")) == sorted(
        f"{film}: {holder} does not hold its {lost}: left out".split(", ")
    )


def test_what_a_pipe_gives_but_for_the_picture_is_said(tmp_path, caplog, film):
    with VideoReader(film) as reader:
        reader.again = reader.audio = None  # as of a pipe
        with VideoWriter(tmp_path / "b.mkv", reader) as writer:
            writer.write(*next(reader))
    (line,) = lines(caplog)
    assert "pipe, or live, does not hold its sound, subtitles 3 (srt)" in line


def test_a_film_of_nothing_else_says_nothing(tmp_path, caplog):
    copy(make_video(tmp_path / "a.mp4", 5), tmp_path / "b.gif")
    assert lines(caplog) == []


@pytest.mark.parametrize(
    ("name", "segmented"), [("b.webm", False), ("b.webm", True), ("b.gif", False)]
)
def test_the_shape_of_pixels_is_said_where_it_is_lost(
    tmp_path, caplog, name, segmented
):
    def describe(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)

    source = make_video(tmp_path / "a.mp4", 5, setup=describe)
    if segmented:
        run(source, tmp_path / name, segment_frames=2)
    else:
        copy(source, tmp_path / name)
    assert len(lines(caplog)) == 1
    assert "does not hold its shape of pixels (4:3): left out" in lines(caplog)[0]
