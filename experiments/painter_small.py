r"""The small painter that ships: it learns from the large one, and from the paintings.

Separable convolutions, and half the channels of the last layers: 0.25 GMAC for a frame
of 256 x 256. It began as painterly.keras, each convolution split in two, whose frames
it imitates.

Data:    as of painter_style.py.
Command: make train EXP=painter_small BACKEND=jax, with a GPU
Result:  painterly_small.keras was made in the same way by a script, on one CPU core;
         see docs/pretrained.md. This experiment has not been run to the end.
"""

from vgan.config import load, override


def get_config():
    """From painterly_small as it is, with painterly for a teacher."""
    changes = [
        "generator.filters=[16, 40, 16]",
        "generator.separable=true",
        "losses.distillation=3.0",
        "losses.style=0.6",
        "losses.last_frame_style.weight=0.6",
        "train.start=painterly_small",
        "train.teacher=vgan/pretrained/painterly.keras",
    ]
    return override(load("painter_style"), changes)
