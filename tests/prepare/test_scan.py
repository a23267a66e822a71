"""One file to clips and facts, in the same process."""

import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from vgan.prepare import clip_archive, shots
from vgan.prepare.scan import scan
from vgan.prepare.settings import Settings

SETTINGS = Settings(fps=24, size=64, clip_length=8)


def read(folder, name):
    """The clips of a part, and the frames of each."""
    with zipfile.ZipFile(clip_archive.places(folder, name)[0]) as part:
        clips = json.loads(part.read("clips.json"))
        names = set(part.namelist()) - {"clips.json"}
        frames = []
        for i, clip in enumerate(clips):
            inside = [f"{i:05d}/{t:03d}.jpg" for t in range(clip["frames"])]
            names -= set(inside)
            frames.append([shots.decode(part.read(name)) for name in inside])
        assert not names
    return clips, frames


def test_a_video_becomes_clips(film, scenes, source, tmp_path):
    frames = [*scenes[0][:24], *np.zeros_like(scenes[0][:12]), *scenes[1][:20]]
    path = film("a.mp4", np.asarray(frames), options={"crf": "10"})
    said = {"label": "hill", "license": "CC0", "provenance": {"url": "x"}}
    settings = Settings(fps=25, size=64, clip_length=8)
    facts = scan(source(path, **said), settings, tmp_path)
    assert facts["error"] == ""
    assert (facts["height"], facts["width"]) == (96, 128)
    assert (facts["kept_height"], facts["kept_width"]) == (64, 86)
    assert (facts["fps"], facts["duration"]) == (25, 2.24)
    assert (facts["codec"], facts["variable_frame_rate"]) == ("h264", False)
    found = [(shot["start"], shot["clips"]) for shot in facts["shots"]]
    assert found == [(0.0, 3), (0.96, 0), (1.44, 2)]
    assert facts["shots"][1]["reason"].startswith("black")
    assert facts["clips"] == 5
    clips, kept = read(tmp_path, "a.mp4")
    assert [clip["key"] for clip in clips] == [
        f"a.mp4#{k:08d}" for k in (0, 8, 16, 36, 44)
    ]
    assert [clip["shot"] for clip in clips] == [0, 0, 0, 2, 2]
    assert clips[3] == {
        **{"key": "a.mp4#00000036", "source": "a.mp4", "start": 1.44, "fps": 25},
        **{"label": "hill", "licence": "CC0", "shot": 2},
        **{"frames": 8, "height": 64, "width": 86},
    }
    for clip, pictures in zip(clips, kept, strict=True):
        for t, picture in enumerate(pictures):
            k = round(clip["start"] * 25) + t
            assert picture.shape == (64, 86, 3)
            assert abs(picture.mean() - frames[k].mean()) < 4


def test_only_the_span_that_the_list_names_is_taken(film, scenes, source, tmp_path):
    path = film("a.mp4", scenes[0], options={"crf": "10"})
    settings = Settings(fps=25, size=64, clip_length=8)
    span = {"start": "0.4", "end": "1.2"}
    facts = scan(source(path, provenance=span), settings, tmp_path)
    clips, kept = read(tmp_path, "a.mp4")
    assert [clip["start"] for clip in clips] == [0.4, 0.72]
    assert abs(kept[0][0].mean() - scenes[0][10].mean()) < 4
    (shot,) = facts["shots"]
    assert (shot["start"], shot["end"], shot["frames"]) == (0.4, 1.2, 20)


def test_a_start_behind_the_end_says_what_to_do(film, scenes, source, tmp_path):
    late = source(film("a.mp4", scenes[0]), provenance={"start": "99"})
    error = scan(late, SETTINGS, tmp_path)["error"]
    assert "the list says start=99: give one within the video" in error


def test_the_same_file_gives_the_same_bytes(film, scenes, source, tmp_path):
    path = film("a.mp4", scenes[0])
    found = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        scan(source(path), SETTINGS, folder)
        found.append(
            [place.read_bytes() for place in clip_archive.places(folder, "a.mp4")]
        )
        assert len(list(folder.iterdir())) == 2
        assert str(tmp_path).encode() not in b"".join(found[-1])
    assert found[0] == found[1]


def test_what_is_done_is_not_done_again(film, scenes, source, tmp_path):
    path = film("a.mp4", scenes[0])
    first = scan(source(path), SETTINGS, tmp_path)
    part, _ = clip_archive.places(tmp_path, "a.mp4")
    made = part.stat().st_mtime_ns
    assert scan(source(path), SETTINGS, tmp_path) == json.loads(json.dumps(first))
    assert part.stat().st_mtime_ns == made
    for change in (
        lambda: scan(source(path), Settings(fps=12, size=64), tmp_path),
        lambda: scan(source(path, license="CC0"), SETTINGS, tmp_path),
        lambda: [os.utime(path, (1, 1)), scan(source(path), SETTINGS, tmp_path)],
        lambda: [part.unlink(), scan(source(path), SETTINGS, tmp_path)],
    ):
        change()
        assert part.stat().st_mtime_ns != made
        made = part.stat().st_mtime_ns


def test_damaged_facts_and_parts_are_made_again(film, scenes, source, tmp_path):
    path = film("a.mp4", scenes[0])
    good = scan(source(path), SETTINGS, tmp_path)
    part, facts = clip_archive.places(tmp_path, "a.mp4")
    data = part.read_bytes()
    for damaged, content in (
        *((facts, text) for text in (b"{}", b"[]", b'{"clips": 1}')),
        *((part, data[:size]) for size in (0, len(data) // 2)),
    ):
        damaged.write_bytes(content)
        assert scan(source(path), SETTINGS, tmp_path) == good
        assert part.read_bytes() == data


def test_a_file_that_ends_early_is_warned_of(film, scenes, source, tmp_path):
    path = film("a.mkv", scenes[0])
    assert scan(source(path), SETTINGS, tmp_path)["warnings"] == []
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    facts = scan(source(path), SETTINGS, tmp_path)
    assert any("ends early: " in line for line in facts["warnings"])
    path = film("b.mp4", scenes[0])
    span = {"start": "0.4", "end": "1.2"}
    assert scan(source(path, provenance=span), SETTINGS, tmp_path)["warnings"] == []


def test_a_pipe_is_no_photo(source, tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    assert "is a pipe" in scan(source(tmp_path / "a.jpg"), SETTINGS, tmp_path)["error"]


def test_a_photo_is_a_clip_of_one_frame(source, scenes, tmp_path):
    path = tmp_path / "in.png"
    Image.fromarray(scenes[0][0]).save(path)
    style = Settings(size=64, role="style")
    facts = scan(source(path, label="ink"), style, tmp_path)
    (shot,) = facts["shots"]
    assert (shot["start"], shot["end"], shot["clips"]) == (0, 0, 1)
    assert sum(share for _, share in facts["palette"]) == pytest.approx(1, abs=0.01)
    (clip,), ((picture,),) = read(tmp_path, "in.png")
    assert (clip["frames"], clip["label"], picture.shape) == (1, "ink", (64, 86, 3))


def test_pixels_become_square(film, scenes, source, tmp_path):
    def wide(stream):
        stream.codec_context.sample_aspect_ratio = 3

    facts = scan(source(film("a.mp4", scenes[0], setup=wide)), SETTINGS, tmp_path)
    assert (facts["kept_height"], facts["kept_width"]) == (64, 256)


@pytest.mark.parametrize(
    ("size", "line"),
    [
        ((31, 31), "or give size=62 or less"),
        ((7, 7), "twice; leave it out"),
        ((900, 100), "crop it"),
    ],
)
def test_unfit_shapes_are_named(source, tmp_path, size, line):
    path = tmp_path / "a.png"
    Image.new("RGB", size, "red").save(path)
    facts = scan(source(path), SETTINGS, tmp_path)
    assert line in facts["error"]
    assert not clip_archive.places(tmp_path, "a.png")[0].exists()


def test_broken_files_are_facts_too(source, tmp_path):
    for name, data in (
        ("a.mp4", b"no video"),
        ("b.png", b"no picture"),
        ("c.mp4", b""),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        facts = scan(source(path), SETTINGS, tmp_path)
        assert facts["error"]
        assert str(tmp_path) not in facts["error"]
        assert "\n" not in facts["error"]
        assert scan(source(path), SETTINGS, tmp_path) == facts
    gone = scan(source(tmp_path / "gone.mp4"), SETTINGS, tmp_path)
    assert "stamp" not in gone
    assert "was it moved?" in gone["error"]


def test_a_file_that_changes_meanwhile_is_tried_again(film, scenes, source, tmp_path):
    path = film("a.mp4", scenes[0])
    facts = scan(
        source(path), SETTINGS, tmp_path, lambda share, clips: os.utime(path, (1, 1))
    )
    assert "changed while it was read" in facts["error"]
    assert facts["clips"] == 0
    assert not any(place.exists() for place in clip_archive.places(tmp_path, "a.mp4"))
    assert scan(source(path), SETTINGS, tmp_path)["clips"] == 4


def test_damage_on_the_way_is_a_warning(source, shared_data, tmp_path):
    path = shared_data / "videos" / "CORRUPT_decord.mp4"
    facts = scan(source(path), Settings(size=64), tmp_path)
    assert any("cannot be decoded" in line for line in facts["warnings"])
    assert facts["clips"]


def test_scanning_imports_no_tensorflow():
    code = (
        "import sys, vgan.prepare.worker, vgan.prepare.run\n"
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout == "set()\n"
