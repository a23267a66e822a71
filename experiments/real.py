r"""Real videos, photos and paintings from folders of yours.

Photos become clips by a moving window, so their flow is known exactly; videos teach how
things really look when they move, and their flow is estimated.

Command: make train EXP=real ARGS="--set data.content=VIDEOS --set data.style=PAINTINGS"
or, with photos too and weights of VGG-19 from a file:
    python -m vgan.train --experiment=real --set data.style=PAINTINGS \
        --set data.content='{"VIDEOS": 1, "PHOTOS": 2}' \
        --set losses.features=vgg19.npz
Takes:   a GPU is advised. It has not been trained to the end yet.
"""

from vgan.config import Data, Experiment, Train


def get_config():
    """The default generator at 128 px with VGG features."""
    return Experiment(
        data=Data(
            content={"data/videos": 1, "data/photos": 2},
            style="data/styles",
            image_size=128,
            clip_length=4,
        ),
        losses=dict(
            features="vgg19",
            content=0.5,
            style=10.0,
            adversarial=dict(name="relativistic", weight=0.2),
            temporal=20.0,
        ),
        train=Train(steps=40_000, batch_size=4),
    )
