"""A recurrent generator under a CNN's style code, against a discriminator of pairs.

The discriminator judges each clip beside a real one, D(X_gen, X_real).

Command: make train EXP=realtime_pair
GRU:     make train EXP=realtime_pair ARGS="--set generator.cell=gru --run realtime_gru"
Takes:   7 min on 2 busy cores, with a GRU 8 min on busier ones.
Reached: LSTM: style strength 0.27 mosaic, 0.14 hatching, 0.45 waves, warping error
         0.0010, 0.0006, 0.0011. GRU: 0.27, 0.11, 0.40 and 0.0015, 0.0012, 0.0012.
         Content sharp, colors of the style, calm; little texture.
"""

from vgan.config import Data, Experiment, Train


def get_config():
    """The small generator at 64 px."""
    return Experiment(
        data=Data(image_size=64),
        generator=dict(
            filters=(8, 16, 32, 64), hidden_filters=32, blocks=1, cell="lstm"
        ),
        discriminator=dict(filters=(16, 32, 64)),
        losses=dict(
            content=0.2,
            style=12.0,
            adversarial=dict(name="pair", weight=1.0, r2=0.0),
            temporal=20.0,
        ),
        train=Train(steps=1000, ema_decay=0.995),
    )
