"""The process of one film: `python -m vgan.serve.worker`, started by `jobs`.

Standard input gives one line of JSON, the arguments of `vgan.stylize`, and stays open:
its end is that of the server, however that died, and of this process too.
"""

import contextlib
import json
import os
import sys
import threading

import vgan
from vgan.video import VideoReader

PIXELS = 4096 * 2304  # of a film's frame
LARGEST = 20_000_000_000  # bytes of a result
NICE = 5  # less urgent than what is live


def main() -> int:
    """Paint the film; exit code 2 after a line where it cannot be used."""
    order = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    _bound()
    try:
        with VideoReader(order["input"]) as reader:
            if reader.width * reader.height > PIXELS:
                raise vgan.InputError(
                    f"film: has frames of {reader.width} x {reader.height}; give one "
                    "of at most 4096 x 2304"
                )
        vgan.stylize(**order)
    except vgan.InputError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    return 0


def _end_with_the_server():
    while os.read(0, 1):
        pass
    os._exit(1)


def _bound():
    if hasattr(os, "nice"):
        os.nice(NICE)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))


if __name__ == "__main__":
    sys.exit(main())
