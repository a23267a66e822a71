"""What Windows and macOS lack is not used: checked here by taking it away."""

import os
import signal
import sys
import types

import pytest

import vgan
from tests.video.samples import make_video
from vgan import command, pipelines
from vgan.datasets import device
from vgan.evaluate import speed
from vgan.video import VideoReader

MODULES = (
    "fcntl",
    "grp",
    "pwd",
    "resource",
    "termios",
    "tty",
    "pty",
    "posix",
    "syslog",
)
SIGNALS = [
    name
    for name in dir(signal)
    if name.startswith("SIG")
    and name[3:] not in ("INT", "TERM", "ABRT", "FPE", "ILL", "SEGV", "_DFL", "_IGN")
]
CALLS = (
    *("pthread_kill", "pthread_sigmask", "alarm", "setitimer", "sigwait", "pause"),
    *("siginterrupt", "set_wakeup_fd"),
)
# All that Python's manual says is for Unix, but what its own library uses anywhere.
OS = (
    *("fork", "forkpty", "getuid", "geteuid", "getgid", "getegid", "getpgid", "setsid"),
    *(
        "killpg",
        "nice",
        "sysconf",
        "getloadavg",
        "sched_getaffinity",
        "mkfifo",
        "mknod",
    ),
    *("pread", "pwrite", "preadv", "pwritev", "readv", "writev", "sendfile", "openpty"),
    *(
        "posix_fallocate",
        "posix_fadvise",
        "fchmod",
        "fchown",
        "chown",
        "lchown",
        "sync",
    ),
    *("copy_file_range", "O_NONBLOCK", "O_SYNC", "O_DIRECTORY", "ctermid", "pipe2"),
)


@pytest.fixture
def bare(monkeypatch):
    """A Python with what all systems have."""
    for name in MODULES:
        monkeypatch.setitem(sys.modules, name, None)
    for place, names in ((signal, (*SIGNALS, *CALLS)), (os, OS)):
        for name in names:
            monkeypatch.delattr(place, name, raising=False)
    locks = types.SimpleNamespace(LK_NBLCK=2, locking=lambda handle, mode, size: None)
    monkeypatch.setitem(sys.modules, "msvcrt", locks)


def test_a_film_is_painted(bare, model, tmp_path):
    source = make_video(tmp_path / "in.mp4", 6, audio=["aac"])
    options = {"engine": "keras", "progress": "none"}
    vgan.stylize(source, "one", tmp_path / "out.mp4", model, resume=True, **options)
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert len(list(reader)) == 6
    (tmp_path / "films").mkdir()
    source.rename(tmp_path / "films" / "in.mp4")
    vgan.stylize(tmp_path / "films", "one", tmp_path / "made", model, **options)
    assert (tmp_path / "made" / "in.mp4").is_file()


def test_a_command_ends_as_elsewhere(bare):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    def main(_):
        raise vgan.InputError("input: is missing")

    with pytest.raises(SystemExit) as ended:
        command._guard(main, ["vgan"])
    assert ended.value.code == 2
    for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
        signal.signal(number, handler)


def test_what_is_asked_of_the_system(bare, monkeypatch):
    with pipelines._deaths_noticed():
        pass

    def missing(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(device, "open", missing, raising=False)
    assert device.free_memory() is None


def test_memory_that_the_system_does_not_tell(bare, monkeypatch):
    monkeypatch.setattr(speed.pathlib.Path, "exists", lambda path: False)
    assert speed.peak_memory_mib() == 0


def test_a_style_may_be_on_a_drive():
    from vgan.runtime.styles import split_weight

    assert split_weight(r"C:\styles\a.jpg") == (r"C:\styles\a.jpg", 1)
    assert split_weight(r"C:\styles\a.jpg:0.3") == (r"C:\styles\a.jpg", 0.3)
