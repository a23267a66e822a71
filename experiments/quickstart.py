"""From nothing to a stylised clip: rendered clips, procedural paintings, no download.

Command: make train EXP=quickstart
Takes:   4 min 13 s on 2 quiet cores, 7 min 52 s on the same beside another load.
Reached: style strength 0.10 mosaic, 0.04 hatching, 0.20 waves; warping error 0.0015,
         0.0010, 0.0007 on an unseen scene (another run: 0.18, 0.12, 0.15 at twice the
         warping error). Colours and contours follow the style,
         and so does texture where the scene has any; flat areas stay flat.
"""

from vgan.config import Data, Experiment, Losses, Train


def get_config():
    """The small generator at 96 px."""
    return Experiment(
        data=Data(image_size=96),
        generator=dict(filters=(8, 16, 32, 64), hidden_filters=32, blocks=1),
        discriminator=dict(filters=(16, 32, 64)),
        losses=Losses(content=0.2, style=12.0, gan=0.5),
        train=Train(steps=800, ema_decay=0.995, sample_every=200),
    )
