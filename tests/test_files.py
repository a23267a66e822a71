"""Files that are whole or not there, folders that one process holds, media found."""

import errno
import os
import subprocess
import sys
import types

import pytest

from vgan import InputError, files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_block_that_ends_well_puts_the_file_in_place(tmp_path):
    path = tmp_path / "a.keras"
    path.write_text("old")
    with files.replacing(path) as partial:
        assert partial.parent == tmp_path
        assert partial.name.startswith(files.PARTIAL)
        assert partial.suffix == ".keras"
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.keras"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail(path, write):
        with files.replacing(path) as partial:
            write(partial)
            raise error

    with pytest.raises(error):
        fail(path, lambda partial: partial.write_text("half"))
    with pytest.raises(error):
        fail(tmp_path / "folder", lambda p: (p / "inside").mkdir(parents=True))
    with pytest.raises(FileNotFoundError), files.replacing(path):
        pass  # nothing was written
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.json"]


def test_a_folder_takes_the_place_of_one(tmp_path):
    path = tmp_path / "export"
    path.mkdir()
    (path / "old").touch()
    with files.replacing(path) as partial:
        partial.mkdir()
        (partial / "new").touch()
    assert names(path) == ["new"]
    with pytest.raises(IsADirectoryError):
        files.write_text(path, "a file")
    assert names(path) == ["new"]
    assert names(tmp_path) == ["export"]


@pytest.mark.parametrize("name", ["x" * 251 + ".png", "ü" * 125 + "x.png"])
def test_names_may_be_as_long_as_the_system_takes(tmp_path, name):
    path = tmp_path / name
    assert len(os.fsencode(name)) == 255
    with files.replacing(path) as partial:
        assert partial.suffix == ".png"
        partial.touch()
    assert names(tmp_path) == [name]


def test_texts_and_json(tmp_path):
    files.write_text(tmp_path / "a", "ü \udcff\n")
    assert (tmp_path / "a").read_bytes() == b"\xc3\xbc \\udcff\n"
    files.write_json(tmp_path / "a", {"b": 1, "a": 2}, sort_keys=True)
    assert (tmp_path / "a").read_text() == '{\n "a": 2,\n "b": 1\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a", float("nan"), allow_nan=False)


def test_several_files_are_written_before_any_is_in_place(tmp_path):
    folder = tmp_path / "made" / "here"
    files.write_together(folder, {"a": "1", "b": "2"})
    assert (folder / "a").read_text() + (folder / "b").read_text() == "12"
    with pytest.raises(OSError, match="too long"):
        files.write_together(folder, {"a": "3", "b" * 300: "4"})
    assert names(folder) == ["a", "b"]
    assert (folder / "a").read_text() == "1"


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    missing = tmp_path / "none"
    line = r"^--output=x: cannot be written \(No such file or directory\); give y$"
    with pytest.raises(InputError, match=line):
        files.check_writable(missing, "--output=x", "give y")
    with pytest.raises(InputError, match=line), files.writing("--output=x", "give y"):
        files.write_text(missing / "a", "")
    files.check_writable(tmp_path, "--output=x", "give y")
    assert not names(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="has no such permissions")
def test_a_folder_for_reading_only_is_one_line(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Permission denied"):
        files.check_writable(tmp_path, "--output=x", "give y")
    with pytest.raises(PermissionError), files.locked(tmp_path, "held"):
        pass
    with pytest.raises(PermissionError):
        files.write_text(tmp_path / "a", "")


_HOLD = """
import sys
from vgan import files
with files.locked(sys.argv[1], "held"):
    print("holding", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["leave", "kill"])
def test_two_processes_never_hold_a_folder(tmp_path, end):
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "holding\n"
        with pytest.raises(InputError, match="held"), files.locked(tmp_path, "held"):
            pass
        assert names(tmp_path) == [files.LOCK]
        if end == "kill":
            process.kill()
    with files.locked(tmp_path, "held"):
        assert names(tmp_path) == [files.LOCK]
    assert not names(tmp_path)


def test_a_lock_that_was_removed_holds_nothing(tmp_path, monkeypatch):
    """Its last owner has removed it between its opening here and its being free."""
    lock = files._lock

    def late(handle):
        (tmp_path / files.LOCK).unlink()
        lock(handle)

    monkeypatch.setattr(files, "_lock", late)
    with pytest.raises(InputError, match="held"), files.locked(tmp_path, "held"):
        pass


def test_windows_locks_too(tmp_path, monkeypatch):
    held = set()

    def locking(handle, mode, size):
        inode = os.fstat(handle).st_ino
        assert (mode, size) == (2, 1)
        if inode in held:
            raise PermissionError
        held.add(inode)

    module = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", module)
    with (
        files.locked(tmp_path, "held"),
        pytest.raises(InputError, match="held"),
        files.locked(tmp_path, "held"),
    ):
        pass
    assert len(held) == 1
    assert not names(tmp_path)


def test_media_of_a_folder(tmp_path):
    for name in ("10.png", "9.PNG", ".hidden.png", "a.txt", "b.mp4", "png"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    for place in ("sub", ".hidden"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "c.png").touch()
    (tmp_path / "away").symlink_to(tmp_path, target_is_directory=True)

    def found(search, **options):
        paths = search(tmp_path, (".png",), **options)
        return [path.relative_to(tmp_path).as_posix() for path in paths]

    assert found(files.find) == ["10.png", "9.PNG"]
    assert found(files.find, natural=True) == ["9.PNG", "10.png"]
    assert found(files.find_below) == ["10.png", "9.PNG", "sub/c.png"]
    assert found(files.find_below, links=True) == ["10.png", "9.PNG", "sub/c.png"]
    linked = tmp_path / "sub" / "linked"
    linked.symlink_to(tmp_path / ".hidden", target_is_directory=True)
    assert found(files.find_below, links=True)[-1] == "sub/linked/c.png"
    assert "sub/linked/c.png" not in found(files.find_below)
    shown = {path.name for path in files.visible(tmp_path)}
    assert shown == {"10.png", "9.PNG", "a.txt", "b.mp4", "png", "c.png"}


def test_where_there_are_no_locks_it_is_said(tmp_path, monkeypatch, caplog):
    def unable(handle):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(files, "_lock", unable)
    with files.locked(tmp_path, "held"):
        pass
    assert f"{tmp_path}: no locks here" in caplog.text
    assert list(tmp_path.iterdir()) == []
