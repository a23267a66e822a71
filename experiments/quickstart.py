"""From nothing to a stylised clip: rendered clips, procedural paintings, no download.

Command: make train EXP=quickstart
"""

from vgan.config import Data, Experiment, Losses, Train


def get_config():
    """The small generator at 96 px."""
    return Experiment(
        data=Data(image_size=96),
        generator=dict(filters=(8, 16, 32, 64), hidden_filters=32, blocks=1),
        discriminator=dict(filters=(16, 32, 64)),
        losses=Losses(content=0.2, style=15.0, gan=0.8),
        train=Train(steps=800, ema_decay=0.995, sample_every=200),
    )
