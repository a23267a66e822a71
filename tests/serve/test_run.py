import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

import psutil
import pytest

from vgan import InputError, files
from vgan.serve import scratch
from vgan.serve.run import serve


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 70000}, "port=70000"),
        ({"max_live": 0}, "max_live=0"),
        ({"max_upload": 0.5}, "max_upload=0.5"),
        ({"host": "0.0.0.0"}, "host=0.0.0.0: .* token="),
        ({"token": "short"}, "token: "),
        ({"model": "nowhere.keras", "port": 0}, "nowhere.keras"),
    ],
)
def test_what_cannot_be_served_is_said_at_once(options, message, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(InputError, match=message):
        serve(**options)
    assert not list(tmp_path.iterdir())


def test_a_port_in_use_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port={port}: .* another port"):
            serve(port=port)


def test_folders_of_dead_servers_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, young = tmp_path / "vgan-serve-dead", tmp_path / "vgan-serve-young"
    other, link = tmp_path / "mine", tmp_path / "vgan-serve-link"
    for path in (dead, young, other):
        path.mkdir()
        (path / "film.mp4").touch()
    (dead / files.LOCK).touch()
    (other / files.LOCK).touch()
    link.symlink_to(other)
    with scratch.folder() as one, scratch.folder() as two:
        assert {*tmp_path.iterdir()} == {young, other, link, one, two}
        assert one.stat().st_mode & 0o077 == 0
        assert (other / "film.mp4").exists()
    assert {*tmp_path.iterdir()} == {young, other, link}


def start(model, folder, *flags):
    """A server of its own process; returns it and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vgan.serve", f"--model={model}", "--port=0", *flags],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    assert line.startswith("http://127.0.0.1:"), line
    return process, line.split()[0]


@pytest.mark.slow
def test_a_killed_server_leaves_nothing_for_long(model_path, tmp_path):
    """kill -9 in the middle of a job, then a new server, then SIGTERM."""
    import urllib.request

    server, address = start(model_path, tmp_path, "--engine=keras")
    film = os.path.join(os.path.dirname(scratch.__file__), "../pretrained/sample.mp4")
    with open(film, "rb") as file:
        request = urllib.request.Request(
            f"{address}api/jobs", file.read(), {"Content-Type": "video/mp4"}
        )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201
    workers = []
    while not workers:
        workers = psutil.Process(server.pid).children()
        time.sleep(0.05)
    time.sleep(1)
    server.kill()
    server.wait()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
    assert len(list(tmp_path.glob("vgan-serve-*"))) == 1
    server, _ = start(model_path, tmp_path, "--engine=keras")
    (folder,) = tmp_path.glob("vgan-serve-*")
    assert [path.name for path in folder.iterdir()] == [files.LOCK]
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0
    assert not list(tmp_path.glob("vgan-serve-*"))
