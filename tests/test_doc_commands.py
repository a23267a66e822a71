"""The commands of the pages, run as they stand there."""

import json
import pathlib
import re
import shlex

import numpy as np
import pytest
from PIL import Image

from tests.in_process import run
from tests.video.samples import Negative, make_video, moving
from vgan import pretrained
from vgan.runtime import engines
from vgan.video.exr import write_exr

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = {page.name: page.read_text() for page in (ROOT / "docs").glob("*.md")}
RUN = "cookbook.md", "inference.md"  # of which the commands of generate are run
# What a command needs that no test has: of these, flags are parsed alone.
NOT_HERE = {
    "--beam": "Beam, see test_films",
    "--device": "devices, see tests/runtime/test_devices",
    "--live": "plays in real time, see tests/generate/test_parts",
    "--preview": "a window, see tests/generate/test_preview",
    "--subject": "the network that finds people, see tests/runtime/test_subject",
    "://": "a server, see tests/video/test_live and test_outlets",
    "_nvenc": "an encoder in hardware, see tests/video/test_codecs",
    "_videotoolbox": "likewise",
    "camera": "a camera",
    "ndi:": "NDI, see tests/test_ndi",
    "put -": "a pipe, see tests/generate/test_inputs",
}
# What flags of a table need that stand there alone.
MORE = {
    "--mask_invert": "--mask mask.mp4",
    "--codec prores4444": "--output out.mov",
    "--codec dnxhr --preset hqx": "--output out.mov",
    "--fps 12": "--duration 0.5",
}


def commands(page):
    """Each `vgan VERB --flag ...` of the indented blocks, a list of words."""
    lines = PAGES[page].replace("\\\n", " ").splitlines()
    found = [re.match(r" {4,}(?:\w+=\S+ )*(vgan \w+ --.*)", line) for line in lines]
    return [shlex.split(one[1])[1:] for one in found if one]


def rows(page):
    """The flags that tables name, made whole commands."""
    lines = [line for line in PAGES[page].splitlines() if line.startswith("| ")]
    for flags in re.findall(r"`(--[^`]*)`", " ".join(lines)):
        if flags in ("--output", "--preset", "--quality"):  # named, not given
            continue
        given = f"{flags} {MORE.get(flags, '')}"
        for name, value in (
            ("--input", "in.mp4"), ("--output", "out.mp4"), ("--style", "painting.jpg"),
        ):  # fmt: skip
            others = {"--style": ("--schedule", "--contact_sheet")}.get(name, ())
            if not any(f"{one} " in given for one in (name, *others)):
                given += f" {name} {value}"
        yield ["generate", *shlex.split(given)]


ALL = [one for page in sorted(PAGES) for one in commands(page)]
ALL += [one for page in RUN for one in rows(page)]
RUNNABLE = [
    one
    for page in RUN
    for one in (*commands(page), *rows(page))
    if one[0] == "generate" and not any(part in " ".join(one) for part in NOT_HERE)
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder of all that the commands name."""
    folder = tmp_path_factory.mktemp("world")
    # DNxHR begins at 256x120. Six seconds a frame: there is something at 0:12.
    film = {"height": 144, "width": 256, "pts": [150 * k for k in range(4)]}
    make_video(folder / "in.mp4", 4, audio=["aac"], options={"bf": "0"}, **film)
    random = np.random.default_rng(0)

    def picture(name, height=36, width=64, channels=3):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        pixels = random.integers(0, 256, (height, width, channels), np.uint8)
        Image.fromarray(pixels).save(path)

    for name in "painting.jpg", "a.jpg", "b.jpg", "styles/waves.jpg", "styles/hat.png":
        picture(name)
    picture("texture.png", channels=4)
    for number in range(1001, 1004):
        picture(f"shot/shot_{number}.png")
        picture(f"frames/{number}.png")
        picture(f"matte/{number}.png")
        picture(f"element/{number}.png", channels=4)
        picture(f"sprites/walk_{number}.png", channels=4)
        (folder / "plate").mkdir(exist_ok=True)
        for name in (f"{number}.exr", f"plate_{number}.exr"):
            write_exr(folder / "plate" / name, next(iter(moving(1, 36, 64))))
    halves = np.zeros((36, 64, 3), np.uint8)
    halves[:, 32:] = 255
    Image.fromarray(halves).save(folder / "regions.png")
    make_video(folder / "clip.mp4", 4)
    make_video(folder / "mask.mp4", frames=[halves] * 3, height=36)
    make_video(folder / "title.mov", 4, codec="png", pix_fmt="rgba")
    (folder / "clips").mkdir()
    for name in "one.mp4", "two.mp4":
        make_video(folder / "clips" / name, 3)
    show = {"keyframes": [{"time": 0, "style": "a.jpg"}, {"time": 4, "strength": 0.5}]}
    (folder / "show.json").write_text(json.dumps(show))
    return folder


class Quick(Negative):
    """In the place of a network, which would take most of the time of these tests."""

    def __init__(self, info):
        for name in "stride", "code_size", "noise_size", "style_size", "named_styles":
            setattr(self, name, getattr(info, name))

    def initial_state(self, height, width):
        return {"past_light": np.zeros(1, np.float32)}

    def encode_style(self, style):
        return np.zeros((1, self.code_size), np.float32)

    encode_noise = encode_style


@pytest.fixture
def quick(monkeypatch):
    """All is read of the model that ships but its weights."""
    monkeypatch.setattr(pretrained, "find", lambda model: str(pretrained.PAINTERLY))
    monkeypatch.setattr(engines.Model, "_load", lambda self, size: Quick(self.info))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_flags_are_known(words):
    done = run(f"vgan.{words[0]}", *words[1:], main=lambda argv: None)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", RUNNABLE, ids=" ".join)
def test_commands_run(words, world, quick, tmp_path):
    for path in world.iterdir():
        (tmp_path / path.name).symlink_to(path)
    done = run("vgan.generate", *words[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    output = words[words.index("--output") + 1]
    made = tmp_path / output
    assert any(made.parent.glob(re.sub("#+|%04d", "*", made.name)))
    before = {path.name for path in world.iterdir()}
    after = {path.name for path in tmp_path.iterdir()}
    assert after - before == {pathlib.Path(output).parts[0]}
