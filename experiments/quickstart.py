"""From scratch to a stylized clip: rendered clips, procedural paintings, no download.

Command: make train EXP=quickstart
Takes:   3 min 33 s on 2 cores, start and end included.
Reached: style strength 0.61 mosaic, 0.30 hatching, 0.63 waves in the loss's own
         features (pieces of the styles themselves: 0.60, 0.41, 0.54), warping error
         0.0017, 0.0016, 0.0014 on an unseen scene. Colors and texture follow the
         style; contours turn into relief. Real paintings that resemble none of the
         six: by luck.
"""

from vgan.config import Data, Experiment, Train


def get_config():
    """The small generator at 96 px."""
    return Experiment(
        data=Data(image_size=96),
        generator=dict(filters=(8, 16, 32, 64), hidden_filters=32, blocks=1),
        discriminator=dict(filters=(16, 32, 64)),
        losses=dict(
            content=0.2,
            style=12.0,
            adversarial=dict(name="relativistic", weight=0.5),
            temporal=20.0,
        ),
        train=Train(steps=800, ema_decay=0.995, sample_every=200),
    )
