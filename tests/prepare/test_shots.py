"""Cuts, fades and stretches of one color divide a film into shots."""

import itertools
import tempfile
from fractions import Fraction

import numpy as np
import pytest

from vgan.datasets import synthetic
from vgan.prepare import shots
from vgan.prepare.settings import Settings

SETTINGS = Settings(fps=24, size=96, clip_length=8)


def timed(frames, fps=24):
    return [(frame, Fraction(k, fps)) for k, frame in enumerate(frames)]


def find(frames, settings=SETTINGS):
    """[(first k, frames, clips, reason)] of the shots of a film."""
    clocked = shots.on_clock(shots.moments(frames), settings.rate)
    return [
        (shot.first, len(shot), len(shot.clips()), shot.reason())
        for shot in shots.shots(clocked, settings, tempfile.gettempdir())
    ]


def fade(one, other, steps):
    part = np.linspace(0, 1, steps)[:, None, None, None]
    return (one * (1 - part) + other * part).astype(np.uint8)


def edit(seed, count=20):
    """A film of `count` scenes; the frames that begin one by a hard cut, and the
    (first, last) frames of each fade through black or white.
    """
    rng = np.random.default_rng(seed)
    film, hard, fades = [], [], []
    for number in range(count):
        scene = synthetic.scene([seed, number], int(rng.integers(20, 40)), 64, 96)
        if number and rng.random() < 0.6:
            hard.append(len(film))
        elif number:
            color = np.full_like(film[-1], rng.choice([0, 255]))
            begin = len(film)
            film += [*fade(film[-1], color, 10), *fade(color, scene.frames[0], 10)]
            fades.append((begin, len(film)))
        film += list(scene.frames)
    return film, hard, fades


def test_hard_cuts_and_fades_of_an_edit_are_found():
    found = true = missed = 0
    for seed in range(2):
        film, hard, fades = edit(seed)
        assert len(hard) + len(fades) == 19
        moments = list(shots.moments(timed(film)))
        begins = {
            k
            for k, (one, two) in enumerate(itertools.pairwise(moments), start=1)
            if one.shot != two.shot
        }
        faded = {k for k in begins if any(a <= k <= b for a, b in fades)}
        for begin, end in fades:
            assert any(begin <= k <= end for k in faded)
        begins -= faded
        found += len(begins)
        true += len(begins & set(hard))
        missed += len(set(hard) - begins)
    assert true / found >= 0.95
    assert true / (true + missed) >= 0.95


def test_frames_are_those_of_the_clock_and_never_of_two_shots(scenes):
    film = timed([*scenes[0], *scenes[1]], fps=60)
    # 40 frames at 60 per second are 2/3 s: 16 at 24 per second.
    assert find(film) == [(0, 16, 2, ""), (16, 16, 2, "")]
    moments = shots.moments(film)
    times = [
        (Fraction(k, 24), m.time) for k, m in shots.on_clock(moments, Fraction(24))
    ]
    assert all(0 <= due - time < Fraction(1, 60) for due, time in times)


def test_slower_films_repeat_frames(scenes):
    assert find(timed(scenes[0][:12], fps=12)) == [(0, 24, 3, "")]


def test_a_hole_in_time_ends_a_shot(scenes):
    late = [(frame, time + 100) for frame, time in timed(scenes[0])]
    found = find([*timed(scenes[0]), *late])
    assert [shot[0] for shot in found] == [0, 2400]
    # What is shown before the hole stays for two seconds.
    assert found[0][1] == 39 + 2 * 24


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        (np.zeros((20, 96, 128, 3), np.uint8), "black: mean luma 0 of 255"),
        (np.full((20, 96, 128, 3), 200, np.uint8), "one color: mean luma 200 of 255"),
    ],
)
def test_one_color_is_dropped(frames, reason):
    assert find(timed(frames)) == [(0, 20, 0, reason)]


def test_dark_frozen_and_short_shots_are_dropped(scenes):
    dark = (scenes[0] * 0.1).astype(np.uint8)
    ((_, _, clips, reason),) = find(timed(dark))
    assert clips == 0
    assert reason.startswith("too dark: mean luma 1")
    frozen = np.repeat(scenes[0][:1], 30, axis=0)
    noise = np.random.default_rng(0).integers(-1, 2, frozen.shape)
    frozen = (frozen + noise).clip(0, 255).astype(np.uint8)
    assert find(timed(frozen)) == [(0, 30, 0, "frozen: nothing moves")]
    short = "too short: 7 frames, and a clip has 8"
    assert find(timed(scenes[0][:7])) == [(0, 7, 0, short)]


def test_only_the_clips_that_move_are_kept(scenes):
    film = [*scenes[2][:8], *np.repeat(scenes[2][7:8], 24, axis=0), *scenes[2][8:16]]
    clocked = shots.on_clock(shots.moments(timed(film)), Fraction(24))
    shot = next(shots.shots(clocked, SETTINGS, tempfile.gettempdir()))
    assert shot.verdicts == ["", "still", "still", "still", ""]
    assert shot.clips() == [0, 32]
    assert shot.reason() == ""


def test_frames_come_back_from_where_they_wait(scenes, monkeypatch, tmp_path):
    monkeypatch.setattr(shots, "MOST_HELD", 1000)  # all of it on disk
    clocked = shots.on_clock(shots.moments(timed(scenes[0])), Fraction(24))
    one = shots.shots(clocked, SETTINGS, tmp_path)
    shot = next(one)
    for k, data in zip((3, 39), shot.frames([3, 39]), strict=True):
        error = shots.decode(data).astype(int) - scenes[0][k]
        assert np.abs(error).mean() < 2
    assert len(shot.samples(5)) == 5
