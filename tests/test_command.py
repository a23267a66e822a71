"""How every command ends."""

import pathlib
import signal
import subprocess
import sys

import pytest

PROGRAM = """
import gc, signal, sys
from vgan import InputError, command
def collect():
    signal.raise_signal(signal.SIGINT)  # the second Ctrl-C, while all is cleaned up
def main(argv):
    gc.collect = collect
    if "bad" in argv:
        raise InputError("bad input")
    print("works", flush=True)
    sys.stdin.read()
command.run(main, ["work", "bad"])
"""


def start(action):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, action],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=pathlib.Path(__file__).parents[1],
    )


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_second_ctrl_c_changes_nothing(name):
    process = start("work")
    assert process.stdout.readline() == "works\n"
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "")


def test_ctrl_c_after_an_error_keeps_its_line():
    process = start("bad")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert errors.splitlines() == ["-c: bad input"]
