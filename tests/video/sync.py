"""Films that flash and beep every 0.4 s from 0.2 s on, and when they do."""

from fractions import Fraction

import av
import numpy as np

RATE = 48000
STEP = 960  # samples in a packet of PCM


def film(
    path, seconds=2, begin=0, codec="libx264", sound="mp2", fps=25, layout="mono",
    options=None, sound_seconds=None, rate=RATE, step=STEP, container_options=None,
):  # fmt: skip
    """Write one whose clock starts at `begin`; returns the path."""
    tick = Fraction(1, fps)
    with av.open(str(path), "w", options=container_options or {}) as container:
        picture = container.add_stream(codec, rate=fps, options=options or {})
        picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
        picture.codec_context.time_base = tick
        tone = None
        if sound:
            tone = container.add_stream(sound, rate=rate)
            tone.codec_context.layout = layout
        packets = []
        for index in range(seconds * fps):
            value = 235 if index % 10 == 5 else 16
            frame = av.VideoFrame.from_ndarray(
                np.full((32, 32, 3), value, np.uint8), format="rgb24"
            ).reformat(format="yuv420p")
            frame.pts, frame.time_base = index + round(begin * fps), tick
            packets += picture.encode(frame)
        packets += picture.encode(None)
        if tone:
            packets += _tone(tone, begin, sound_seconds or seconds, rate, layout, step)
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            container.mux(packet)
    return path


def _tone(stream, begin, seconds, rate, layout, step):
    channels = av.AudioLayout(layout).nb_channels
    time = np.arange(int(seconds * rate)) / rate
    wave = np.where((time - 0.2) % 0.4 < 0.04, np.sin(2 * np.pi * 1000 * time) * 0.8, 0)
    resampler = av.AudioResampler(stream.codec_context.format, layout, rate)
    packets = []
    for start in range(0, len(wave), step):
        part = np.repeat(wave[start : start + step].astype(np.float32), channels)
        frame = av.AudioFrame.from_ndarray(part[None], format="flt", layout=layout)
        frame.sample_rate, frame.pts = rate, round(begin * rate) + start
        frame.time_base = Fraction(1, rate)
        for converted in resampler.resample(frame):
            packets += stream.encode(converted)
    return packets + stream.encode(None)


def flashes(path):
    """Seconds at which flashes begin."""
    found, dark = [], True
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            is_dark = frame.to_ndarray(format="gray").mean() < 128
            if dark and not is_dark:
                found.append(float(frame.pts * frame.time_base))
            dark = is_dark
    return found


def beeps(path, track=0):
    """Seconds at which beeps begin, to a millisecond or so."""
    found = []
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono", RATE)
        for frame in container.decode(container.streams.audio[track]):
            for part in resampler.resample(frame):
                loud = np.flatnonzero(np.abs(part.to_ndarray()[0]) > 0.2)
                begins = float(part.pts * part.time_base)
                for second in begins + loud[:1] / RATE:
                    if not found or second - found[-1] > 0.2:
                        found.append(float(second))
    return found
