"""The models that ship, and films to try them on; README.md here describes all."""

import os
import pathlib

PAINTERLY = pathlib.Path(__file__).parent / "painterly.keras"
PAINTERLY_SMALL = PAINTERLY.with_name("painterly_small.keras")
SAMPLE = PAINTERLY.with_name("sample.mp4")  # rendered
DEMO = PAINTERLY.with_name("demo.mp4")  # Big Buck Bunny, with sound
MODELS = {path.stem: path for path in (PAINTERLY, PAINTERLY_SMALL)}


def find(model: str) -> str:
    """Return the path of a model that ships for its name; any other path as it is.

    Args:
        model: What the user wrote: a name in MODELS, or a path. A file or folder of
            that name comes first.
    """
    ships = model in MODELS and not os.path.exists(model)
    return str(MODELS[model]) if ships else model
