"""Distill a slow stylizer into a live one, from clips that it has stylized already.

Any stylizer will do: an optimizer, a diffusion model, keyframes painted by hand and
carried on. Put its results beside the originals, under the same names:

    data/paired/content/a.mp4       the original
    data/paired/target/a.mov        the same video stylized: as long, any size
    data/paired/content/b/c.jpg     a photo
    data/paired/target/b/c.png      the same photo stylized

Command: make train EXP=paired
Takes:   a GPU is advised. So far it was run for 3 steps only, to see that it runs.
"""

from vgan.config import Data, Experiment, Train


def get_config():
    """The default generator at 128 px, which imitates the target above all."""
    return Experiment(
        data=Data(
            content="data/paired/content",
            target="data/paired/target",
            # each clip's style is its own target's, so one model may learn several
            style="data/paired/target",
            image_size=128,
            clip_length=4,
            fps=12,
        ),
        losses=dict(
            content=0.1,
            style=1.0,  # forgives what L1 would blur
            reconstruction_l1=10.0,  # the main term
            adversarial=dict(name="relativistic", weight=0.05),  # for texture
            temporal=5.0,  # lower, if the target itself moves against the content
        ),
        train=Train(steps=20_000, batch_size=4),
    )
