"""Tracks that follow the picture: sound and subtitles, copied or encoded anew."""

import math
from fractions import Fraction

import av
from av.codec.context import Flags
from av.format import Flags as FormatFlags

# Layouts that AAC and Opus both have, by the number of channels.
_LAYOUTS = "mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"
_PACKED = "flt"
_GAP = 0.005  # seconds without sound that are filled with silence
_MAC = {"deu": "ger", "nld": "dut", "ell": "gre", "isl": "ice", "zho": "chi"}


class Track:
    """A track of the result.

    Args:
        output: av.OutputContainer.
        source: The av.AudioStream or SubtitleStream that packets come from.
        stream: The one of `output` that they go to.
        origin: Second of the source's clock that is 0 in the result's.

    Attributes:
        left_out: Seconds of sound that `take` has left out.
        lost: How many packets cannot be decoded.
    """

    def __init__(
        self,
        output: av.container.OutputContainer,
        source: av.stream.Stream,
        stream: av.stream.Stream,
        origin: Fraction,
    ) -> None:
        self._output, self._source, self._stream = output, source, stream
        self._origin = origin
        self._last = self._end = None
        self._step = 0
        self.left_out = self.lost = 0
        described(stream, source, output.format.name)

    def second(self, packet: av.Packet) -> Fraction:
        """When a packet is heard; one without a time when the one before is over."""
        ticks = packet.pts if packet.dts is None else packet.dts
        if ticks is None:
            return self._end or Fraction(0)
        return ticks * packet.time_base - self._origin

    def take(self, packet: av.Packet) -> None:
        """Append a packet, unless for more than half it repeats the sound before it.

        So it is where segments of a stream overlap.
        """
        if self._source.type != "audio":
            self.write(packet, self.second(packet))
            return
        second, base = self.second(packet), packet.time_base
        length = (packet.duration or 0) * base or self._step
        # Some durations are wrong: what the times say is the truth.
        length = min(length, self._step or length)
        if self._end is not None:
            overlap = self._end - second
            if overlap > max(length / 2, base):
                self.left_out += length
                return
            self._step = max(second - self._last, 0)
        self._last, self._end = second, second + length
        self.write(packet, second)


class Copy(Track):
    """Takes packets as they are; see Track."""

    def __init__(
        self,
        output: av.container.OutputContainer,
        source: av.stream.Stream,
        origin: Fraction,
    ) -> None:
        super().__init__(
            output, source, output.add_stream_from_template(source), origin
        )
        equal = output.format.flags & FormatFlags.ts_nonstrict.value
        self._least = 0 if equal else 1  # ticks from a packet to the next
        self._ticks = None

    def write(self, packet: av.Packet, second: Fraction) -> None:
        """Append a packet that begins at a second of the result's clock."""
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

    def finish(self) -> None:
        """Write what is still held."""


class Encoded(Track):
    """Sound, with its channels as far as the codec has them; see Track.

    Attributes:
        changes: What else is not as it was, for a message.
    """

    def __init__(
        self,
        output: av.container.OutputContainer,
        source: av.AudioStream,
        origin: Fraction,
        codec: str,
    ) -> None:
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

    def write(self, packet: av.Packet, second: Fraction) -> None:
        """Append a packet that begins at a second of the result's clock."""
        try:
            frames = packet.decode()
        except av.FFmpegError:
            self.lost += 1  # a click in the sound
            return
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
            if frame.pts is None:  # at the end, of what a decoder has held back
                frame.pts, frame.time_base = self._due or 0, Fraction(1, rate)
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

    def finish(self) -> None:
        """Write what is still held."""
        for frame in self._source.codec_context.decode(None):
            self._encode(frame)
        self._flush()
        self._output.mux(self._stream.encode(None))


def _nearest(ticks):
    """To the nearest whole number, up from halves, as FFmpeg rounds."""
    return math.floor(ticks + Fraction(1, 2))


class Subtitles(Track):
    """Text of another kind; see Track."""

    def __init__(
        self,
        output: av.container.OutputContainer,
        source: av.stream.Stream,
        origin: Fraction,
        codec: str,
    ) -> None:
        stream = output.add_stream(codec)
        super().__init__(output, source, stream, origin)
        source.codec_context.open(strict=False)
        encoder = stream.codec_context
        encoder.subtitle_header = source.codec_context.subtitle_header
        encoder.time_base = stream.time_base = Fraction(1, 1000)

    def write(self, packet: av.Packet, second: Fraction) -> None:
        """Append a packet that begins at a second of the result's clock."""
        try:
            shown = self._source.codec_context.decode2(packet)
        except av.FFmpegError:
            return
        if not shown:
            return
        seconds = (packet.duration or 0) * packet.time_base
        seconds = seconds or Fraction(shown.end_display_time, 1000)
        text = self._stream.codec_context.encode_subtitle(shown)
        base = text.time_base = Fraction(1, 1000)
        text.pts = text.dts = _nearest(second / base)
        text.duration = _nearest(seconds / base)
        text.stream = self._stream
        self._output.mux(text)

    def finish(self) -> None:
        """Write what is still held."""


def described(
    stream: av.stream.Stream, source: av.stream.Stream, container: str
) -> None:
    """Give a stream the language and the title of its source, and whether it is chosen.

    Args:
        stream: av.Stream of a container to write.
        source: The one that it is made of.
        container: Name of the format that is written.
    """
    language = source.language
    if container == "mov":  # which has the other of two codes
        language = _MAC.get(language, language)
    if language:
        stream.metadata["language"] = language
    # MP4 has it under another name.
    title = source.metadata.get("title") or source.metadata.get("name")
    if title:
        stream.metadata["title"] = title
    stream.disposition = source.disposition


def _rate(codec, rate):
    """Samples a second for an encoder, of a source of `rate`."""
    if codec == "libopus":
        return 48000
    rates = av.Codec(codec, "w").audio_rates
    return min((one for one in rates if one >= rate), default=max(rates))
