"""How far a run is, on standard error: a bar, lines of a log, or JSON for programs."""

import json
import sys
import time

import tqdm

KINDS = ("auto", "json", "none")
_EVERY = {"auto": 5.0, "json": 1.0}  # seconds between two lines


def progress(total: int | None, kind: str = "auto") -> "_Bar | _Lines":
    """Return what counts frames: with skip(count), update(), note(text), and `with`.

    Args:
        total: Frames to expect, or None.
        kind: "auto": a bar on a terminal, and elsewhere a line every few seconds;
            "json": a JSON object in each line, {"frames", "total" (or null), "seconds",
            "frames_per_second"}; "none": nothing.
    """
    if kind == "auto" and sys.stderr is not None and sys.stderr.isatty():
        return _Bar(total=total, unit="frame", file=sys.stderr)
    return _Lines(total, kind)


class _Bar(tqdm.tqdm):
    def skip(self, count):
        self.initial = count
        self.update(count)

    def note(self, text):
        self.set_postfix_str(text, refresh=False)


class _Lines:
    """The first frame is told at once, then the clock decides, and the end is told."""

    def __init__(self, total, kind):
        self._total, self._kind = total, kind
        self._frames = self._skipped = 0
        self._note = ""
        self._began = time.monotonic()
        self._due, self._told = 0, None

    def skip(self, count):
        """Count what an earlier run has made."""
        self._frames = self._skipped = count

    def update(self):
        """Count a frame."""
        self._frames += 1
        if time.monotonic() >= self._due:
            self._tell()

    def note(self, text):
        """Say this with the next line."""
        self._note = text

    def _tell(self):
        if self._kind == "none" or self._told == self._frames:
            return
        seconds = time.monotonic() - self._began
        rate = (self._frames - self._skipped) / max(seconds, 1e-9)
        if self._kind == "json":
            line = json.dumps(
                {
                    "frames": self._frames,
                    "total": self._total,
                    "seconds": round(seconds, 3),
                    "frames_per_second": round(rate, 3),
                }
            )
        else:
            line = f" {self._frames}"
            line += f"/{self._total}" if self._total else ""
            line += f" frames, {rate:.1f} frames/s"
            line += f", {self._note}" if self._note else ""
        print(line, file=sys.stderr, flush=True)
        self._told, self._due = self._frames, time.monotonic() + _EVERY[self._kind]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._frames:
            self._tell()
