"""The sound of one file into another, a little at a time."""

import logging
import math
from fractions import Fraction

import av
from av.codec.context import Flags
from av.format import Flags as FormatFlags

from vgan.video.clock import Clock

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
# Layouts that AAC and Opus both have, by the number of channels.
_LAYOUTS = "mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"
_PACKED = "flt"
_GAP = 0.005  # seconds without sound that are filled with silence
_FLV_MP3 = (44100, 22050, 11025)  # samples a second
# Read up to so much to know a track: one may begin late, or never.
_PROBE = {"probesize": "50000000", "analyzeduration": "60000000"}  # bytes, microseconds


class Sound:
    """The sound tracks that belong to the picture, copied packet by packet.

    A track that the container does not take is encoded anew, as AAC (Opus in WebM),
    with its channels as far as the codec has them. Packets follow the picture, so only
    a second or so is in memory; their times are those of the picture's clock.

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
        self._name = like.source
        self._input = av.open(like.audio, timeout=10.0, options=_PROBE)
        self._origin = like.origin
        # The clock wants the picture's packets, too.
        streams = [self._input.streams[index] for index in like.tracks]
        for stream in streams[1:2] if suffix == ".flv" else streams[1:]:
            track = self._add(stream, suffix)
            if track is not None:
                self._tracks[stream.index] = track
        if self._tracks:
            self._packets = self._demux(streams)
            self._next = next(self._packets, None)

    def _add(self, stream, suffix):
        context = stream.codec_context
        if context is None:
            return self._leave_out(stream, "is of an unknown kind and left out")
        if not (context.sample_rate and context.channels):
            return self._leave_out(stream, "is empty and left out")
        codec = context.codec.canonical_name
        accepted = codec in _ACCEPTED.get(suffix, self._output.supported_codecs)
        if suffix == ".flv" and codec == "mp3" and context.sample_rate not in _FLV_MP3:
            accepted = False
        if accepted:
            return _Copy(self._output, stream, self._origin)
        target = "libopus" if suffix == ".webm" else "aac"
        track = _Encode(self._output, stream, self._origin, target)
        _log.warning(
            "%s: sound track %d is %s, which %s does not take: encoded anew as %s%s",
            self._name, stream.index, codec, suffix, target.removeprefix("lib"),
            track.changes,
        )  # fmt: skip
        return track

    def _leave_out(self, stream, reason):
        _log.warning("%s: sound track %d %s", self._name, stream.index, reason)

    def _demux(self, streams):
        clock = Clock(self._input)
        try:
            for packet in clock.steady(self._input.demux(streams)):
                if packet.stream_index in self._tracks and packet.size:
                    yield packet
        except av.FFmpegError as error:
            _log.warning("%s: sound ends early (%s)", self._name, error.strerror)

    def copy_until(self, seconds):
        """Copy the packets due before `seconds`; all that are left with None."""
        while self._next is not None:
            track = self._tracks[self._next.stream_index]
            if seconds is not None and track.second(self._next) > seconds:
                return
            track.take(self._next)
            self._next = next(self._packets, None)

    def finish(self):
        """Write what encoders still hold; close the source."""
        for track in self._tracks.values():
            track.finish()
        self.close()

    def close(self):
        """Close the source."""
        self._next = None
        if self._input is not None:
            self._input.close()


class _Track:
    """A sound track of the result.

    Args:
        output: av.OutputContainer.
        source: The av.AudioStream that packets come from.
        stream: The one of `output` that they go to.
        origin: Second of the source's clock that is 0 in the result's.
    """

    def __init__(self, output, source, stream, origin):
        self._output, self._source, self._stream = output, source, stream
        self._origin = origin
        self._last = self._end = None
        self._step = 0
        if source.language:
            stream.metadata["language"] = source.language

    def second(self, packet):
        """When a packet is heard; one without a time when the one before is over."""
        ticks = packet.pts if packet.dts is None else packet.dts
        if ticks is None:
            return self._end or 0
        return ticks * packet.time_base - self._origin

    def take(self, packet):
        """Append a packet, unless for more than half it repeats the one before.

        So it is where segments of a stream overlap.
        """
        second, base = self.second(packet), packet.time_base
        length = (packet.duration or 0) * base or self._step
        # Some durations are wrong: what the times say is the truth.
        length = min(length, self._step or length)
        if self._end is not None:
            overlap = self._end - second
            if overlap > max(length / 2, base):
                return
            self._step = max(second - self._last, 0)
        self._last, self._end = second, second + length
        self.write(packet, second)


class _Copy(_Track):
    def __init__(self, output, source, origin):
        super().__init__(
            output, source, output.add_stream_from_template(source), origin
        )
        equal = output.format.flags & FormatFlags.ts_nonstrict.value
        self._least = 0 if equal else 1  # ticks from a packet to the next
        self._ticks = None

    def write(self, packet, second):
        self._output.start_encoding()  # from then on the time base is the container's
        base = self._stream.time_base
        ticks = _nearest(second / base)
        packet.duration = _nearest((packet.duration or 0) * packet.time_base / base)
        packet.time_base = base
        if self._ticks is not None:
            # Not carried forward: the next one goes by its own time again.
            ticks = max(ticks, self._ticks + self._least)
        self._ticks = packet.dts = packet.pts = ticks
        packet.stream = self._stream
        self._output.mux(packet)

    def finish(self):
        pass


class _Encode(_Track):
    def __init__(self, output, source, origin, codec):
        heard = source.codec_context
        stream = output.add_stream(codec, rate=_rate(codec, heard.sample_rate))
        super().__init__(output, source, stream, origin)
        count = min(heard.channels, len(_LAYOUTS))
        context = stream.codec_context
        context.layout = _LAYOUTS[count - 1]
        context.bit_rate = count * (96_000 if count < 3 else 64_000)
        context.flags |= Flags.global_header  # FLV wants it, too
        self._resampler = self._takes = self._due = None
        self.changes = ""
        if context.sample_rate != heard.sample_rate:
            self.changes += f", at {context.sample_rate} Hz"
        if count != heard.channels:
            self.changes += f", with {count} of {heard.channels} channels"

    def write(self, packet, second):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            return  # a click in the sound
        for frame in frames:
            self._encode(frame, second)

    def _encode(self, frame, second=None):
        if frame.pts is not None:
            frame.pts -= round(self._origin / frame.time_base)
        elif second is not None:
            frame.pts = round(second / frame.time_base)
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if kind != self._takes:  # some broadcasts change midway
            self._flush()
            context = self._stream.codec_context
            self._takes = kind
            self._resampler = av.AudioResampler(
                _PACKED, context.layout, context.sample_rate
            )
        self._send(self._resampler.resample(frame))

    def _flush(self):
        if self._resampler is not None:
            self._send(self._resampler.resample(None))

    def _send(self, frames):
        for frame in frames:
            rate = frame.sample_rate
            now = round(frame.pts * frame.time_base * rate)
            missing = now - (now if self._due is None else self._due)
            # Encoders join what they get: a gap would make the sound after it early.
            while missing > rate * _GAP:
                count = min(missing, rate)
                silence = av.AudioFrame(_PACKED, frame.layout.name, count)
                silence.planes[0].update(bytes(silence.planes[0].buffer_size))
                silence.sample_rate, silence.time_base = rate, Fraction(1, rate)
                silence.pts = now - missing
                self._output.mux(self._stream.encode(silence))
                missing -= count
            self._due = now + frame.samples
            self._output.mux(self._stream.encode(frame))

    def finish(self):
        for frame in self._source.codec_context.decode(None):
            self._encode(frame)
        self._flush()
        self._output.mux(self._stream.encode(None))


def _nearest(ticks):
    """To the nearest whole number, up from halves, as FFmpeg rounds."""
    return math.floor(ticks + Fraction(1, 2))


def _rate(codec, rate):
    """Samples a second for an encoder, of a source of `rate`."""
    if codec == "libopus":
        return 48000
    rates = av.Codec(codec, "w").audio_rates
    return min((one for one in rates if one >= rate), default=max(rates))
