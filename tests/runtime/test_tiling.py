import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.runtime.scenes import scene
from vgan import InputError
from vgan.runtime import Stylizer, tiling
from vgan.runtime.engines.keras_engine import KerasEngine
from vgan.runtime.tiling import TiledEngine
from vgan.video import VideoReader

CODE = np.ones((1, 16), np.float32)
TILE = 256 * 256  # the smallest for the default margin


def psnr(a, b):
    error = np.mean(np.square(a.astype(float) - b))
    return 10 * np.log10(255**2 / max(error, 1e-9))


def panning(count, height, width):
    wide = scene(0, height, width + 5 * count)
    return [wide[:, 5 * i : 5 * i + width] for i in range(count)]


def run(engine, frames):
    stylizer = Stylizer(engine, CODE, proxy=1)
    return [stylizer(frame) for frame in frames]


class Watched(KerasEngine):
    """Keeps the shapes that it was asked for."""

    def __init__(self, generator):
        super().__init__(generator)
        self.shapes = set()

    def step(self, content, code, state):
        self.shapes.add(content.shape)
        return super().step(content, code, state)


@pytest.mark.slow
def test_no_seams_in_30_frames(make_generator):
    engine = Watched(make_generator())
    frames = panning(30, 330, 350)  # also padded: no multiple of the stride
    tiled = run(TiledEngine(engine, TILE), frames)
    assert engine.shapes == {(1, 1, 232, 240, 3)}  # one size, compiled once
    assert TiledEngine(engine, TILE).tile_size(332, 352) == (232, 240)
    whole = run(engine, frames)
    assert np.abs(whole[-1].astype(int) - frames[-1]).mean() > 5
    assert min(map(psnr, tiled, whole)) > 45
    assert np.abs(np.subtract(tiled, whole, dtype=int)).max() <= 1


def test_no_seams_in_a_real_clip(engine, shared_data):
    with VideoReader(shared_data / "videos" / "faces_father_child.mp4") as reader:
        frames = [
            cv2.resize(frame, (352, 288), interpolation=cv2.INTER_AREA)
            for frame, _ in itertools.islice(reader, 30)
        ]
    tiled, whole = run(TiledEngine(engine, TILE), frames), run(engine, frames)
    assert min(map(psnr, tiled, whole)) > 45


def test_margin_and_state_of_the_tiles_are_needed(engine):
    frames = panning(3, 304, 304)
    whole = run(engine, frames)[-1]
    exact = psnr(run(TiledEngine(engine, TILE), frames)[-1], whole)
    near = TiledEngine(engine, 160 * 160, margin=4)
    assert psnr(run(near, frames)[-1], whole) < exact - 10
    fresh = TiledEngine(engine, TILE)
    assert psnr(run(fresh, frames[-1:])[-1], whole) < exact - 10


def test_what_fits_goes_straight_through(engine):
    tiled = TiledEngine(engine)
    assert tiled.fits(1088, 1920)
    assert tiled.fits(1920, 1088)
    assert not tiled.fits(1440, 2560)
    frames = panning(2, 64, 96)
    np.testing.assert_array_equal(run(tiled, frames), run(engine, frames))
    assert tiled.count_macs(64, 96) == engine.count_macs(64, 96)
    assert tiled.named_styles == engine.named_styles
    assert tiled.code_size == 16


def test_clip_equals_stream(engine):
    tiled = TiledEngine(engine, TILE)
    clip = np.float32([panning(3, 256, 304)]) / 127.5 - 1
    whole, _ = tiled.step(clip, CODE, tiled.initial_state(256, 304))
    state = tiled.initial_state(256, 304)
    for t in range(3):
        frame, state = tiled.step(clip[:, t : t + 1], CODE, state)
        np.testing.assert_allclose(frame, whole[:, t : t + 1], atol=1e-5)


@pytest.mark.parametrize("size", [(64, 64), (256, 304)])
def test_pixels_are_the_step_rounded(engine, size):
    tiled = TiledEngine(engine, TILE)
    frame = scene(0, *size)
    pixels, _ = tiled.step_pixels(frame, CODE, tiled.initial_state(*size))
    content = frame[None, None] / np.float32(127.5) - 1
    expected, _ = tiled.step(content, CODE, tiled.initial_state(*size))
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels, expected[0, 0] * 127.5 + 127.5, atol=0.51)


def test_cost_counts_the_margins_twice(engine):
    tiled = TiledEngine(engine, TILE)
    whole, tiles = engine.count_macs(320, 352), tiled.count_macs(320, 352)
    assert 1.3 < tiles / whole < 2.2


@settings(deadline=None, max_examples=200)
@given(
    some.integers(2, 1200),
    some.integers(2, 1200),
    some.sampled_from([8, 16]),
    some.integers(1, 8),
    some.floats(1, 20),
)
def test_tiles_cover_every_pixel_once(rows, columns, stride, margin, room):
    height, width, margin = rows * stride, columns * stride, margin * stride
    tile = int(room * (4 * margin) ** 2)
    for size, spans in zip(
        (height, width),
        tiling._grid(height, width, tile, margin, stride),
        strict=True,
    ):
        assert len({span.seen.stop - span.seen.start for span in spans}) == 1
        places = [pixel for s in spans for pixel in range(s.place.start, s.place.stop)]
        assert places == list(range(size))
        for span in spans:
            assert span.seen.start % stride == span.seen.stop % stride == 0
            assert span.kept.start == span.place.start - span.seen.start
            assert span.kept.stop == span.place.stop - span.seen.start
            assert span.kept.start >= margin or span.seen.start == 0
            assert span.seen.stop - span.place.stop >= margin or span.seen.stop == size
    area = np.prod(
        [s[0].seen.stop for s in tiling._grid(height, width, tile, margin, stride)]
    )
    assert area <= tile or area == height * width


def test_statistics_of_whole_frames_cannot_be_tiled(make_generator):
    tiled = TiledEngine(KerasEngine(make_generator(modulation="adain")), TILE)
    run(tiled, panning(1, 64, 64))
    with pytest.raises(InputError, match=r"400 x 304 is too large.*whole frames"):
        run(tiled, panning(1, 304, 400))


def test_bad_arguments(engine):
    with pytest.raises(ValueError, match="margin must be 1 or more, got 0"):
        TiledEngine(engine, margin=0)
    with pytest.raises(ValueError, match="65536 pixels or more for a margin of 64"):
        TiledEngine(engine, tile=65535)
