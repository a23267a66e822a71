r"""The small sibling of the model that ships: the same training, fewer channels.

Command: make train EXP=painterly_small, with photos, prepared clips and paintings where
         the fields of painterly say.
Result:  after 646 steps of 16 clips of 8 frames at 144 pixels, 58 s of one NVIDIA H100,
         the colours of a style and a relief of the contours, no strokes: it does not
         ship yet. A frame of 512 x 288 takes OpenVINO 12 ms on 2 CPU cores, and 20 with
         painterly.
"""

from vgan.config import load, override


def get_config():
    """A level more, half the channels."""
    changes = [
        "filters=[8, 16, 32, 64]",
        "blocks=2",
        "fine_blocks=0",
        "style_filters=[64, 96, 128, 192]",
    ]
    return override(load("painterly"), [f"generator.{change}" for change in changes])
