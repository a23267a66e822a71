"""Small videos for the tests, made with PyAV."""

from fractions import Fraction

import av
import numpy as np


class Negative:
    """An engine without TensorFlow, whose style "one" is the pale negative."""

    name, stride, code_size, noise_size, style_size = "negative", 2, 1, 1, 8
    named_styles, num_parameters = {"one": [0.0]}, 0

    def initial_state(self, height, width):
        return {}

    def step(self, content, code, state):
        return content * np.float32(-0.9), state


def moving(count, height, width):
    """Frames `[H, W, 3]` uint8 of a soft pattern that moves; smooth, so that codecs
    and chroma subsampling keep it well.
    """
    y, x = np.mgrid[:height, :width]
    for t in range(count):
        phases = (x / 9 + t / 3, y / 11 - t / 4, (x + y) / 14 + t / 5)
        yield np.stack([np.sin(p) * 90 + 128 for p in phases], -1).astype(np.uint8)


def psnr(a, b):
    error = np.mean((a.astype(np.float64) - b) ** 2)
    return 10 * np.log10(255**2 / max(error, 1e-9))


def make_video(
    path,
    count=12,
    height=48,
    width=64,
    codec="libx264",
    pix_fmt="yuv420p",
    pts=None,
    time_base=Fraction(1, 25),
    audio=(),
    setup=None,
    frames=None,
    options=None,
    begin=0,
):
    """Write a video; `audio` is a list of codecs, one tone each, and `begin` the
    second at which its clock starts; returns the path.
    """
    with av.open(str(path), "w") as container:
        rate = 1 / time_base if pts is None else 25
        stream = container.add_stream(codec, rate=rate, options=options or {})
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, pix_fmt
        context.time_base = time_base
        stream.time_base = time_base
        if setup:
            setup(stream)
        tones = [_tone_stream(container, name) for name in audio]
        seconds = 0
        frames = moving(count, height, width) if frames is None else frames
        for index, array in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(array, format="rgb24")
            frame = frame.reformat(
                format=pix_fmt,
                dst_colorspace=context.colorspace if context.colorspace != 2 else 5,
                src_color_range=2,
                dst_color_range=context.color_range or 1,
            )
            frame.pts = index if pts is None else pts[index]
            frame.pts += round(begin / time_base)
            frame.time_base = time_base
            seconds = (frame.pts + 1) * time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for number, tone in enumerate(tones):
            _play(container, tone, 220 * (number + 1), begin, float(seconds))
    return path


def _tone_stream(container, codec):
    stream = container.add_stream(codec, rate=48000)
    stream.codec_context.layout = "mono"
    return stream


def _play(container, stream, hertz, begin, end):
    step = 960
    for start in range(begin * 48000, int(end * 48000), step):
        wave = np.sin(2 * np.pi * hertz * np.arange(start, start + step) / 48000)
        frame = av.AudioFrame.from_ndarray(
            (wave * 8000).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = 48000, start
        frame.time_base = Fraction(1, 48000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def audio_packets(path):
    """Per sound track: [(bytes, second)] of its packets."""
    tracks = {}
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        for packet in container.demux(*container.streams.audio):
            if packet.size:
                time = float(packet.pts * packet.time_base)
                tracks.setdefault(packet.stream_index, []).append((bytes(packet), time))
    return list(tracks.values())


def loudest_hertz(path, track=0):
    """Frequency of the tone in a sound track, and its length in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[track]
        rate = stream.codec_context.sample_rate
        resampler = av.AudioResampler(format="flt", layout="mono")
        samples = np.concatenate(
            [
                out.to_ndarray()[0]
                for frame in container.decode(stream)
                for out in resampler.resample(frame)
            ]
        )
    peak = np.argmax(np.abs(np.fft.rfft(samples)))
    return peak * rate / len(samples), len(samples) / rate


def leftovers(folder):
    """Names of what a writer has left unfinished."""
    return [p.name for p in folder.iterdir() if "partial" in p.name]
