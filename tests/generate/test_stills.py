"""One frame of a film: by itself, and in many styles."""

import numpy as np
import pytest
from PIL import Image

import vgan
from tests.generate.test_parts import source  # noqa: F401
from vgan import InputError
from vgan.generate import stills
from vgan.video import VideoReader, read_image


@pytest.fixture
def stylize(model, source):  # noqa: F811
    def stylize(output, source=source, style=(), **options):
        options = {"engine": "keras", "progress": "none", **options}
        return vgan.stylize(source, style, output, model, **options)

    return stylize


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("styles")
    random = np.random.default_rng(0)
    for name in ("blue dots", "a9", "a10"):
        picture = random.integers(0, 256, (40, 50, 3), np.uint8)
        Image.fromarray(picture).save(folder / f"{name}.png")
    (folder / "notes.txt").write_text("no style")
    return folder


def test_a_still_is_the_first_frame_of_a_part(stylize, tmp_path):
    said = []
    stylize(tmp_path / "a.png", style="one", at="0:03.4s", report=said.append)
    stylize(tmp_path / "part", style="one", start=3.4, duration=0.04)
    one, two = read_image(tmp_path / "a.png"), read_image(tmp_path / "part/000000.png")
    np.testing.assert_array_equal(one, two)
    assert said == [f"{tmp_path}/a.png: 64 x 48"]


def test_of_styles_over_time_and_masks_the_second_counts(
    stylize,
    source,  # noqa: F811
    tmp_path,
):
    timed = ["one@0s", "two@3s"]
    stylize(tmp_path / "a.png", style=timed, fade=0, at=2.9)
    stylize(tmp_path / "b.png", style=timed, fade=0, at=3)
    stylize(tmp_path / "c.png", style="two", at=3)
    a, b, c = (read_image(tmp_path / f"{name}.png") for name in "abc")
    np.testing.assert_array_equal(b, c)
    assert (a != b).any()


def test_a_contact_sheet(stylize, pictures, tmp_path):
    said = []
    stylize(
        tmp_path / "a.png", style="two", contact_sheet=pictures, at=1,
        report=said.append,
    )  # fmt: skip
    stylize(tmp_path / "all.png", contact_sheet="all", at=1)
    stylize(tmp_path / "one.png", style="one", at=1)
    width, height = Image.open(tmp_path / "a.png").size
    assert said == [f"{tmp_path}/a.png: {width} x {height}, 4 styles"]
    sheet = read_image(tmp_path / "all.png")
    assert sheet[:8].min() == 255
    one = read_image(tmp_path / "one.png")
    # The input and one; below them, two.
    np.testing.assert_array_equal(sheet[8:56, 80:144], one)
    assert (sheet[79:127, 8:72] != one).any()
    assert sheet[58:79, 80:144].min() < 100  # its name
    assert sheet.shape == (150, 152, 3)


def test_names_are_those_of_pictures_in_their_order(model, pictures):
    options = stills.StylizeOptions(str(model), "keras", ("two:0.5",))
    texts = stills._texts(options, str(pictures))
    known = options.opened.info.named_styles
    names = [stills._name(text, known) for text in texts]
    assert names == ["two", "a9", "a10", "blue dots"]


def test_of_a_picture_too(stylize, source, tmp_path):  # noqa: F811
    with VideoReader(source) as reader:
        Image.fromarray(next(reader)[0]).save(tmp_path / "in.png")
    stylize(tmp_path / "a.png", tmp_path / "in.png", contact_sheet="all")
    stylize(tmp_path / "b.png", contact_sheet="all")
    one, two = read_image(tmp_path / "a.png"), read_image(tmp_path / "b.png")
    np.testing.assert_array_equal(one, two)


def test_many_cells_have_the_shape_of_a_screen():
    cells = [np.full((90, 160, 3), k, np.uint8) for k in range(17)]
    sheet = stills._sheet(cells, ["a name that is far too long for its cell"] * 17)
    assert 1.3 < sheet.shape[1] / sheet.shape[0] < 2.4


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"at": "soon"}, "at=soon: give seconds"),
        ({"at": 100}, "in.mp4: has no frame at 100 s, it is 6.4"),
        ({"at": 1, "start": 1}, "start: does not go with a still"),
        ({"at": 1, "resume": True}, "resume: does not go with a still"),
        ({"at": 1, "audio": "aac"}, "audio: does not go with a still"),
        ({"at": 1, "codec": "prores"}, "codec: does not go with a still; leave it out"),
        ({"at": 1, "output": "a_#.png"}, "output=a_%01d.png: stands for many pictures"),
        ({"at": 1, "style": "none"}, "style=none: there is no such file"),
        ({"at": 1, "output": "a.mp4"}, "a.mp4: a picture becomes a .png, .jpg or .exr"),
        ({"contact_sheet": "gone"}, "contact_sheet=gone: there is no such folder"),
        ({"contact_sheet": "."}, "contact_sheet=.: holds no pictures"),
        ({"contact_sheet": "all", "style": "one@4s"}, "style=one@4s: of a contact"),
        ({"contact_sheet": "all", "compare": True}, "compare: does not go with"),
        ({"contact_sheet": True}, "contact_sheet=True: give a path"),
    ],
)
def test_what_cannot_be(stylize, tmp_path, monkeypatch, options, line):
    monkeypatch.chdir(tmp_path)
    options = {"style": "one", "output": "a.png", **options}
    with pytest.raises(InputError, match=line.replace(".", r"\.")):
        stylize(**options)
    assert list(tmp_path.iterdir()) == []
