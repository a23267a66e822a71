import cv2
import numpy as np
import pytest

from tests.runtime.scenes import scene
from vgan import InputError
from vgan.generate.options import Size, StylizeOptions
from vgan.models.recurrent import MotionAdaptiveFilter, RecursiveFilter
from vgan.runtime import Stylizer, compose
from vgan.runtime.looks import Grain, KeptTones, less_past
from vgan.video.planes import EnlargedPicture

CODE = np.ones((1, 16), np.float32)
SKINS = [[255, 219, 172], [224, 172, 105], [198, 134, 66], [141, 85, 36], [90, 56, 37]]
OTHERS = [[0, 0, 0], [128, 128, 128], [255, 255, 255], [40, 90, 200], [60, 140, 50]]


def flat(color, dtype=np.uint8):
    return np.full((24, 40, 3), color, dtype)


def test_highlights_come_back():
    film = np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (8, 1, 3))
    share = KeptTones(highlights=0.8)(film)
    assert share.dtype == np.float32
    assert share.shape == (8, 256, 1)
    np.testing.assert_array_equal(share[:, :180], 1)
    np.testing.assert_allclose(share[:, 240:], 0.2, atol=1e-6)
    assert (np.diff(share[0, :, 0]) <= 0).all()
    deep = KeptTones(highlights=0.8)(film.astype(np.uint16) * 257)
    np.testing.assert_array_equal(deep, share)
    result = compose.blend(film, 255 - film, share)
    np.testing.assert_array_equal(result[:, :180], 255 - film[:, :180])


@pytest.mark.parametrize("size", [(24, 40), (400, 600)])  # the latter is made small
def test_skin_comes_back_by_its_color(size):
    height, width = size
    colors = np.uint8([[*SKINS, *OTHERS]]).repeat(height, 0)
    film = colors.repeat(width // 10, 1)
    share = KeptTones(skin=0.5)(film)[height // 2, width // 20 :: width // 10, 0]
    np.testing.assert_allclose(share[:5], 0.5, atol=0.1)
    np.testing.assert_allclose(share[5:], 1, atol=0.03)


def test_grain_is_of_luma_and_the_same_for_the_same_second():
    gray, amount = flat(128).repeat(10, 0).repeat(10, 1), 0.6
    grain = Grain(amount, seed=3)
    first, second = grain(gray, 0), grain(gray, 0.04)
    np.testing.assert_array_equal(gray, 128)
    np.testing.assert_array_equal(first[..., 0], first[..., 2])
    noise = first[..., 0] - 128.0
    assert abs(noise.mean()) < 0.2
    assert noise.std() == pytest.approx(10 * amount, rel=0.05)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.05
    again = Grain(amount, seed=3)
    np.testing.assert_array_equal(again(gray, 0.04), second)
    assert (Grain(amount, seed=4)(gray, 0) != first).any()
    deep = grain(gray.astype(np.uint16) * 257, 0)
    np.testing.assert_array_equal(deep, first.astype(np.uint16) * 257)


def test_grain_of_planes_is_that_of_rgb():
    detail = np.full((64, 96), 140, np.uint8)
    planes = EnlargedPicture(scene(0, 32, 48) // 2 + 50, detail)
    grain = Grain(1)
    result = grain(planes, 7)
    assert isinstance(result, EnlargedPicture)
    np.testing.assert_array_equal(detail, 140)
    rgb = grain(np.asarray(planes), 7)
    np.testing.assert_allclose(np.asarray(result).astype(int), rgb, atol=2)


@pytest.mark.parametrize("name", ["motion", "recursive"])
def test_a_filter_takes_a_share_of_the_past(name):
    random = np.random.default_rng(0)
    before = random.random((1, 8, 8, 3), np.float32) * 0.1
    now = before + random.random((1, 8, 8, 3), np.float32) * 0.02
    luma = before[..., :1]
    if name == "motion":
        layer, prefix = MotionAdaptiveFilter(3, 2), ""
        ages = np.zeros((1, 1)), np.ones((1, 1))
        calls = [{"ages": [age]} for age in ages]
    else:
        layer, prefix = RecursiveFilter(2), "filter_"
        calls = [{"num_frames": 1}] * 2
    _, state = layer(before, luma, layer.initial_state(1, 4, 4), **calls[0])
    state = {f"{prefix}{key}": np.array(value) for key, value in state.items()}
    copy = {key: value.copy() for key, value in state.items()}

    def change(share):
        less = less_past(state, share)
        less = {key.removeprefix(prefix): value for key, value in less.items()}
        result, _ = layer(now, luma, less, **calls[1])
        return np.abs(np.array(result) - now).mean()

    changes = [change(share) for share in (1, 0.75, 0.5, 0.25, 0)]
    assert (np.diff(changes) < 0).all()
    assert changes[2] / changes[0] == pytest.approx(0.5, abs=0.15)
    assert changes[-1] < 0.1 * changes[0]
    assert less_past(state, 1) is state
    for key, value in copy.items():
        np.testing.assert_array_equal(state[key], value)
    (one,) = less_past([state], 0.5)  # of a tile
    assert one.keys() == state.keys()


def test_a_model_without_a_past_says_so(engine):
    frame = scene(0, 48, 64)
    plain = Stylizer(engine, CODE)(frame)
    same = Stylizer(engine, CODE, detail=0.75, temporal=1)(frame)
    np.testing.assert_array_equal(same, plain)
    with pytest.raises(InputError, match=r"temporal=0\.5: the model has no filter"):
        Stylizer(engine, CODE, temporal=0.5)(frame)


def test_detail_is_what_comes_back(engine):
    frame = scene(0)
    frame[::2] //= 2  # what half the size does not show
    none, some, more = (
        Stylizer(engine, CODE, proxy=0.5, detail=detail)(frame).astype(int)
        for detail in (0, 0.4, 0.8)
    )
    assert np.abs(some - none).mean() > 5
    np.testing.assert_allclose(more - none, 2 * (some - none), atol=30)
    spread = [np.abs(np.diff(result, axis=0)).mean() for result in (none, some, more)]
    assert sorted(spread) == spread


@pytest.mark.parametrize("name", ["detail", "temporal"])
def test_a_stylizer_refuses_other_numbers(engine, name):
    with pytest.raises(InputError, match=f"{name}=1.5: give a number from 0 to 1"):
        Stylizer(engine, CODE, **{name: 1.5})


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "much", True])
@pytest.mark.parametrize(
    "name", ["keep_highlights", "keep_skin", "grain", "detail", "temporal"]
)
def test_looks_are_from_0_to_1(name, value):
    with pytest.raises(InputError, match=f"{name}=.*: give a number from 0 to 1"):
        StylizeOptions("painterly", **{name: value})


def test_looks_of_films(engine):
    """All that stays plain without a look, and what each of them reaches."""
    film = scene(1, 48, 64)
    film[:16] = 255
    film[16:32] = SKINS[1]

    def made(**looks):
        options = StylizeOptions(engine, style=("mosaic",), **looks)
        with options.processor(Size(48, 64)) as process:
            return process(film, 0.2)

    plain = made()
    np.testing.assert_array_equal(
        made(keep_highlights=0.0, keep_skin=0, grain=0, detail=0.75, temporal=1), plain
    )
    bright = made(keep_highlights=np.float64(1))
    np.testing.assert_array_equal(bright[:16], film[:16])
    np.testing.assert_array_equal(bright[16:32], plain[16:32])
    skin = made(keep_skin=1)
    np.testing.assert_array_equal(skin[:12], plain[:12])
    np.testing.assert_allclose(skin[20:28].astype(int), film[20:28], atol=3)
    grainy = made(grain=1, seed=5)
    np.testing.assert_array_equal(grainy, Grain(1, 5)(plain, 0.2))
    gray = cv2.cvtColor(grainy, cv2.COLOR_RGB2GRAY).astype(int)
    assert np.abs(gray - cv2.cvtColor(plain, cv2.COLOR_RGB2GRAY)).mean() > 3
