"""The model that ships, and a clip to try it on; README.md here says what it is."""

import os
import pathlib

PAINTERLY = pathlib.Path(__file__).parent / "painterly.keras"


def find(model):
    """Return the path of the model that ships for its name; any other path as it is.

    Args:
        model: What the user wrote: "painterly", or a path. A file or folder of that
            name comes first.
    """
    ships = model == PAINTERLY.stem and not os.path.exists(model)
    return str(PAINTERLY) if ships else model
