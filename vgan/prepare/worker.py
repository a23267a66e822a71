"""A process that scans: sources in, facts out, a line of JSON each.

Its standard input gives first {"settings", "folder"}, then sources. It answers each
with lines {"share", "clips"} and at the end {"facts"}, or {"failed"} if the part cannot
be written.
"""

import json
import os
import sys

import cv2

from vgan.prepare.inputs import Source
from vgan.prepare.scan import scan
from vgan.prepare.settings import Settings


def main() -> None:
    """Scan until there is no more input."""
    # Whatever a library prints must not get between the lines.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    cv2.setNumThreads(1)

    def answer(**said):
        print(json.dumps(said), file=answers, flush=True)

    begin = json.loads(sys.stdin.readline())
    settings, folder = Settings(**begin["settings"]), begin["folder"]
    for line in sys.stdin:
        source = Source(**json.loads(line))
        try:
            facts = scan(
                *(source, settings, folder),
                lambda share, clips: answer(share=share, clips=clips),
            )
        except BrokenPipeError:  # nobody listens any more
            return
        except OSError as error:
            answer(failed=error.strerror or str(error))
        else:
            answer(facts=facts)


if __name__ == "__main__":
    main()
