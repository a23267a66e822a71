r"""The small painter that ships: it learns from the large one, and from the paintings.

Separable convolutions, and half the channels of the last layers: 0.25 GMAC for a frame
of 256 x 256. It began as painterly.keras, each convolution split in two, whose frames
it imitates.

Data:    as of painter_edges.py.
Command: make train EXP=painter_small BACKEND=jax, with a GPU
         On CPU cores, with ARGS="--set data.image_size=192 --set data.style_size=224 \
             --set train.batch_size=2 --set train.minutes=24"
Result:  0.3 of painterly_small.keras, by the last of these commands, on one core; the
         rest are the weights before: docs/pretrained.md.
"""

from vgan.config import load, override


def get_config():
    """From painterly_small as it is, with painterly for a teacher."""
    changes = [
        "generator.filters=[16, 40, 16]",
        "generator.separable=true",
        "losses.distillation=3.0",
        "losses.style=1.0",
        'losses.last_frame_style={"weight": 0.6, "features": null, "texture": 0.3,'
        ' "grayscale_probability": 0.4}',
        "train.start=painterly_small",
        "train.teacher=vgan/pretrained/painterly.keras",
        "train.g_learning_rate=6e-4",
    ]
    return override(load("painter_edges"), changes)
