import cv2
import numpy as np
import pytest
from PIL import Image

from tests.runtime.scenes import scene
from vgan import InputError
from vgan.runtime import styles
from vgan.runtime.engines.keras_file import ModelInfo
from vgan.video import VideoWriter

NAMED = {"mosaic": [1.0] * 16, "waves": [-1.0] * 8 + [1.0] * 8}


def model(named_styles=NAMED, style_size=64):
    return ModelInfo(16, 8, style_size, 8, named_styles)


def read(*texts, **options):
    return styles.read(texts, model(), **options)


def rms(code):
    return np.sqrt(np.mean(np.square(code)))


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(scene(0)).save(path)
    return path


def test_picture_is_brought_to_the_encoders_size(picture, engine):
    (style,) = styles.read([str(picture)], model(style_size=256))
    assert style.weight == 1
    assert style.frames.shape == (1, 1, 256, 416, 3)  # from 120 x 200
    assert style.frames.dtype == np.float32
    small = cv2.resize(scene(0), (4, 4), interpolation=cv2.INTER_AREA)
    seen = cv2.resize(style.frames[0, 0], (4, 4), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(seen, small / 127.5 - 1, atol=0.06)
    np.testing.assert_array_equal(
        styles.encode([style], engine), engine.encode_style(style.frames)
    )


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (500, 300), (16, 16)])
def test_pictures_of_any_shape(tmp_path, shape):
    Image.fromarray(scene(0, *shape)).save(tmp_path / "a.png")
    (style,) = read(str(tmp_path / "a.png"))
    height, width = style.frames.shape[2:4]
    assert min(height, width) == 64
    assert max(height, width) <= 256
    assert (height % 16, width % 16) == (0, 0)


def test_clip_gives_evenly_spaced_frames(tmp_path):
    path = tmp_path / "style.mp4"
    with VideoWriter(path, fps=10) as writer:
        for i in range(100):
            writer.write(np.full((64, 64, 3), 2 * i, np.uint8), i / 10)
    (style,) = read(str(path))
    levels = (style.frames[0].mean(axis=(1, 2, 3)) + 1) * 127.5
    assert 8 <= len(levels) < 16
    np.testing.assert_allclose(np.diff(levels), 16, atol=2)
    assert levels[0] < 3


def test_blend(picture, engine):
    blend = read("mosaic:3", "waves:1")
    assert [style.weight for style in blend] == [3, 1]
    code = styles.encode(blend, engine)
    assert code.shape == (1, 16)
    np.testing.assert_allclose(code[0, :8] / code[0, 8:], 0.5, rtol=1e-5)
    assert rms(code) == pytest.approx(1, abs=1e-4)
    scaled = styles.encode(read("mosaic:0.75", "waves:0.25"), engine)
    np.testing.assert_allclose(scaled, code, rtol=1e-5)
    alone = styles.encode(read("mosaic", f"{picture}:0"), engine)
    np.testing.assert_allclose(alone, styles.encode(read("mosaic"), engine), rtol=1e-5)


def test_random_depends_on_the_seed_alone(engine):
    def code(*texts, seed):
        return styles.encode(read(*texts, seed=seed), engine)

    np.testing.assert_array_equal(code("random", seed=7), code("random", seed=7))
    assert np.abs(code("random", seed=7) - code("random", seed=8)).max() > 0.1
    first, second = read("random", "random:0.5")
    assert (first.noise != second.noise).any()


def test_no_style_given(engine):
    only = styles.read([], model({"mosaic": NAMED["mosaic"]}))
    np.testing.assert_array_equal(styles.encode(only, engine), [NAMED["mosaic"]])
    with pytest.raises(InputError, match="mosaic, waves"):
        read()
    with pytest.raises(InputError, match="none"):
        styles.read([], model({}))


def test_paths_with_colons(tmp_path, picture):
    odd = tmp_path / "a:0.5"
    odd.mkdir()
    path = odd / "b:2.jpg"
    path.write_bytes(picture.read_bytes())
    assert styles.split_weight(f"{path}") == (str(path), 1.0)
    assert styles.split_weight(f"{path}:0.25") == (str(path), 0.25)
    assert styles.split_weight(f"{odd}") == (str(odd), 1.0)


@pytest.mark.parametrize("weight", ["-1", "nan", "inf", "-inf"])
def test_weights_that_are_no_shares(weight):
    with pytest.raises(InputError, match=f"mosaic:{weight}.*weight"):
        read(f"mosaic:{weight}")


def test_bad_styles(tmp_path):
    with pytest.raises(InputError, match="all weights are 0"):
        read("mosaic:0", "waves:0")
    with pytest.raises(InputError, match=r"mosiac.*knows mosaic, waves"):
        read("mosiac")
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    with pytest.raises(InputError, match=r"style=.*text\.jpg"):
        read(str(text))
    notes = tmp_path / "notes.txt"
    notes.write_text("neither of the two\n" * 100)
    with pytest.raises(InputError, match=r"style=.*notes\.txt: is neither a picture"):
        read(str(notes))
    film = tmp_path / "film.mp4"
    film.write_text("neither of the two\n" * 100)
    with pytest.raises(InputError, match=r"style=.*film\.mp4: is not a video"):
        read(str(film))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match=r"style=.*empty"):
        read(str(empty))


def test_folder_of_pictures_of_any_shapes(tmp_path, engine):
    shapes = [(120, 200), (200, 120), (90, 90)]
    for index, shape in enumerate(shapes):
        Image.fromarray(scene(index, *shape)).save(tmp_path / f"{index}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.jpg").write_text("no picture")
    (style,) = read(str(tmp_path))
    assert style.frames.shape == (1, 3, 64, 64, 3)
    # The middle of each, at the scale that it has when it is the only one.
    (alone,) = read(str(tmp_path / "0.png"))
    np.testing.assert_array_equal(style.frames[0, 0], alone.frames[0, 0, :, 16:80])
    assert rms(styles.encode([style], engine)) == pytest.approx(1, abs=1e-2)


def test_folder_of_many_pictures_gives_evenly_spaced_ones(tmp_path):
    for index in range(40):
        picture = np.full((64, 64, 3), 6 * index, np.uint8)
        Image.fromarray(picture).save(tmp_path / f"{index:02}.png")
    (style,) = read(str(tmp_path))
    levels = (style.frames[0].mean(axis=(1, 2, 3)) + 1) * 127.5
    np.testing.assert_allclose(levels, np.arange(0, 40, 3) * 6, atol=0.1)


def test_bad_picture_in_a_folder_is_named(tmp_path, picture):
    (tmp_path / "b.jpg").write_text("no picture")
    with pytest.raises(InputError, match=r"style=.*b\.jpg: cannot be read"):
        read(str(tmp_path))
