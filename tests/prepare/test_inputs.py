"""Files get names of their own, and what the user's list says of them."""

import os

import numpy as np
import pytest
from PIL import Image

from vgan import InputError
from vgan.prepare import inputs
from vgan.prepare.provenance import Rows


def photo(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    return path


def names(sources):
    return [source.name for source in sources]


def listed(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode(encoding))
    return Rows(path)


def test_names_are_paths_below_the_input_and_never_the_same(tmp_path):
    for root in ("a", "b", "deep/b"):
        photo(tmp_path / root / "sub" / "x.png")
    photo(tmp_path / "b" / "y.png")
    roots = [tmp_path / "a", tmp_path / "b", tmp_path / "deep" / "b"]
    found = inputs.find(roots, "content")
    assert names(found) == ["b/sub/x.png", "b~2/sub/x.png", "sub/x.png", "y.png"]
    assert found[0].below == "sub/x.png"
    assert all(os.path.isabs(source.path) for source in found)


def test_a_file_found_twice_counts_once(tmp_path):
    file = photo(tmp_path / "a" / "sub" / "x.png")
    (tmp_path / "a" / "link.png").symlink_to(file)
    found = inputs.find([tmp_path / "a", tmp_path / "a" / "sub", file], "content")
    assert len(found) == 1


@pytest.mark.parametrize("name", ["a\nb.png", "a b.png", "ü#1.png", "a'\"<&.png"])
def test_odd_names_are_names(tmp_path, name):
    photo(tmp_path / "in" / name)
    assert names(inputs.find([tmp_path / "in"], "content")) == [name]


def test_bytes_that_are_no_text_are_spelt(tmp_path):
    photo(tmp_path / "in" / os.fsdecode(b"a\xff.png"))
    (found,) = inputs.find([tmp_path / "in"], "content")
    assert found.name == r"a\xff.png"
    assert os.path.exists(found.path)


def test_each_sub_folder_is_a_named_style(tmp_path):
    for name in ("ink/1.png", "ink/more/2.png", "oil.png"):
        photo(tmp_path / name)
    found = inputs.find([tmp_path], "style")
    assert [(one.name, one.label) for one in found] == [
        *[("ink/1.png", "ink"), ("ink/more/2.png", "ink")],
        ("oil.png", "oil"),
    ]


def test_inputs_that_hold_nothing(tmp_path):
    (tmp_path / "empty").mkdir()
    for root, line in [("none", "no such folder"), ("empty", "no video and no photo")]:
        with pytest.raises(InputError, match=f"^input=.*{root}: .*{line}"):
            inputs.find([tmp_path / root], "content")


def test_the_list_tells_license_labels_and_more(tmp_path):
    for name in ("in/a/one.png", "in/two.png", "in/b/two.png", "in/x7-id.png"):
        photo(tmp_path / name)
    rows = listed(
        tmp_path,
        "File, License,labels,source,author,note\n"
        "a/one.png,CC0,cat;dog,http://x,Ann,\n"
        'two.png,"CC BY, 4.0",,,Bob,seen\n'
        "x7-id,,bird,,,\n"
        "nobody.mp4,CC0,,,,\n",
        "utf-8-sig",
    )
    sources = rows.joined(inputs.find([tmp_path / "in"], "content"))
    told = {s.name: (s.license, s.label, s.provenance) for s in sources}
    assert told == {
        "a/one.png": ("CC0", "cat;dog", {"url": "http://x", "author": "Ann"}),
        "two.png": ("CC BY, 4.0", "", {"author": "Bob", "note": "seen"}),
        "b/two.png": ("CC BY, 4.0", "", {"author": "Bob", "note": "seen"}),
        "x7-id.png": ("", "bird", {}),
    }
    assert rows.unused == ["nobody.mp4"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name,license\na,b\n", "no column 'file', but name, license"),
        ("", "no column 'file'"),
        ("file,license\na.mp4,CC0\na.mp4,CC0\n", "line 3 names 'a.mp4' again"),
        ("file,license\na.mp4,CC0,x\n", "line 2 has 3 columns"),
        ("file,url,source\na.mp4,b,c\n", "the columns url and source say the same"),
        ("file,license\n,CC0\n", "line 2 names no file"),
        ("file,start,end\na.mp4,5,4\n", "line 2: start=5 end=4 are no seconds"),
        ("file,start\na.mp4,soon\n", "line 2: start=soon end= are no seconds"),
        ("file,end\na.mp4,nan\n", "line 2: start= end=nan are no seconds"),
    ],
)
def test_lists_that_cannot_be_used(tmp_path, text, line):
    with pytest.raises(InputError, match=line):
        listed(tmp_path, text)


def test_lists_in_other_encodings_are_refused(tmp_path):
    with pytest.raises(InputError, match="not UTF-8"):
        listed(tmp_path, "file,author\na,Jürgen\n", "latin-1")
    with pytest.raises(InputError, match="no such file"):
        Rows(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder"):
        Rows(tmp_path)


def test_the_list_may_name_files_by_their_path_from_here(tmp_path, monkeypatch):
    photo(tmp_path / "in" / "one.png")
    photo(tmp_path / "in" / "two.png")
    monkeypatch.chdir(tmp_path)
    text = f"file,licence\n./in/one.png,CC0\n{tmp_path / 'in' / 'two.png'},MIT\n"
    rows = listed(tmp_path, text)
    sources = rows.joined(inputs.find(["in"], "content"))
    assert [source.license for source in sources] == ["CC0", "MIT"]
    assert rows.unused == []
