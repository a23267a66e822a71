"""How processes meet before they train as one, and what ends them."""

import concurrent.futures
import contextlib
import os
import socket
import time

import pytest

from tests import in_process
from vgan import InputError, backend
from vgan.train import processes
from vgan.train.processes import _Meeting


@pytest.fixture
def port(monkeypatch):
    """A free one; nothing connects JAX, and nobody is waited for long."""
    monkeypatch.setattr(processes, "_connect", lambda **_: None)
    monkeypatch.setattr(processes, "_disconnect", lambda: None)
    monkeypatch.setattr(processes, "TIMEOUT", 5.0)
    return processes._free_port()


@pytest.fixture
def ends(monkeypatch):
    """Exit codes of processes that were ended from outside of their main thread."""
    codes = []
    monkeypatch.setattr(processes.os, "_exit", codes.append)
    return codes


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        yield pool


def meet(port, count, number, experiment="{}"):
    return _Meeting(("localhost", port), count, number, experiment)


def refusal(future):
    with pytest.raises(InputError) as refused:
        future.result()
    return str(refused.value)


def until(condition):
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError


def test_nobody_is_there(port, monkeypatch):
    monkeypatch.setattr(processes, "TIMEOUT", 0.6)
    with pytest.raises(InputError, match=rf"^coordinator=localhost:{port}: nobody"):
        meet(port, 2, 1)
    with pytest.raises(InputError, match="there came no process 1, 2; start it"):
        meet(port, 3, 0)


def test_another_waits_there(port, monkeypatch):
    monkeypatch.setattr(processes, "TIMEOUT", 0.6)
    with (
        processes._server(port),
        pytest.raises(InputError, match="cannot wait there"),
    ):
        meet(port, 2, 0)


def test_what_answers_is_something_else(port, pool):
    with processes._server(port) as server:
        joining = pool.submit(meet, port, 2, 1)
        connection, _ = server.accept()
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n")
        connection.close()
        assert "no process 0 of vgan" in refusal(joining)


def test_a_stranger_does_no_harm(port, pool, ends):
    first = pool.submit(meet, port, 2, 0)
    until(lambda: reached(port))  # and says nothing
    second = pool.submit(meet, port, 2, 1)
    together = [first.result(), second.result()]
    list(pool.map(_Meeting.part, together))
    for one in together:
        one.close()
    assert not ends


def reached(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("localhost", port)).close()
        return True
    return False


def test_numbers_that_clash(port, pool, monkeypatch):
    monkeypatch.setattr(processes, "TIMEOUT", 1.5)
    first = pool.submit(meet, port, 3, 0)
    until(lambda: reached(port))
    both = [pool.submit(meet, port, 3, 1) for _ in range(2)]
    said = sorted(map(refusal, both))
    assert said[0].startswith("process_id=1: process 1 (")
    assert said[0].endswith("is there already; give each another")
    assert said[1] == refusal(first)
    assert "there came no process 2" in said[1]


@pytest.mark.parametrize(
    ("versions", "count", "experiment", "says"),
    [
        ({"jax": "0.1"}, 2, "{}", "has jax 0.1, and process 0 has"),
        ({}, 3, "{}", "processes=3: is what process 1 ("),
        ({}, 2, '{\n "steps": 3\n}', 'another experiment ("steps": 3); give all'),
    ],
)
def test_what_does_not_fit(port, pool, monkeypatch, versions, count, experiment, says):
    usual = processes._versions()
    given = iter([usual, {**usual, **versions}])
    monkeypatch.setattr(processes, "_versions", lambda: next(given))
    first = pool.submit(
        meet, port, 2, 0, '{\n "steps": 2\n}' if "steps" in says else "{}"
    )
    until(lambda: reached(port))
    second = pool.submit(meet, port, count, 1, experiment)
    assert says in refusal(first)
    assert refusal(first) == refusal(second)


def test_who_dies_is_named_to_all(port, pool, ends, capfd):
    joining = [pool.submit(meet, port, 3, number) for number in range(3)]
    together = [future.result() for future in joining]
    together[1].over = True  # as it is dead
    together[1].others[0][0].shutdown(socket.SHUT_RDWR)
    until(lambda: len(ends) == 2)
    assert ends == [1, 1]
    said = capfd.readouterr().err.strip().splitlines()
    said = [line for line in said if "has ended" in line]
    assert len(said) == 2
    assert all(line.startswith("vgan.train: process 1 (") for line in said)
    for one in together:
        one.close()


def test_what_is_done_may_go(port, pool, ends):
    together = [f.result() for f in [pool.submit(meet, port, 2, i) for i in (0, 1)]]
    last = pool.submit(together[1].part)
    until(together[0].gone[1].is_set)
    assert not last.done()
    together[0].part()
    last.result()
    for one in together:
        one.close()
    assert not ends


@pytest.mark.parametrize(
    ("backend", "given", "says"),
    [
        ("jax", ["--processes=2"], "--processes: needs the address of process 0"),
        ("jax", ["--coordinator=a:1"], "--coordinator: give --processes and"),
        ("jax", ["--coordinator=a:1", 2, 2], "--process_id: must be below --processes"),
        ("jax", ["--coordinator=nowhere", 2, 1], "takes HOST:PORT of process 0"),
        ("jax", ["--coordinator=auto", 2, 1], "--processes: is found, too"),
        ("jax", ["--coordinator=a:1", 3, 1], "2 clips cannot be shared by 3 processes"),
        ("tensorflow", ["--coordinator=a:1", 2, 1], "runs on JAX alone"),
        ("tensorflow", [], "set KERAS_BACKEND=jax"),
        ("jax", ["--coordinator=a:1", 2, 1, "none"], "only with train.distribution="),
        ("jax", ["--set=train.distribution=all"], "must be none or data_parallel"),
    ],
)
def test_bad_flags_are_one_line(in_root, tmp_path, monkeypatch, backend, given, says):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    names = ("--processes=", "--process_id=", "--set=train.distribution=")
    texts = [x for x in given if str(x).startswith("--")]
    rest = zip(names, given[len(texts) :], strict=False)
    flags = [*texts, *(f"{name}{value}" for name, value in rest)]
    done = in_process.run(
        "vgan.train",
        *("--experiment=smoke", f"--runs={tmp_path}"),
        *("--set=train.distribution=data_parallel", *flags),
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_is_said_in_silence_reaches_the_terminal(capfd):
    with backend.quiet():
        os.write(2, b"a library\n")
        backend.say("vgan says")
    assert capfd.readouterr().err == "vgan says\n"
