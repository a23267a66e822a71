"""A window on the live picture, and what its keys do.

`Preview` tells which key was pressed, `Controls` keeps what the keys have chosen:

    action = preview.show(stylizer(frame), controls.status())
    if controls.press(action):  # and the code, by controls.weights()
        stylizer.strength = controls.strength
"""

import os
import subprocess
import sys
import typing
from collections.abc import Sequence

import cv2
import numpy as np

from vgan import InputError

KEYS = {
    "n": "next",
    "p": "previous",
    "b": "blend",
    "+": "stronger",
    "=": "stronger",  # + without shift
    "-": "weaker",
    "r": "record",
    "h": "help",
    "q": "quit",
    "\x1b": "quit",
}
HELP = {
    "n p": "next, previous style",
    "b": "blend with the next style",
    "+ -": "stronger, weaker",
    "r": "start, stop recording",
    "h": "this help",
    "q": "quit",
}
_BLENDS = 4  # presses of b from a style to itself again


class Controls:
    """What the user has chosen by keys so far; no window, no network.

    Args:
        num_styles: How many there are to go through, 1 or more.
        strength: To begin with, 0 to 1.

    Attributes:
        style: Index of the style.
        blend: Share of the next style, 0, 0.25, 0.5 or 0.75.
        strength: Share of the stylized picture, 0 to 1, in steps of a tenth.
        recording: Whether to record.
        quit: Whether to end.
    """

    def __init__(self, num_styles: int, strength: float = 1.0) -> None:
        if num_styles < 1:
            raise ValueError(f"num_styles must be 1 or more, got {num_styles}")
        self.num_styles = num_styles
        self.style, self.blend, self.strength = 0, 0.0, strength
        self.recording = self.quit = False

    def press(self, action: str | None) -> bool:
        """Do what a key says: a value of KEYS, or None for no key.

        Returns:
            bool, whether style, blend or strength have changed.
        """
        before = self.style, self.blend, self.strength
        if action in ("next", "previous"):
            step = 1 if action == "next" else -1
            self.style, self.blend = (self.style + step) % self.num_styles, 0.0
        elif action == "blend":
            if self.num_styles > 1:
                self.blend = (self.blend + 1 / _BLENDS) % 1
        elif action in ("stronger", "weaker"):
            step = 0.1 if action == "stronger" else -0.1
            self.strength = round(min(max(self.strength + step, 0.0), 1.0), 3)
        elif action == "record":
            self.recording = not self.recording
        elif action == "quit":
            self.quit = True
        elif action not in (None, "help"):
            raise ValueError(f"unknown action {action!r}; known: {set(KEYS.values())}")
        return before != (self.style, self.blend, self.strength)

    def weights(self) -> list[float]:
        """Share of each style, `num_styles` floats whose sum is 1."""
        shares = [0.0] * self.num_styles
        shares[self.style] += 1 - self.blend
        shares[(self.style + 1) % self.num_styles] += self.blend
        return shares

    def status(self, names: Sequence[str] | None = None) -> str:
        """One line of text for the user; `names` are those of the styles."""
        names = names or [f"style {n + 1}" for n in range(self.num_styles)]
        shares = [
            name if share == 1 else f"{name} {share:.0%}"
            for name, share in zip(names, self.weights(), strict=True)
            if share
        ]
        parts = [" + ".join(shares), f"strength {self.strength:g}"]
        return "   ".join(parts + ["REC"] * self.recording)


class Preview:
    """A window that shows frames as they are made.

    It has the size of the first frame until the user changes it. The line and the help
    are drawn over the picture in the window only.

    Args:
        title: Of the window.

    Raises:
        InputError: There is no display, or this OpenCV has no windows.
    """

    def __init__(self, title: str) -> None:
        _check_display()
        self._title = title
        self._is_open = self._helps = False

    def show(self, frame: np.ndarray, status: str = "") -> str | None:
        """Show a uint8 RGB frame `[H, W, 3]`, and a line of text below.

        Returns:
            What the key that was pressed means, a value of KEYS; None where none was.
            A window that the user has closed says "quit".
        """
        if not self._is_open:
            self._open(*frame.shape[:2])
        elif not self._is_visible():
            return "quit"  # imshow would open it again
        cv2.imshow(self._title, _draw(frame, status, self._helps))
        key = cv2.pollKey()
        action = KEYS.get(chr(key & 0xFF)) if key >= 0 else None
        if action == "help":
            self._helps = not self._helps
        return action

    def _open(self, height, width):
        # Without OpenCV's own toolbar, whose shortcuts take some of our keys.
        flags = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
        cv2.namedWindow(self._title, flags)
        cv2.resizeWindow(self._title, width, height)
        self._is_open = True

    def _is_visible(self):
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # the last window was closed, and Qt with it
            return False

    def close(self) -> None:
        """Close the window."""
        if self._is_open and self._is_visible():
            cv2.destroyWindow(self._title)
            cv2.pollKey()  # lets the window go
        self._is_open = False

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _draw(frame, status, helps):
    """Frame as BGR `[H, W, 3]`, with text on darkened bands, which read on anything."""
    picture = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    height, width = picture.shape[:2]
    scale = max(0.35, min(width / 900, height / 500))
    step = round(28 * scale)
    texts = []
    if helps:
        picture[: (len(HELP) + 1) * step, : 15 * step] //= 3
        for line, (keys, meaning) in enumerate(HELP.items()):
            y = round((line + 1.2) * step)
            texts += [(keys, step // 2, y), (meaning, 3 * step, y)]
    if status:
        picture[-round(1.4 * step) :] //= 3
        texts.append((status, step // 2, height - step // 2))
    for text, x, y in texts:
        font, white = cv2.FONT_HERSHEY_SIMPLEX, (255, 255, 255)
        cv2.putText(picture, text, (x, y), font, 0.7 * scale, white, 1, cv2.LINE_AA)
    return picture


def _check_display():
    """Qt ends the whole process where it finds no display: look before."""
    missing = InputError("preview: there is no display; leave it out")
    if sys.platform not in ("darwin", "win32"):
        # What it says of fonts, which we do not use, is no news for the user.
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise missing
        # A display may be named and not be there: only a process that may die tells.
        code = "import cv2; cv2.namedWindow('vgan')"
        probe = subprocess.run([sys.executable, "-c", code], capture_output=True)
        if probe.returncode < 0:
            raise missing
    try:
        cv2.namedWindow("vgan")
        cv2.destroyWindow("vgan")
    except cv2.error as error:
        raise InputError(
            "preview: this OpenCV has no windows; "
            "pip uninstall opencv-python-headless; pip install opencv-python"
        ) from error
