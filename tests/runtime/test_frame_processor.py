"""What a FrameProcessor remembers, and how regions and strengths come together."""

import numpy as np
import pytest

from vgan import InputError
from vgan.generate.options import Size, StylizeOptions
from vgan.models import Generator
from vgan.runtime import Stylizer
from vgan.runtime.engines.keras_engine import KerasEngine
from vgan.runtime.tiling import TiledEngine


def clip(num_frames, height=24, width=40):
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (height, width + num_frames, 3), np.uint8)
    return [picture[:, t : t + width] for t in range(num_frames)]


def stylize(options, frames, like, start=0, kept=None):
    with options.processor(like) as process:
        if kept is not None:
            process.restore(kept)
        results = [process(frame, start + t) for t, frame in enumerate(frames)]
        return results, process.snapshot()


def test_goes_on_from_a_snapshot(model):
    frames = clip(8)
    options = StylizeOptions(str(model), "keras", ("one@0s", "two@3s"), fade=2.0)
    whole, _ = stylize(options, frames, Size(24, 40))
    first, kept = stylize(options, frames[:5], Size(24, 40))
    rest, _ = stylize(options, frames[5:], Size(24, 40), 5, kept)
    np.testing.assert_array_equal(whole, [*first, *rest])
    forgetful, _ = stylize(options, frames[5:], Size(24, 40), 5)
    assert not np.array_equal(rest[0], forgetful[0])


def test_goes_on_from_a_snapshot_of_tiles():
    generator = Generator((8, 8), 8, 0, code_size=16, noise_size=8)
    code, frames = np.ones((1, 16), np.float32), clip(4, 160, 224)

    def make():
        stylizer = Stylizer(KerasEngine(generator), code)
        stylizer.engine = TiledEngine(KerasEngine(generator), 64 * 64, 16)
        assert not stylizer.engine.fits(160, 224)
        return stylizer

    one = make()
    whole = [one(frame) for frame in frames]
    two, three = make(), make()
    for frame in frames[:2]:
        two(frame)
    three.restore(two.snapshot())
    np.testing.assert_array_equal(whole[2:], [three(frame) for frame in frames[2:]])


def test_strengths_multiply(model):
    frame = clip(1)[0]
    half = StylizeOptions(str(model), "keras", ("one",), strength=0.5)
    full = StylizeOptions(str(model), "keras", ("one",))
    (weak,), _ = stylize(half, [frame], Size(24, 40))
    (strong,), _ = stylize(full, [frame], Size(24, 40))
    middle = (frame.astype(float) + strong) / 2
    assert np.abs(weak - middle).max() <= 1


def test_more_styles_than_regions(model, tmp_path):
    from PIL import Image

    labels = np.zeros((24, 40, 3), np.uint8)
    labels[:, 20:] = 255
    path = tmp_path / "labels.png"
    Image.fromarray(labels).save(path)
    options = StylizeOptions(
        str(model), "keras", ("one", "two", "one"), label_mask=str(path)
    )
    with pytest.raises(InputError, match="has 2 regions, and there are 3 styles"):
        stylize(options, clip(1), Size(24, 40))
    fewer = StylizeOptions(str(model), "keras", ("one",), label_mask=str(path))
    frame = clip(1)[0]
    (result,), _ = stylize(fewer, [frame], Size(24, 40))
    np.testing.assert_array_equal(result[:, 20:], frame[:, 20:])
    assert not np.array_equal(result[:, :20], frame[:, :20])
