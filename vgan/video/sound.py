"""The sound of one file into another, a little at a time, and what comes with it."""

import io
import logging
import typing
from fractions import Fraction

import av

from vgan import InputError
from vgan.video import tags
from vgan.video.clock import OVERLAP, Clock
from vgan.video.opening import demuxed, of_program
from vgan.video.tracks import Copy, Encoded, Subtitles, described

if typing.TYPE_CHECKING:
    from vgan.video.reader import VideoReader

_log = logging.getLogger("vgan")
# Copied where the container takes it, else encoded anew; left out; copied or refused;
# AAC, which is copied where it is that already.
KINDS = ("keep", "none", "copy", "aac")
# What players of a container know; FFmpeg would also put Vorbis or TrueHD into MP4.
_ACCEPTED = {
    ".mp4": {"aac", "mp3", "mp2", "ac3", "eac3", "alac", "opus", "flac"},
    ".mov": {"aac", "mp3", "mp2", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le"},
    ".webm": {"opus", "vorbis"},
    ".flv": {"aac", "mp3"},
    ".avi": {"mp3", "mp2", "ac3", "pcm_s16le"},
    ".mpegts": {"aac", "mp3", "mp2", "ac3", "eac3"},
    ".rtsp": {"aac", "opus"},
}
_FLV_MP3 = (44100, 22050, 11025)  # samples a second
# Of files: the subtitles that players know (None: any), and what other text becomes.
_SUBTITLES = {
    ".mp4": ({"mov_text"}, "mov_text"),
    ".mov": ({"mov_text"}, "mov_text"),
    ".webm": ({"webvtt"}, "webvtt"),
    ".mkv": (None, "srt"),
}
# Of files, read up to so much to know a track: one may begin late, or never.
_BEFORE = 30  # seconds before a cut, of which a subtitle may still be shown in it
_AFTER = 10  # seconds by which tracks of a file may lag behind one another
_PROBE = {"probesize": "50000000", "analyzeduration": "60000000"}  # bytes, microseconds


def check(like: "VideoReader", suffix: str) -> None:
    """Raise InputError where sound cannot become what `like.sound` says, before work.

    Args:
        like: VideoReader.
        suffix: Of the file to make; of other things than films nothing is checked.
    """
    _check_aac(like, suffix)
    if like.sound != "copy" or like.again is None or suffix not in _SUBTITLES:
        return
    kind = "matroska" if suffix == ".mkv" else suffix[1:]
    with (
        av.open(like.again, options=_PROBE if like.path else {}) as source,
        av.open(io.BytesIO(), "w", format=kind) as target,
    ):
        for index in like.tracks[1:]:
            context = source.streams[index].codec_context
            if context is not None and context.sample_rate and context.channels:
                _check_copy(context, suffix, target.supported_codecs)


def _check_aac(like, suffix):
    if suffix in (".webm", ".avi") and like.sound == "aac":
        raise InputError(f"audio=aac: goes into .mp4, .mov or .mkv, not into {suffix}")


def _is_taken(context, suffix, supported):
    """Whether a container holds the sound of a decoder's context as it is."""
    codec = context.codec.canonical_name
    if suffix == ".flv" and codec == "mp3" and context.sample_rate not in _FLV_MP3:
        return False
    return codec in _ACCEPTED.get(suffix, supported)


def _check_copy(context, suffix, supported):
    if not _is_taken(context, suffix, supported):
        raise InputError(
            f"audio=copy: {suffix} does not take {context.codec.canonical_name}; give "
            ".mkv, or audio=keep, which encodes it anew"
        )


class Sound:
    """The sound tracks that belong to the picture, copied packet by packet.

    A track that the container does not take is encoded anew, as AAC (Opus in WebM, MP3
    in AVI), with its channels as far as the codec has them. Packets follow the picture,
    so only a second or so is in memory; their times are those of the picture's clock.

    A file also gets the subtitles (text that it does not take is converted), chapters,
    tags, cover and fonts; one line in the log names what it cannot hold.

    Args:
        like: VideoReader, or None for silence.
        container: av.OutputContainer that has its video stream already.
        suffix: Its suffix, such as ".mp4", or a dot and the format of a broadcast.
    """

    def __init__(
        self,
        like: "VideoReader | None",
        container: av.container.OutputContainer,
        suffix: str,
    ) -> None:
        self._output = container
        self._tracks = {}
        self._input = self._packets = self._next = None
        if like is None:
            return
        holds = () if suffix == ".webm" else ("shape",)
        if like.again is None:
            tags.leave_out(like, "what is made of a pipe, or live,", holds)
            return
        _check_aac(like, suffix)
        self._name, self._like, self._kind = like.source, like, like.sound
        if suffix not in _SUBTITLES:
            tags.leave_out(like, suffix, ("sound", *holds))
        self._input = av.open(
            like.again, timeout=10.0, options=_PROBE if like.path else {},
            metadata_errors="replace",
        )  # fmt: skip
        self._origin, self._length = like.origin, getattr(like, "length", None)
        self._is_cut = getattr(like, "cut", None) is not None
        if self._is_cut and like.is_indexed and like.offset > _BEFORE:
            self._input.seek(int((self._origin - _BEFORE) * av.time_base))
        # The clock wants the picture's packets, too.
        streams = [self._input.streams[index] for index in like.tracks]
        sounds = streams[1:2] if suffix == ".flv" else streams[1:]
        for stream in sounds if self._kind != "none" else ():
            self._tracks[stream.index] = self._sound(stream, suffix)
        if suffix in _SUBTITLES:
            streams += self._describe(streams[0], suffix)
        self._tracks = {n: track for n, track in self._tracks.items() if track}
        if self._tracks:
            self._packets = self._demux(streams)
            self._next = next(self._packets, None)

    def _describe(self, picture, suffix):
        """Take what a file holds besides; return the streams of subtitles."""
        described(self._output.streams.video[0], picture, self._output.format.name)
        texts = of_program(self._input, picture, self._input.streams.subtitles)
        lost = []
        for stream in texts:
            track = self._tracks[stream.index] = self._subtitles(stream, suffix)
            if track is None:
                lost.append(tags.of_subtitles(stream))
        lost += tags.copy(self._input, self._output, suffix, self._origin, self._length)
        if suffix == ".webm" and self._like.sample_aspect_ratio:  # PyAV cannot say it
            lost.append(tags.of_shape(self._like.sample_aspect_ratio))
        if lost:
            tags.tell(self._like, suffix, lost)
        return texts

    def _subtitles(self, stream, suffix):
        if stream.codec_context is None:
            return None
        known, other = _SUBTITLES[suffix]
        codec = stream.codec_context.codec
        if known is None and codec.canonical_name != "mov_text":
            known = self._output.supported_codecs
        if {codec.name, codec.canonical_name} & (known or set()):
            return Copy(self._output, stream, self._origin)
        if not codec.text_sub:
            return None
        return Subtitles(self._output, stream, self._origin, other)

    def _sound(self, stream, suffix):
        context = stream.codec_context
        if context is None:
            return self._leave_out(stream, "is of an unknown kind and left out")
        if not (context.sample_rate and context.channels):
            return self._leave_out(stream, "is empty and left out")
        codec, supported = context.codec.canonical_name, self._output.supported_codecs
        if self._kind == "copy":
            _check_copy(context, suffix, supported)
        wanted = self._kind != "aac" or codec == "aac"
        if wanted and _is_taken(context, suffix, supported):
            return Copy(self._output, stream, self._origin)
        target = {".webm": "libopus", ".avi": "libmp3lame"}.get(suffix, "aac")
        track = Encoded(self._output, stream, self._origin, target)
        if not wanted:
            if track.changes:
                what = track.changes.removeprefix(", ")
                _log.warning("%s: sound track %d: %s", self._name, stream.index, what)
            return track
        new = av.Codec(target, "w").canonical_name
        _log.warning(
            "%s: sound track %d is %s, which %s does not take: encoded anew as %s%s",
            self._name, stream.index, codec, suffix, new, track.changes,
        )  # fmt: skip
        return track

    def _leave_out(self, stream, reason):
        _log.warning("%s: sound track %d %s", self._name, stream.index, reason)

    def _demux(self, streams):
        clock = Clock(self._input)
        try:
            for packet in clock.steady(demuxed(self._input, streams)):
                if self._is_after(packet):
                    return
                is_wanted = packet.stream.index in self._tracks and packet.size
                if is_wanted and (not self._is_cut or self._is_heard(packet)):
                    yield packet
        except av.FFmpegError as error:
            self._like.sound_damage = f"its sound ends early ({error.strerror})"
            _log.warning("%s: %s", self._name, self._like.sound_damage)

    def _is_after(self, packet):
        """Whether nothing of a cut comes after a packet any more."""
        if self._length is None or packet.dts is None:
            return False
        second = packet.dts * packet.time_base - self._origin
        return second > self._length + _AFTER

    def _is_heard(self, packet):
        """Whether a cut holds some of a packet; a subtitle is cut to what it holds."""
        track, base = self._tracks[packet.stream.index], packet.time_base
        begin = track.second(packet)
        end = begin + (packet.duration or 0) * base
        if begin < 0 and end <= 0:
            return False
        if self._length is not None and begin >= self._length:
            return False
        if packet.stream.type == "subtitle" and packet.duration:
            ends = end if self._length is None else min(end, self._length)
            packet.pts = packet.dts = round((max(begin, 0) + self._origin) / base)
            packet.duration = round((ends - max(begin, 0)) / base)
        return True

    def copy_until(self, seconds: Fraction | None) -> None:
        """Copy the packets due before `seconds`; all that are left with None."""
        while self._next is not None:
            track = self._tracks[self._next.stream.index]
            if seconds is not None and track.second(self._next) > seconds:
                return
            track.take(self._next)
            self._next = next(self._packets, None)

    def finish(self) -> None:
        """Write what encoders still hold; close the source."""
        for index, track in self._tracks.items():
            track.finish()
            if track.left_out > OVERLAP:
                _log.warning(
                    "%s: sound track %d runs over itself: %.3g s are left out",
                    self._name, index, track.left_out,
                )  # fmt: skip
        lost = sum(track.lost for track in self._tracks.values())
        if lost:
            self._like.sound_damage = f"{lost} packets of its sound cannot be decoded"
        self.close()

    def close(self) -> None:
        """Close the source."""
        self._next = None
        if self._input is not None:
            self._input.close()
