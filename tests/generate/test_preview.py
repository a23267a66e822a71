import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest

from vgan import InputError
from vgan.generate.preview import HELP, KEYS, Controls, Preview, _draw


def pressed(controls, keys):
    return [controls.press(KEYS[key]) for key in keys]


def test_styles_go_round():
    controls = Controls(3)
    styles = []
    for key in "nnnpp":
        assert pressed(controls, key) == [True]
        styles.append(controls.style)
    assert styles == [1, 2, 0, 2, 1]
    assert controls.weights() == [0, 1, 0]


def test_b_blends_towards_the_next_style_and_back():
    controls = Controls(3)
    pressed(controls, "p")
    blends = []
    for _ in range(4):
        pressed(controls, "b")
        blends.append(controls.weights())
        assert sum(blends[-1]) == 1
    assert blends == [[0.25, 0, 0.75], [0.5, 0, 0.5], [0.75, 0, 0.25], [0, 0, 1]]
    pressed(controls, "bn")
    assert (controls.style, controls.blend) == (0, 0)


def test_one_style_has_no_other_to_go_to():
    controls = Controls(1)
    assert pressed(controls, "npb") == [False] * 3
    assert controls.weights() == [1]


def test_strength_stays_within_its_bounds():
    controls = Controls(2)
    assert pressed(controls, "+") == [False]
    pressed(controls, "---")
    assert controls.strength == 0.7
    pressed(controls, "-" * 20)
    assert controls.strength == 0
    pressed(controls, "=" * 3)
    assert controls.strength == 0.3
    assert Controls(1, strength=0.45).strength == 0.45


def test_record_and_quit():
    controls = Controls(2)
    assert pressed(controls, "r") == [False]
    assert controls.recording
    pressed(controls, "r")
    assert not controls.recording
    controls.press(None)
    pressed(controls, "h")
    assert not controls.quit
    pressed(controls, "\x1b")
    assert controls.quit
    with pytest.raises(ValueError, match="unknown action 'dance'"):
        controls.press("dance")
    with pytest.raises(ValueError, match="num_styles"):
        Controls(0)


def test_status_is_one_line():
    controls = Controls(2)
    pressed(controls, "b-r")
    status = controls.status(["waves", "night"])
    assert status == "waves 75% + night 25%   strength 0.9   REC"
    assert Controls(2).status() == "style 1   strength 1"


@pytest.mark.parametrize(("height", "width"), [(48, 64), (360, 640), (640, 360)])
def test_text_is_drawn_on_a_copy(height, width):
    frame = np.full((height, width, 3), (200, 100, 50), np.uint8)
    picture = _draw(frame, "", False)
    assert picture.shape == frame.shape
    assert np.all(picture == (50, 100, 200))  # OpenCV shows BGR
    with_status = _draw(frame, "style 1", False)
    assert np.all(with_status[: height // 2] == (50, 100, 200))
    assert np.all(with_status[-1] < 100)  # a dark band
    assert np.any(with_status > 200)  # light letters
    assert np.any(_draw(frame, "", True)[: height // 2] != (50, 100, 200))
    assert np.all(frame == (200, 100, 50))
    assert {key for keys in HELP for key in keys.split()} <= set(KEYS)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is a display")
@pytest.mark.parametrize("display", [None, "", ":987"])
def test_no_display_is_one_clear_line(monkeypatch, display):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QT_LOGGING_RULES", "")
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    with pytest.raises(InputError, match="no display; leave it out") as caught:
        Preview("vgan")
    assert "\n" not in str(caught.value)


WINDOW = """
import sys, time, cv2, numpy as np
from vgan.generate.preview import Preview
frame = np.zeros((120, 160, 3), np.uint8)
with Preview("vgan test") as preview:
    print(preview.show(frame), flush=True)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        action = preview.show(frame, "status")
        if action:
            print(action, flush=True)
        if action == "weaker":
            break
        time.sleep(0.02)
    cv2.destroyWindow("vgan test")  # as the user does who closes it
    cv2.pollKey()
    print(preview.show(frame))
"""


def test_a_window_on_a_virtual_screen(monkeypatch):
    tools = [pathlib.Path("/usr/bin") / name for name in ("Xvfb", "xdotool")]
    if not all(tool.exists() for tool in tools):
        pytest.skip("no Xvfb and xdotool on this machine")
    read, write = os.pipe()
    screen = subprocess.Popen(
        [tools[0], "-displayfd", str(write), "-screen", "0", "320x240x24"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    try:
        monkeypatch.setenv("DISPLAY", ":" + os.read(read, 20).decode().strip())
        process = subprocess.Popen(
            [sys.executable, "-c", WINDOW],
            stdout=subprocess.PIPE,
            text=True,
            cwd=pathlib.Path(__file__).parents[2],
        )
        assert process.stdout.readline() == "None\n"
        time.sleep(0.5)
        for key in ("h", "n", "plus", "Escape", "z", "minus"):
            subprocess.run([tools[1], "mousemove", "80", "60", "key", key], check=True)
            time.sleep(0.1)
        actions = process.communicate(timeout=30)[0].split()
    finally:
        screen.terminate()
        screen.wait(10)
        os.close(read)
        os.close(write)
    assert actions == ["help", "next", "stronger", "quit", "weaker", "quit"]
