"""A run tells nobody, and leaves nothing but its result and the model's cache."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests.video.samples import make_video

ROOT = pathlib.Path(__file__).resolve().parents[2]
# In every process of the run: what would leave the machine fails and is noted, and so
# is each path that is opened to be written, or made.
GUARD = """
import os, sys
def note(event, arguments):
    what = None
    if event in OUTSIDE:
        what = arguments
    elif event == "open" and isinstance(arguments[0], (str, bytes)):
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
        if (arguments[2] or 0) & writes:
            what = os.path.abspath(os.fsdecode(arguments[0]))
    elif event in ("os.mkdir", "os.rename"):
        what = os.path.abspath(os.fsdecode(arguments[event == "os.rename"]))
    if what is not None:
        line = f"{event} {what}\\n"
        os.write(LOG, line.encode())
    if event in OUTSIDE:
        raise OSError("no network in this test")
OUTSIDE = [f"socket.{n}" for n in (
    "connect", "sendto", "sendmsg", "getaddrinfo", "gethostbyname", "getnameinfo"
)]
LOG = os.open(os.environ["VGAN_TEST_LOG"], os.O_WRONLY | os.O_APPEND)
sys.addaudithook(note)
"""


@pytest.mark.parametrize("engine", ["openvino", "keras"])
def test_a_run_tells_nobody_and_writes_nothing_elsewhere(model, tmp_path, engine):
    places = {n: tmp_path / n for n in ("guard", "home", "temp", "work", "in", "out")}
    for place in places.values():
        place.mkdir()
    (places["guard"] / "sitecustomize.py").write_text(GUARD)
    log = tmp_path / "log"
    log.touch()
    shutil.copy(model, places["in"] / "generator.keras")
    make_video(places["in"] / "in.mp4", 3, 32, 48, audio=["aac"])
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "KERAS_"))}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "vgan.generate", "--style=one"),
            f"--model={places['in'] / 'generator.keras'}",
            f"--input={places['in'] / 'in.mp4'}",
            *(f"--output={places['out'] / 'out.mp4'}", f"--engine={engine}"),
        ],
        cwd=places["work"],
        env={
            **kept,
            "HOME": str(places["home"]),
            "TMPDIR": str(places["temp"]),
            "PYTHONPATH": os.pathsep.join([str(places["guard"]), str(ROOT)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "VGAN_TEST_LOG": str(log),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    notes = log.read_text().splitlines()
    assert any("generator.keras" in note for note in notes) == (engine == "openvino")
    assert [note for note in notes if note.startswith("socket.")] == []
    allowed = (*(str(places[n]) for n in ("temp", "in", "out")), "/dev/null", "/proc/")
    written = [note.split(" ", 1)[1] for note in notes]
    assert [path for path in written if not path.startswith(allowed)] == []
    for name in ("home", "temp", "work"):
        assert list(places[name].iterdir()) == [], name
    assert [path.name for path in places["out"].iterdir()] == ["out.mp4"]
    cache = {".generator.keras.engines"} if engine == "openvino" else set()
    left = {path.name for path in places["in"].iterdir()}
    assert left == {"generator.keras", "in.mp4"} | cache
