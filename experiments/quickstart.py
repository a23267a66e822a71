"""From nothing to a stylised clip: rendered clips, procedural paintings, no download.

Command: make train EXP=quickstart
"""

from vgan.config import Data, Experiment, Losses, Train


def get_config():
    """A small generator, and discriminator, at 96 px."""
    return Experiment(
        data=Data(image_size=96, clip_length=4, style_length=4),
        generator=dict(filters=(8, 16, 32, 64), hidden_filters=32, blocks=1),
        discriminator=dict(filters=(16, 32, 64)),
        losses=Losses(content=1.0, style=2.0, temporal=5.0, gan=0.05),
        train=Train(steps=800, batch_size=4, ema_decay=0.99),
    )
