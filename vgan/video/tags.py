"""What a file says of itself: title and other tags, chapters, cover, fonts."""

from fractions import Fraction

import av
from av.stream import Disposition

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


def copy(
    source: av.container.InputContainer,
    target: av.container.OutputContainer,
    suffix: str,
    origin: Fraction,
) -> list[str]:
    """Copy tags, chapters, cover and fonts, before anything else is written.

    Args:
        source: av.InputContainer.
        target: av.OutputContainer that has all its other streams.
        suffix: Of its file: ".mp4", ".mov", ".mkv" or ".webm".
        origin: Second of the source's clock that is 0 in the target's, a Fraction.

    Returns:
        Names of what the target cannot hold, for a message.
    """
    lost = []
    known = _KNOWN.get(suffix)
    for name, value in source.metadata.items():
        key = name.lower()
        if key in _TECHNICAL or key.startswith("location-"):  # that comes twice
            continue
        if known is None or key in known:
            target.metadata[key] = value
        else:
            lost.append(f"tag {name}")
    target.set_chapters([_moved(one, origin) for one in source.chapters()])
    for stream in source.streams.video:
        if stream.disposition & Disposition.attached_pic:
            lost += _add_cover(source, stream, target, suffix)
    for stream in source.streams.attachments:
        if suffix == ".mkv":
            target.add_stream_from_template(stream)
        else:
            lost.append(f"attachment {stream.metadata.get('filename', stream.index)}")
    return lost


def _moved(chapter, origin):
    shift = round(origin / chapter["time_base"])
    start = max(chapter["start"] - shift, 0)
    return {**chapter, "start": start, "end": max(chapter["end"] - shift, start)}


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
