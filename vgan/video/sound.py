"""The sound of one file into another, a little at a time."""

import logging

import av
from av.codec.context import Flags

_log = logging.getLogger("vgan")
# What players of a container know; FFmpeg would also put Vorbis or TrueHD into MP4.
_ACCEPTED = {
    ".mp4": {"aac", "mp3", "mp2", "ac3", "eac3", "alac", "opus", "flac"},
    ".mov": {"aac", "mp3", "mp2", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le"},
    ".webm": {"opus", "vorbis"},
    ".flv": {"aac", "mp3"},
    ".mpegts": {"aac", "mp3", "mp2", "ac3", "eac3"},
    ".rtsp": {"aac", "opus"},
}


class Sound:
    """All sound tracks of what `like` reads, copied packet by packet.

    A track whose codec the container does not take is encoded anew, as AAC (Opus in
    WebM). Packets follow the picture, so only a second or so is in memory.

    Args:
        like: VideoReader, or None for silence.
        container: av.OutputContainer that has its video stream already.
        suffix: Its suffix, such as ".mp4", or a dot and the format of a broadcast.
    """

    def __init__(self, like, container, suffix):
        self._output = container
        self._tracks = {}
        self._input = self._packets = self._next = None
        if like is None:
            return
        if like.audio is None:
            if like.has_sound:
                _log.warning("%s: the sound of a live source is not kept", like.source)
            return
        self._name, self._like = like.source, like
        self._input = av.open(like.audio, timeout=10.0)
        self._origin = like.origin
        streams = self._input.streams.audio
        for stream in streams[:1] if suffix == ".flv" else streams:
            track = self._add(stream, suffix)
            if track is not None:
                self._tracks[stream] = track
        if self._tracks:
            self._packets = self._demux()
            self._next = next(self._packets, None)

    def _add(self, stream, suffix):
        codec = stream.codec_context and stream.codec_context.codec.canonical_name
        if codec is None:
            _log.warning(
                "%s: sound track %d is of an unknown kind and left out",
                self._name, stream.index,
            )  # fmt: skip
            return None
        accepted = _ACCEPTED.get(suffix, self._output.supported_codecs)
        if codec in accepted:
            return _Copy(self._output, stream, self._origin)
        target = "libopus" if suffix == ".webm" else "aac"
        _log.warning(
            "%s: sound track %d is %s, which %s does not take: encoded anew as %s",
            self._name, stream.index, codec, suffix, target.removeprefix("lib"),
        )  # fmt: skip
        return _Encode(self._output, stream, self._origin, target)

    def _demux(self):
        try:
            for packet in self._input.demux(*self._tracks):
                if packet.dts is not None or packet.size:
                    yield packet
        except av.FFmpegError as error:
            self._like.sound_damage = f"its sound ends early ({error.strerror})"
            _log.warning("%s: %s", self._name, self._like.sound_damage)

    def copy_until(self, seconds):
        """Copy the packets due before `seconds`; all that are left with None."""
        while self._next is not None:
            packet = self._next
            time = (packet.dts or 0) * packet.time_base - self._origin
            if seconds is not None and time > seconds:
                return
            self._tracks[packet.stream].write(packet)
            self._next = next(self._packets, None)

    def finish(self):
        """Write what encoders still hold; close the source."""
        for track in self._tracks.values():
            track.finish()
        lost = sum(track.lost for track in self._tracks.values())
        if lost:
            self._like.sound_damage = f"{lost} packets of its sound cannot be decoded"
        self.close()

    def close(self):
        """Close the source."""
        self._next = None
        if self._input is not None:
            self._input.close()


class _Copy:
    lost = 0

    def __init__(self, output, stream, origin):
        self._output = output
        self._stream = output.add_stream_from_template(stream)
        self._stream.metadata.update(_language(stream))
        self._offset = round(origin / stream.time_base)
        self._last = None

    def write(self, packet):
        dts = (packet.pts or 0) if packet.dts is None else packet.dts
        pts = dts if packet.pts is None else packet.pts
        dts, pts = dts - self._offset, pts - self._offset
        if self._last is not None and dts <= self._last:
            dts = self._last + 1  # a clock set back; muxers refuse that
        self._last = packet.dts = dts
        packet.pts = max(pts, dts)
        packet.stream = self._stream
        self._output.mux(packet)

    def finish(self):
        pass


class _Encode:
    def __init__(self, output, stream, origin, codec):
        self._output, self._source = output, stream
        self.lost = 0
        rate = 48000 if codec == "libopus" else stream.codec_context.sample_rate
        self._stream = output.add_stream(codec, rate=rate)
        mono = stream.codec_context.channels == 1
        self._stream.codec_context.layout = "mono" if mono else "stereo"
        self._stream.codec_context.bit_rate = 96_000 if mono else 192_000
        self._stream.codec_context.flags |= Flags.global_header  # FLV wants it, too
        self._stream.metadata.update(_language(stream))
        self._origin = origin

    def write(self, packet):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            self.lost += 1  # a click in the sound
            return
        for frame in frames:
            if frame.pts is not None:
                frame.pts -= round(self._origin / frame.time_base)
            self._output.mux(self._stream.encode(frame))

    def finish(self):
        for frame in self._source.codec_context.decode(None):
            self._output.mux(self._stream.encode(frame))
        self._output.mux(self._stream.encode(None))


def _language(stream):
    return {"language": stream.language} if stream.language else {}
