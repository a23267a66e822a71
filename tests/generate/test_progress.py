"""What is said on the way, where nobody looks at a terminal."""

import json

import pytest

from vgan.generate import progress


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

    monkeypatch.setattr(progress.time, "monotonic", lambda: Clock.now)
    return Clock


def run(kind, clock, total=100):
    with progress.progress(total, kind) as shown:
        shown.skip(20)
        for _ in range(80):
            clock.now += 0.25
            shown.update()


def test_a_line_every_few_seconds(clock, capsys):
    run("auto", clock)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == " 21/100 frames, 4.0 frames/s"
    assert lines[-1] == " 100/100 frames, 4.0 frames/s"
    assert len(lines) == 5  # in 20 seconds


def test_json_for_programs(clock, capsys):
    run("json", clock, None)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert lines[-1] == {
        "frames": 100,
        "total": None,
        "seconds": 20.0,
        "frames_per_second": 4.0,
    }
    assert 20 <= len(lines) <= 22


def test_nothing(clock, capsys):
    run("none", clock)
    assert capsys.readouterr().err == ""
