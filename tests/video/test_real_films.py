"""What films of all kinds become, untouched: frames, times, sound, size and colors.

Each draw renders a film and copies it with `vgan.stylize` at strength 0; what comes out
is measured without vgan.
"""

import dataclasses
import random
from fractions import Fraction

import av
import numpy as np
import pytest
from av.filter import Graph
from av.video.reformatter import ColorRange

import vgan
from tests.video.samples import moving, psnr
from tests.video.test_clock import lines

DRAWS, QUICK = 200, 40
FULL, LIMITED = ColorRange.JPEG, ColorRange.MPEG
# As H.273 numbers them, and as the filter names them.
MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}
BLIP = 0.04  # seconds of the beep


@dataclasses.dataclass(frozen=True)
class Codec:
    """An encoder, the containers that hold what it makes, and what it is able to."""

    name: str
    suffixes: str
    pixels: str = "yuv420p"
    options: dict = dataclasses.field(default_factory=dict)
    reorders: bool = False  # has B-frames
    says_colors: bool = False  # matrix and range are written down
    varies: bool = True  # in time
    sited: str = "left"  # where the samples of color lie
    sizes: tuple = ((64, 48), (48, 64), (80, 34))
    fps: tuple = (10, 12, Fraction(24000, 1001), 25, Fraction(30000, 1001), 50, 60)


ODD = (64, 48), (48, 64), (61, 47)
QSCALE = {"qmin": "1", "qmax": "1"}
BROADCAST = Fraction(24000, 1001), 25, Fraction(30000, 1001), 50, 60
CODECS = (
    Codec(
        "libx264", ".mp4 .mov .mkv .ts .avi .flv",
        "yuv420p yuv422p yuv444p yuv420p10le", {"crf": "3", "preset": "veryfast"},
        reorders=True, says_colors=True,
    ),
    Codec(
        "libx265", ".mp4 .mkv .ts", "yuv420p yuv420p10le",
        {"preset": "ultrafast", "x265-params": "log-level=none:crf=4"},
        reorders=True, says_colors=True, sizes=((64, 48), (96, 64)),
    ),
    Codec("libvpx-vp9", ".webm .mkv .mp4", "yuv420p yuv444p",
          {"crf": "4", "b": "0", "cpu-used": "8", "deadline": "realtime"},
          sizes=ODD),
    Codec("libvpx", ".webm .mkv", "yuv420p",
          {"crf": "4", "b": "9M", "cpu-used": "8", "deadline": "realtime"},
          sizes=ODD),
    Codec("mpeg4", ".mp4 .mkv .avi .mov", options=QSCALE, reorders=True),
    Codec("mpeg2video", ".ts .mpg .mkv", "yuv420p yuv422p", QSCALE, reorders=True,
          varies=False, fps=BROADCAST),
    Codec("mjpeg", ".mov .avi .mkv", "yuvj420p yuvj422p yuvj444p", QSCALE,
          sited="center", sizes=ODD),
    Codec("ffv1", ".mkv .avi", "yuv420p yuv444p bgr0",
          sizes=ODD),
    Codec("prores_ks", ".mov .mkv", "yuv422p10le"),
    Codec("flv", ".flv", options=QSCALE),
    Codec("msmpeg4", ".wmv .avi", options=QSCALE),
)  # fmt: skip
SOUNDS = {
    ".mp4": "aac libmp3lame ac3 flac libopus alac",
    ".mov": "aac pcm_s16le alac",
    ".mkv": "aac ac3 eac3 flac pcm_s24le libopus libmp3lame mp2",
    ".webm": "libopus",
    ".ts": "aac mp2 ac3 libmp3lame",
    ".avi": "libmp3lame pcm_s16le ac3",
    ".flv": "aac libmp3lame",
    ".mpg": "mp2 ac3",
    ".wmv": "wmav2",
}
PAIR = "mono stereo"
LAYOUTS = {name: PAIR for name in ("libmp3lame", "mp2", "alac", "wmav2")}
SURROUND = "mono stereo 5.1 quad"
RATES = {"libopus": (48000,), "libmp3lame": (44100,)}


@dataclasses.dataclass(frozen=True)
class Film:
    """A draw."""

    codec: Codec
    suffix: str
    pixels: str
    size: tuple[int, int]  # width, height
    count: int
    times: list  # seconds, exact
    tick: Fraction
    flash: int  # the frame that is white, when the beep begins
    bframes: int
    matrix: int
    full: bool
    shape: Fraction  # of pixels
    turn: int  # degrees
    sound: str | None
    layout: str
    rate: int
    late: Fraction  # seconds that the sound is late
    target: str


def draw(seed):
    rng = random.Random(seed)
    codec = rng.choice(CODECS + 3 * CODECS[:2])  # most films are, and say the most
    suffix = rng.choice(codec.suffixes.split())
    pixels = rng.choice(codec.pixels.split())
    size = rng.choice(codec.sizes)
    count = rng.randint(10, 20)
    fps = Fraction(rng.choice(codec.fps))
    steps, tick = [1] * count, 1 / fps
    if codec.varies and suffix not in (".mpg", ".avi", ".wmv") and rng.random() < 0.4:
        if rng.random() < 0.5:
            steps = [rng.choice((1, 1, 2, 3)) for _ in steps]
        else:  # as phones do
            tick = Fraction(1, 1000)
            steps = [rng.randint(15, 80) for _ in steps]
    begin = Fraction(rng.choice((0, 0, 0, 12, 75, 2500)), 25)
    if suffix in (".avi", ".wmv", ".mpg"):
        begin = Fraction(0)
    first = round(begin / tick)
    times = [(first + sum(steps[:k])) * tick for k in range(count)]
    lossless = pixels == "bgr0"
    says = codec.says_colors
    matrix = rng.choice(list(MATRICES)) if says and not lossless else 2
    full = (says and rng.random() < 0.4) or pixels.startswith("yuvj")
    shape = Fraction(1)
    written = suffix in (".mp4", ".mov") or codec.name.startswith("libx26")
    if written and rng.random() < 0.4:
        shape = rng.choice((Fraction(4, 3), Fraction(16, 15), Fraction(1, 2)))
    turns = suffix in (".mp4", ".mov", ".mkv") and rng.random() < 0.4
    sound = rng.choice([None, *SOUNDS[suffix].split() * 2])
    return Film(
        codec, suffix, pixels, size, count, times, tick,
        flash=min(k for k in range(count) if times[k] - times[0] >= 0.1),
        bframes=rng.randint(0, 3) if codec.reorders else 0,
        matrix=matrix, full=full, shape=shape,
        turn=rng.choice((90, 180, 270)) if turns else 0,
        sound=sound,
        layout=rng.choice(LAYOUTS.get(sound, SURROUND).split()),
        rate=rng.choice(RATES.get(sound, (44100, 48000))),
        late=Fraction(rng.choice((0, 0, 1, 3)), 20),
        target=rng.choice((".mp4", ".mp4", ".mkv", ".mov", ".webm")),
    )  # fmt: skip


class Scale:
    """FFmpeg's filter, of frames of one kind, which come as RGB or become that."""

    def __init__(self, frame, pixels, settings):
        graph = self._graph = Graph()
        settings += ":flags=bicubic+accurate_rnd+full_chroma_int"
        filters = [
            graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format,
                time_base=Fraction(1, 25),
            ),
            graph.add("scale", settings),
            graph.add("format", pixels),
            graph.add("buffersink"),
        ]  # fmt: skip
        graph.link_nodes(*filters).configure()

    def __call__(self, frame):
        self._graph.push(frame)
        return self._graph.pull()


def pictures(film):
    """What the film shows, as stored: uint8 `[H, W, 3]` of each frame."""
    width, height = film.size
    for index, picture in enumerate(moving(film.count, height, width)):
        yield np.full_like(picture, 255) if index == film.flash else picture


def render(path, film):
    options = dict(film.codec.options)
    if film.codec.reorders:
        options["bf"] = str(film.bframes)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            film.codec.name, rate=1 / film.tick, options=options
        )
        stream.width, stream.height = film.size
        stream.pix_fmt = film.pixels
        context = stream.codec_context
        context.time_base = stream.time_base = film.tick
        context.gop_size = 8
        if film.codec.says_colors:
            context.colorspace = film.matrix
            context.color_range = FULL if film.full else LIMITED
        if film.shape != 1:
            context.sample_aspect_ratio = stream.sample_aspect_ratio = film.shape
        if film.turn:
            stream.set_display_rotation(film.turn)
        tone = None
        if film.sound:
            tone = container.add_stream(film.sound, rate=film.rate)
            tone.codec_context.layout = film.layout
            if film.sound == "wmav2":
                tone.codec_context.bit_rate = 128_000
        packets, scale = [], None
        for picture, time in zip(pictures(film), film.times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            scale = scale or Scale(
                frame,
                film.pixels,
                f"out_color_matrix={MATRICES.get(film.matrix, 'bt601')}"
                f":out_range={'full' if film.full else 'limited'}"
                f":out_chroma_loc={film.codec.sited}",
            )
            frame = scale(frame)
            frame.pts, frame.time_base = round(time / film.tick), film.tick
            packets += stream.encode(frame)
        packets += stream.encode(None)
        packets += beep(tone, film) if tone else []
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            container.mux(packet)


def beep(stream, film):
    """Packets of sound that is `late`, and beeps once."""
    rate, channels = film.rate, av.AudioLayout(film.layout).nb_channels
    time = np.arange(int((film.times[-1] - film.times[0]) * rate) + rate // 5) / rate
    since = time - float(film.times[film.flash] - film.times[0])
    loud = (since >= 0) & (since < BLIP)
    wave = np.where(loud, np.sin(2 * np.pi * 1000 * since) * 0.7, 0).astype(np.float32)
    resampler = av.AudioResampler(stream.codec_context.format, film.layout, rate)
    first = round((film.times[0] + film.late) * rate)
    packets = []
    for start in range(0, len(wave), 1024):
        part = np.repeat(wave[start : start + 1024], channels)
        frame = av.AudioFrame.from_ndarray(part[None], format="flt", layout=film.layout)
        frame.sample_rate, frame.pts = rate, first + start
        frame.time_base = Fraction(1, rate)
        for converted in resampler.resample(frame):
            packets += stream.encode(converted)
    return packets + stream.encode(None)


def beeps_at(path):
    """Second at which it beeps; the container's clock."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono")
        times, samples = [], []
        for packet in container.demux(audio=0):
            for frame in packet.decode() if packet.size else ():
                for part in resampler.resample(frame):
                    wave = part.to_ndarray()[0]
                    begin = float(part.pts * part.time_base)
                    times.append(begin + np.arange(len(wave)) / part.sample_rate)
                    samples.append(np.abs(wave))
    times, samples = np.concatenate(times), np.concatenate(samples)
    return times[np.argmax(samples > 0.3 * samples.max())]


def shown(path):
    """Seconds and RGB `[H, W, 3]` of the frames of a result, and its stream."""
    times, arrays, scale = [], [], None
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        tick, shape = stream.time_base, stream.sample_aspect_ratio
        for frame in container.decode(stream):
            times.append(frame.pts * frame.time_base)
            assert frame.rotation == 0
            scale = scale or Scale(
                frame,
                "rgb24",
                f"in_color_matrix={MATRICES[frame.colorspace]}"
                ":in_range=limited:out_range=full:in_chroma_loc=left",
            )
            arrays.append(scale(frame).to_ndarray())
    return times, arrays, tick, shape


def begins(path, film):
    """Second of the file's clock that is 0 in a result, and that of each frame.

    Broadcasts and what begins later than a second count from their beginning.
    """
    with av.open(str(path)) as container:
        start = Fraction(container.start_time or 0, av.time_base)
        packets = [p for p in container.demux(video=0) if p.size]
    # AVI and ASF only say when frames are decoded, which is in even steps, too.
    ticks = [p.dts if p.pts is None else p.pts for p in packets]
    times = [tick * p.time_base for tick, p in zip(ticks, packets, strict=True)]
    if film.suffix not in (".ts", ".mpg") and start < 1:
        start = Fraction(0)
    return start, sorted(times)


class Mirror:
    """An engine that is never asked."""

    name, stride, code_size, noise_size, style_size = "mirror", 2, 1, 1, 8
    named_styles, num_parameters = {"one": [0.0]}, 0

    def initial_state(self, height, width):
        return {}

    def step(self, content, code, state):
        return content, state


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(seed, marks=() if seed < QUICK else pytest.mark.slow)
        for seed in range(DRAWS)
    ],
)
def test_an_untouched_film_is_the_film(tmp_path, caplog, seed):
    film = draw(seed)
    source, target = tmp_path / f"a{film.suffix}", tmp_path / f"b{film.target}"
    render(source, film)
    vgan.stylize(
        source, "one", target, model=Mirror(), strength=0, quality=3, progress="none"
    )
    times, arrays, tick, shape = shown(target)
    assert len(times) == film.count

    start, expected = begins(source, film)
    for time, at in zip(times, expected, strict=True):
        assert abs(time - (at - start)) <= tick, (times, expected, start)

    turned = film.size[:: -1 if film.turn % 180 else 1]
    assert arrays[0].shape[1::-1] == turned
    upright = 1 / film.shape if film.turn % 180 else film.shape
    # Matroska has displayed sizes, in whole pixels.
    if film.target != ".webm":  # and WebM has none, as the log says
        assert float(shape or 1) == pytest.approx(float(upright), rel=0.02)
    for array, picture in zip(arrays, pictures(film), strict=True):
        assert psnr(np.rot90(picture, film.turn // 90), array) >= 38

    if film.sound:
        apart = beeps_at(source) - float(expected[film.flash])
        assert beeps_at(target) - float(times[film.flash]) == pytest.approx(
            apart, abs=0.01
        )
    allowed = ["encoded anew as", "does not hold its"]
    if film.suffix == ".avi":  # FFmpeg makes room for what MP3 begins with
        allowed.append("its clock has room")
    assert [line for line in lines(caplog) if not any(a in line for a in allowed)] == []
