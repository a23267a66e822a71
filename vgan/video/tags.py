"""What a file says of itself: title and other tags, chapters, cover, fonts."""

import logging
import typing
from collections.abc import Collection, Iterator
from fractions import Fraction

import av
from av.stream import Disposition

from vgan.video.opening import of_program

if typing.TYPE_CHECKING:
    from vgan.video.reader import VideoReader

_log = logging.getLogger("vgan")

# What FFmpeg writes where players look for it; others take any.
_KNOWN = {
    ".mov": {
        "album", "artist", "comment", "copyright", "creation_time", "date", "genre",
        "location", "make", "model", "title",
    },
    ".mp4": {
        "album", "album_artist", "artist", "comment", "compilation", "composer",
        "copyright", "creation_time", "date", "description", "disc", "episode_id",
        "episode_sort", "gapless_playback", "genre", "grouping", "hd_video", "keywords",
        "location", "lyrics", "media_type", "network", "season_number", "show",
        "synopsis", "title", "track",
    },
}  # fmt: skip
# Of the file that was read, not of the film.
_TECHNICAL = {
    "encoder", "software", "major_brand", "minor_version", "compatible_brands",
    "duration",
}  # fmt: skip
_COVERS = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}


def names(source: av.container.InputContainer, picture: av.VideoStream) -> list[str]:
    """Names of what a file holds besides its picture and sound, for a message.

    Args:
        source: av.InputContainer.
        picture: Its stream that is shown.
    """
    texts = of_program(source, picture, source.streams.subtitles)
    found = [of_subtitles(stream) for stream in texts]
    found += [f"tag {name}" for name, _ in _tags(source)]
    found += ["chapters"] if source.chapters() else []
    found += [f"cover {stream.index}" for stream in _covers(source)]
    return found + [_of_attachment(one) for one in source.streams.attachments]


def of_subtitles(stream: av.stream.Stream) -> str:
    """The name of subtitles in a message."""
    kind = stream.codec_context and stream.codec_context.name
    return f"subtitles {stream.index} ({kind or 'unknown'})"


def of_shape(ratio: Fraction) -> str:
    """The name of pixels that are no squares in a message, of their width : height."""
    return f"shape of pixels ({ratio.numerator}:{ratio.denominator})"


def leave_out(
    like: "VideoReader | None", holder: str, holds: Collection[str] = ()
) -> None:
    """Say in one line what of a source is lost where little but pictures is written.

    Args:
        like: VideoReader, or None.
        holder: What is written, such as "a GIF".
        holds: Of "sound" and "shape" (of pixels), what it holds nevertheless.
    """
    lost = list(getattr(like, "besides", ()))
    if "sound" not in holds and getattr(like, "has_sound", False):
        lost.insert(0, "sound")
    if "shape" not in holds and getattr(like, "sample_aspect_ratio", None):
        lost.append(of_shape(like.sample_aspect_ratio))
    if lost:
        tell(like, holder, lost)


def tell(like: "VideoReader", holder: str, lost: list[str]) -> None:
    """Say in one line what is left out of a result.

    Args:
        like: VideoReader.
        holder: What is written, such as ".mp4".
        lost: Names.
    """
    _log.warning(
        "%s: %s does not hold its %s: left out", like.source, holder, ", ".join(lost)
    )


def copy(
    source: av.container.InputContainer,
    target: av.container.OutputContainer,
    suffix: str,
    origin: Fraction,
    length: Fraction | None = None,
) -> list[str]:
    """Copy tags, chapters, cover and fonts, before anything else is written.

    Args:
        source: av.InputContainer.
        target: av.OutputContainer that has all its other streams.
        suffix: Of its file: ".mp4", ".mov", ".mkv" or ".webm".
        origin: Second of the source's clock that is 0 in the target's, a Fraction.
        length: Seconds to which the target is cut, or None.

    Returns:
        Names of what the target cannot hold, for a message.
    """
    lost = []
    known = _KNOWN.get(suffix)
    for name, value in _tags(source):
        if known is None or name.lower() in known:
            target.metadata[name.lower()] = value
        else:
            lost.append(f"tag {name}")
    target.set_chapters(_moved(source.chapters(), origin, length))
    for stream in _covers(source):
        lost += _add_cover(source, stream, target, suffix)
    for stream in source.streams.attachments:
        if suffix == ".mkv":
            target.add_stream_from_template(stream)
        else:
            lost.append(_of_attachment(stream))
    return lost


def _tags(source) -> Iterator[tuple[str, str]]:
    for name, value in source.metadata.items():
        key = name.lower()
        if key not in _TECHNICAL and not key.startswith("location-"):  # comes twice
            yield name, value


def _covers(source):
    return [s for s in source.streams.video if s.disposition & Disposition.attached_pic]


def _of_attachment(stream):
    return f"attachment {stream.metadata.get('filename', stream.index)}"


def _moved(chapters, origin, length):
    """Chapters on the target's clock; those that are cut away are left out."""
    moved = []
    for one in chapters:
        shift = round(origin / one["time_base"])
        start, end = max(one["start"] - shift, 0), one["end"] - shift
        if length is not None:
            end = min(end, round(length / one["time_base"]))
        if start < end or (length is None and not shift):
            moved.append({**one, "start": start, "end": max(end, start)})
    return moved


def _add_cover(source, stream, target, suffix):
    """Add a picture; return what was lost of it."""
    name, kind = _COVERS.get(stream.codec_context and stream.codec_context.name, "??")
    if suffix not in (".mp4", ".mkv") or name == "?":
        return [f"cover {stream.index}"]
    # Read apart, as it is wanted before the rest.
    with av.open(source.name, metadata_errors="replace") as container:
        packet = next(container.demux(container.streams[stream.index]))
        if suffix == ".mkv":
            target.add_attachment(name, kind, bytes(packet))
            return []
        cover = target.add_stream_from_template(stream)
        cover.disposition = Disposition.attached_pic
        packet.stream = cover
        target.mux(packet)
    return []
