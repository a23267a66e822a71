"""A command without a process of its own, which takes seconds to import TensorFlow."""

import contextlib
import importlib
import io
import signal
import subprocess
import sys

import pytest
from absl import flags

from vgan import command


def run(name, *given, cwd=".", main=None, more_flags=(), actions=()):
    """What `python -m name` does, as `subprocess.run` returns it.

    Args:
        name: Module of the command, such as "vgan.evaluate".
        given: Its flags.
        cwd: Folder to be in.
        main: Its function, if it is not called `main`.
        more_flags: `command.Flags` that it takes beside its own.
        actions: As `command.run` takes them.
    """
    package = importlib.util.find_spec(name).submodule_search_locations
    module = importlib.import_module(f"{name}.__main__" if package else name)
    own, known = (module.FLAGS, *more_flags), command.Flags()
    for each in own:
        each.unparse_flags()
        for flag in each:
            each[flag].unparse()  # what an earlier call was given
            known[flag] = each[flag]
    argv, code = [name, *map(str, given)], 0
    ends = [getattr(signal, name) for name in ("SIGINT", *command.ENDS)]
    before = [signal.getsignal(number) for number in ends]
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.chdir(cwd)
        patch.setattr(flags, "FLAGS", known)
        patch.setattr(sys, "argv", argv)
        patch.setitem(sys.modules, "__main__", module)
        try:
            argv = command._parse(argv, own, actions)
            command._guard(main or module.main, argv, own)
        except SystemExit as end:
            code = end.code
    for number, handler in zip(ends, before, strict=True):
        signal.signal(number, handler)
    if isinstance(code, str):  # as Python itself does
        return subprocess.CompletedProcess(argv, 1, out.getvalue(), f"{code}\n")
    return subprocess.CompletedProcess(argv, code, out.getvalue(), err.getvalue())
