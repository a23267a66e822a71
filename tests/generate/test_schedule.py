import json
import time
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from tests.runtime.scenes import scene
from vgan import InputError
from vgan.generate import schedule
from vgan.runtime import styles
from vgan.runtime.engines.keras_file import ModelInfo
from vgan.video import VideoWriter

MODEL = ModelInfo(
    16,
    8,
    64,
    8,
    {"mosaic": [1.0] * 16, "waves": [-1.0] * 8 + [1.0] * 8, "a@2s": [-1] * 16},
)
MOSAIC, WAVES = (np.float32([MODEL.named_styles[name]]) for name in ("mosaic", "waves"))


def of_flags(*texts, fade=1.0, **options):
    return schedule.read(list(texts), None, fade, MODEL, **options)


def rms(code):
    return np.sqrt(np.mean(np.square(code)))


@pytest.fixture
def show(tmp_path):
    """Writes show.json beside pictures a.png and b.png; returns its path."""
    for seed, name in enumerate("ab"):
        Image.fromarray(scene(seed)).save(tmp_path / f"{name}.png")

    def write(content):
        path = tmp_path / "show.json"
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text)
        return path

    return write


def of_file(path, fade=None, **options):
    return schedule.read([], path, fade, MODEL, **options)


def test_styles_of_flags_follow_each_other(engine):
    shown = of_flags("mosaic@0s", "waves:0.7@10", "mosaic@20.5s", fade=2).encode(engine)
    assert not shown.is_constant
    for second, code in ((-1, MOSAIC), (9.99, MOSAIC), (12, WAVES), (20.5, WAVES)):
        np.testing.assert_array_equal(shown.at(second)[0], code)
        assert shown.at(Fraction(second))[1] == 1
    np.testing.assert_array_equal(shown.at(1e6)[0], MOSAIC)
    for share in (0.25, 0.5, 0.75):
        code, strength = shown.at(10 + 2 * share)
        expected = styles.blend([MOSAIC, WAVES], [1 - share, share])
        np.testing.assert_allclose(code, expected, rtol=1e-5)
        assert code.dtype == np.float32
        assert rms(code) == pytest.approx(1, abs=1e-4)
        assert strength == 1


def test_no_fade_changes_at_once(engine):
    shown = of_flags("mosaic@0s", "waves@4s", fade=0).encode(engine)
    np.testing.assert_array_equal(shown.at(Fraction(3999, 1000))[0], MOSAIC)
    np.testing.assert_array_equal(shown.at(4)[0], WAVES)


def test_the_first_holds_before_its_time(engine):
    shown = of_flags("mosaic@3s", "waves@4s").encode(engine)
    for second in (0, 3, 3.5, 4):
        np.testing.assert_array_equal(shown.at(second)[0], MOSAIC)


def test_styles_of_one_second_are_blended(engine):
    shown = of_flags("mosaic@0s", "mosaic:3@4s", "waves:1@4s").encode(engine)
    expected = styles.blend([MOSAIC, WAVES], [3, 1])
    np.testing.assert_allclose(shown.at(5)[0], expected, rtol=1e-6)


def test_without_times_it_is_the_blend_of_all(engine):
    shown = of_flags("mosaic:3", "waves:1").encode(engine)
    assert shown.is_constant
    expected = styles.encode(styles.read(["mosaic:3", "waves:1"], MODEL), engine)
    for second in (0, 1, 100):
        np.testing.assert_array_equal(shown.at(second)[0], expected)


def test_a_fade_that_is_cut_short_goes_on_from_there(engine):
    shown = of_flags("mosaic@0s", "waves@2s", "mosaic@3s", fade=4).encode(engine)
    seconds = np.arange(0, 9, 0.05)
    codes = np.concatenate([shown.at(second)[0] for second in seconds])
    assert np.abs(np.diff(codes, axis=0)).max() < 0.15  # never a jump
    np.testing.assert_array_equal(shown.at(7)[0], MOSAIC)


def test_file(show, engine):
    shown = of_file(
        show(
            {
                "fade": 2,
                "keyframes": [
                    {"time": 0, "style": "a.png", "strength": 0.5},
                    {"time": 4, "styles": {"b.png": 1, "mosaic": 3}, "strength": 1},
                    {"time": 8, "strength": 0, "fade": 0.5},
                    {"time": 9, "style": "a.png"},
                ],
            }
        )
    ).encode(engine)
    folder = show("").parent
    a, b = (
        styles.encode(styles.read([str(folder / name)], MODEL), engine)
        for name in ("a.png", "b.png")
    )
    mixed = styles.blend([b, MOSAIC], [1, 3])
    for second, code, strength in (
        (0, a, 0.5),
        (4, a, 0.5),
        (6, mixed, 1),
        (8.25, mixed, 0.5),
        (8.5, mixed, 0),
        (20, a, 0),
    ):
        np.testing.assert_allclose(shown.at(second)[0], code, atol=1e-5)
        assert shown.at(second)[1] == pytest.approx(strength)
    assert shown.at(5)[1] == pytest.approx(0.75)
    pictures = styles.pictures(shown.styles)  # in full size, and none of the mosaic
    np.testing.assert_array_equal(pictures, [scene(0), scene(1)])


def test_each_style_is_read_and_encoded_once(show, engine):
    class Counting:
        calls = 0

        def encode_style(self, frames):
            self.calls += 1
            return engine.encode_style(frames)

    counting = Counting()
    keyframes = [{"time": i, "style": "ab"[i % 2] + ".png"} for i in range(20)]
    shown = of_file(show({"keyframes": keyframes})).encode(counting)
    for second in np.linspace(0, 20, 200):
        shown.at(second)
    assert counting.calls == 2


def test_fade_of_the_call_holds_where_the_file_says_none(show, engine):
    keyframes = [{"time": 0, "style": "mosaic"}, {"time": 4, "style": "waves"}]
    quick = of_file(show({"keyframes": keyframes}), fade=0.25).encode(engine)
    np.testing.assert_array_equal(quick.at(4.25)[0], WAVES)
    own = of_file(show({"fade": 3, "keyframes": keyframes}), fade=0.25).encode(engine)
    assert np.abs(own.at(6.9)[0] - WAVES).max() > 0.01


def test_random_styles_are_unlike_and_depend_on_the_seed(show, engine):
    keyframes = [{"time": i, "style": "random"} for i in range(2)]
    path = show({"keyframes": keyframes})
    one, again, other = (of_file(path, seed=s).encode(engine) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.at(5)[0], again.at(5)[0])
    assert np.abs(one.at(5)[0] - other.at(5)[0]).max() > 0.1
    assert np.abs(one.at(5)[0] - one.at(0)[0]).max() > 0.1


def test_a_frame_at_a_keyframe_is_of_it(engine):
    """0.1 as a float is a little more than the frame's exact tenth."""
    shown = of_flags("mosaic@0s", "waves@0.1s", fade=0).encode(engine)
    assert shown.at(Fraction(1, 10)) is shown.at(5)
    assert shown.at(Fraction(99, 1000)) is shown.at(0)


def test_it_is_quick(engine):
    texts = [f"{'mosaic' if i % 2 else 'waves'}@{i}s" for i in range(100)]
    shown = of_flags(*texts, fade=0.9).encode(engine)
    times = [Fraction(i, 30) for i in range(3000)]
    began = time.process_time()
    for second in times:
        shown.at(second)
    assert (time.process_time() - began) / len(times) < 50e-6


def test_asking_before_encoding():
    with pytest.raises(RuntimeError, match="encode"):
        of_flags("mosaic").at(0)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["mosaic@0s", "waves"], r"style=waves: has no time.*waves@0s"),
        (["mosaic@4s", "waves@2s"], r"style=waves@2s: comes after one at 4 s"),
        (["mosaic@-1s"], r"style=mosaic@-1s: the time must be"),
        (["mosaic@nan"], r"style=mosaic@nan: the time must be"),
        (["mosaic@4s:0.7"], r"style=mosaic@4s:0.7: the time must .* come last"),
        (["mosaic:0.7@4m"], r"style=mosaic:0.7@4m: the time must be"),
        (["mosaic@0s", "waves:0@2s"], r"waves:0@2s: all weights at 2 s are 0"),
        (["mosiac@0s"], r"style=mosiac: there is no such file"),
        (["me@home.jpg"], r"style=me@home.jpg: there is no such file"),
        (["mosaic:-1@0s"], r"mosaic:-1: the weight"),
        ([f"{'a' * 5000}@x"], r"a@x: there is no such file"),
    ],
)
def test_bad_flags(texts, words):
    with pytest.raises(InputError, match=words) as caught:
        of_flags(*texts)
    assert "\n" not in str(caught.value)


def test_an_at_in_a_name_is_no_time(tmp_path):
    path = tmp_path / "b@4s"
    path.mkdir()
    Image.fromarray(scene(0)).save(path / "c@2.png")
    assert schedule.split_time(str(path)) == (str(path), None)
    assert schedule.split_time(f"{path}/c@2.png") == (f"{path}/c@2.png", None)
    assert schedule.split_time(f"{path}:0.5@3s") == (f"{path}:0.5", 3.0)
    assert schedule.split_time("a@2s", MODEL.named_styles) == ("a@2s", None)


def test_bad_calls(show):
    path = show({"keyframes": [{"time": 0, "style": "mosaic"}]})
    with pytest.raises(InputError, match=r"style=mosaic: schedule=.*show\.json"):
        schedule.read(["mosaic"], path, 1.0, MODEL)
    for fade in (-1, float("nan"), float("inf")):
        with pytest.raises(InputError, match=r"^fade="):
            of_flags("mosaic@0s", fade=fade)
    for bad in (path.parent, path.parent / "shw.json"):
        with pytest.raises(InputError, match=f"^schedule={bad}"):
            of_file(bad)


FIRST = {"time": 0, "style": "a.png"}


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"time": 4, "stlye": "b.png"}, 'does not know "stlye"; known: time, style'),
        (
            {"time": 4, "style": "c.png"},
            r"c\.png: there is no such file.*knows.*mosaic",
        ),
        ({"time": 0, "style": "b.png"}, "its time, 0 s, is not after"),
        ({"time": -4, "style": "b.png"}, '"time" must be from 0'),
        ({"time": "4s", "style": "b.png"}, '"time" must be a number, got "4s"'),
        ({"time": True}, '"time" must be a number, got true'),
        ({"style": "b.png"}, 'has no "time"'),
        ({"time": 4, "strength": 1.5}, '"strength" must be from 0 to 1, got 1.5'),
        ({"time": 4, "fade": -1}, '"fade" must be from 0'),
        ({"time": 4, "style": "a.png", "styles": {"a.png": 1}}, "has both"),
        ({"time": 4, "styles": {"a.png": 0}}, "all weights are 0"),
        ({"time": 4, "styles": {"a.png": -1}}, '"a.png" must be from 0'),
        ({"time": 4, "styles": ["a.png"]}, '"styles" must be {style: weight'),
        ({"time": 4, "style": 7}, "is no style"),
        ({"time": 4, "style": ""}, "is no style"),
        ({"time": 4, "style": "a\0.png"}, "there is no such file"),
        ({"time": 4, "style": "a" * 5000}, "there is no such file"),
        (7, "must be {...} with time"),
    ],
)
def test_bad_keyframes(show, second, words):
    with pytest.raises(InputError) as caught:
        of_file(show({"keyframes": [FIRST, second]}))
    message = str(caught.value)
    assert message.startswith(f"{show('')}: keyframe 2: ")
    assert "\n" not in message
    with pytest.raises(InputError, match=words.replace("{", r"\{")):
        of_file(show({"keyframes": [FIRST, second]}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"keyframes": [\n{"time": 0,\n"style" "a.png"}]}', "line 3, column 9: is no"),
        ("", "line 1, column 1"),
        ("[]", "must be {"),
        ("{}", "at least one keyframe"),
        ('{"keyframes": []}', "at least one keyframe"),
        ('{"keyframe": [], "fade": 1}', 'does not know "keyframe"'),
        ('{"keyframes": [{"time": NaN}]}', "NaN is no number"),
        ('{"keyframes": [{"time": 1e999}]}', "keyframe 1: .*must be a number"),
        ('{"keyframes": [{"time": 0}]}', 'keyframe 1: has no "style"'),
        ('{"fade": 1, "fade": 2}', '"fade" stands twice'),
        ("[" * 100_000, "is not valid JSON"),
        ("1" * 5000, "must be"),
    ],
)
def test_bad_files(show, text, words):
    with pytest.raises(InputError, match=words.replace("{", r"\{")) as caught:
        of_file(show(text))
    assert "show.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_file_that_is_no_text(show):
    path = show("")
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match=r"show\.json: is not valid JSON text"):
        of_file(path)


def test_a_clip_and_a_folder_of_unlike_pictures(show, engine, tmp_path):
    (tmp_path / "paintings").mkdir()
    shapes = [(120, 200), (200, 120), (64, 64)]
    for index, shape in enumerate(shapes):
        Image.fromarray(scene(index, *shape)).save(tmp_path / f"paintings/{index}.png")
    with VideoWriter(tmp_path / "clip.mp4", fps=10) as writer:
        for index in range(3):
            writer.write(scene(index), index / 10)
    shown = of_file(
        show(
            {
                "keyframes": [
                    {"time": 0, "style": "paintings"},
                    {"time": 2, "style": "clip.mp4"},
                ]
            }
        )
    ).encode(engine)
    painting, frame = styles.pictures(shown.styles)
    np.testing.assert_array_equal(painting, scene(0))
    assert np.abs(frame.astype(int) - scene(0)).mean() < 8
    for second in (0, 5):
        assert rms(shown.at(second)[0]) == pytest.approx(1, abs=1e-2)
