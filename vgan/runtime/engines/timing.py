"""Times one engine: `python -m vgan.runtime.engines.timing MODEL ENGINE DEVICE H W`.

It prints the seconds of the faster of two frames, after one that compiles.
"""

import sys
import time

import numpy as np

from vgan.runtime import engines

FRAMES = 2


def seconds(model: str, engine: str, device: str, height: int, width: int) -> float:
    """Return the time of one frame of noise.

    Args:
        model: A generator.keras, or an export.
        engine: What runs it; "" of an export.
        device: What that runs on; "": the usual.
        height: H of frames in pixels.
        width: W.
    """
    size = height, width
    ready = engines.load(model, engine or None, size, device or None)
    size = engines.padded(*size, ready.stride)
    random = np.random.default_rng(0)
    frame = random.uniform(-1, 1, (1, 1, *size, 3)).astype(np.float32)
    code = random.standard_normal((1, ready.code_size)).astype(np.float32)
    state, took = ready.initial_state(*size), []
    for _ in range(1 + FRAMES):
        start = time.perf_counter()
        _, state = ready.step(frame, code, state)
        took.append(time.perf_counter() - start)
    return min(took[1:])


if __name__ == "__main__":
    model, engine, device, *size = sys.argv[1:]
    print(seconds(model, engine, device, *map(int, size)))
