"""The model that ships, and a clip to try it on; README.md here says what it is."""

import pathlib

PAINTERLY = pathlib.Path(__file__).parent / "painterly.keras"
