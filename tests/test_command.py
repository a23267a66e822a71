"""How every command ends."""

import pathlib
import re
import signal
import subprocess
import sys

import pytest

from vgan import command

ROOT = pathlib.Path(__file__).parents[1]

PROGRAM = """
import gc, signal, sys
from vgan import DamagedError, InputError, command
def collect():
    signal.raise_signal(signal.SIGINT)  # the second Ctrl-C, while all is cleaned up
def main(argv):
    gc.collect = collect
    if "bad" in argv:
        raise InputError("bad input")
    if "damaged" in argv:
        raise DamagedError("37 of 120 frames")
    print("works", flush=True)
    sys.stdin.read()
command.run(main, actions=["work", "bad", "damaged"])
"""


def start(action):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, action],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.parametrize(
    ("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)]
)
def test_a_second_ctrl_c_changes_nothing(name, code):
    process = start("work")
    assert process.stdout.readline() == "works\n"
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (code, "")


def test_ctrl_c_after_an_error_keeps_its_line():
    process = start("bad")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert errors.splitlines() == ["-c: bad input"]


def test_what_is_damaged_has_a_code_of_its_own():
    process = start("damaged")
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (3, "-c: 37 of 120 frames\n")


def test_commands_share_no_flags():
    """All of them in one process, each with flags of its own."""
    modules = [path.parent.name for path in ROOT.glob("vgan/*/__main__.py")]
    code = (
        "import tools.evaluate_magenta\n"
        + "".join(f"import vgan.{module}.__main__\n" for module in modules)
        + "from absl import flags\n"
        "known = {name for name in flags.FLAGS if name in ('model', 'output')}\n"
        "print(len(known), vgan.train.__main__.FLAGS['set'].default)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.stdout.split() == ["0", "[]"], done.stderr
    assert len(modules) == 8


def test_messages_name_arguments_and_users_read_flags():
    names = ("size", "output", "overwrite", "run", "style")
    for message, line in (
        ("size=2: give 16 or more", "--size=2: give 16 or more"),
        ("output: is missing", "--output: is missing"),
        ("style=size=2: no such file", "--style=size=2: no such file"),
        ("a.mp4: exists; or overwrite=True", "a.mp4: exists; or --overwrite"),
        ("a/size=2/b: give it run=NAME", "a/size=2/b: give it --run=NAME"),
        ("was made with size=2 fps=3.0;", "was made with --size=2 fps=3.0;"),
        ("train.size=2: output", "train.size=2: output"),
        ("strength=2: size: 3", "strength=2: size: 3"),
    ):
        assert command.with_flags(message, names) == line
        assert command.with_flags(message, ()) == message


def test_help_lists_the_flags_of_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "vgan.export", "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    listed = re.findall(r"^  --(?:\[no\])?(\w+): \S", done.stdout, re.MULTILINE)
    assert (done.returncode, done.stderr) == (0, "")
    assert listed == ["format", "int8", "model", "output", "overwrite", "size"]
