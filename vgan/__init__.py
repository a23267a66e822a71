"""Real-time video style transfer with a recurrent GAN, in Keras.

    import vgan

    vgan.stylize("in.mp4", "painting.jpg", "out.mp4")
    stylizer = vgan.Stylizer(vgan.load("painterly"), style="painting.jpg")
    frame = stylizer(frame)                               # uint8 [H, W, 3] in and out

What is named here is imported when it is first used: `import vgan` takes no time.
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from vgan import datasets, losses, models
    from vgan.generate.run import stylize
    from vgan.runtime import Stylizer, load
    from vgan.train.gan import VideoGAN

__version__ = "0.1.0"

# What a network may have, and a file is believed to hold; more fits in no memory.
LARGEST = 8192  # channels of a layer, a code, noise, a style's short side
DEEPEST = 64  # levels, and blocks of one

LUMA = (0.299, 0.587, 0.114)  # weights of R, G, B (ITU-R BT.601)


class InputError(ValueError):
    """What the user gave cannot be used.

    The message is one line: the file or argument, what is wrong, what to do.
    Commands print it without a traceback and exit with code 2.
    """


class DamagedError(InputError):
    """Some of the input is lost; what was made of the rest is complete and kept.

    Commands print the message, which counts what is there, and exit with code 3.
    """


__all__ = [
    "DamagedError",
    "InputError",
    "Stylizer",
    "VideoGAN",
    "datasets",
    "load",
    "losses",
    "models",
    "stylize",
]
_MODULES = {
    "Stylizer": "vgan.runtime",
    "VideoGAN": "vgan.train.gan",
    "load": "vgan.runtime",
    "stylize": "vgan.generate.run",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        value = getattr(importlib.import_module(_MODULES[name]), name)
    elif name in __all__:
        value = importlib.import_module(f"vgan.{name}")
    else:
        raise AttributeError(f"module 'vgan' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
