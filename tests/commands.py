"""Commands, as their users run them."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def run_module(name, *flags, **options):
    """Run `python -m name` at the root; return what it printed and its exit code."""
    command = [sys.executable, "-m", name, *map(str, flags)]
    options = {"cwd": ROOT, "capture_output": True, "text": True, **options}
    return subprocess.run(command, check=False, **options)
