r"""Where the field began: minimax with binary cross-entropy, Adam at 2e-4, 200 epochs.

The style comes from the adversarial loss alone, with no penalty and no style loss; a
content term keeps the scene. The discriminator judges clips; with temporal_size=1
frames one by one.

Command: make train EXP=classic_bce
Frames:  make train EXP=classic_bce \
             ARGS="--set discriminator.temporal_size=1 --run classic_frames"
Takes:   30 min on 2 busy cores; 9 min by frames, on less busy ones.
Reached: style strength 0.42 mosaic, 0.36 hatching, 0.23 waves, warping error 0.0129,
         0.0078, 0.0045; by frames 0.55, 0.37, 0.26 and 0.0085, 0.0058, 0.0027. Strong
         and garish: colors in excess, a grid of fine lines, and five to ten times the
         unsteadiness of realtime_pair. That loss alone knows no measure.
"""

from vgan.config import Data, Experiment, Train

CLIPS, EPOCHS, BATCH = 64, 200, 8


def get_config():
    """The small generator at 64 px, on 64 clips."""
    return Experiment(
        data=Data(image_size=64, clips=CLIPS),
        generator=dict(filters=(8, 16, 32, 64), hidden_filters=32, blocks=1),
        discriminator=dict(filters=(16, 32, 64)),
        losses=dict(
            content=0.5,
            adversarial=dict(name="minimax", weight=1.0, r1=0.0, r2=0.0),
        ),
        train=Train(
            steps=EPOCHS * CLIPS // BATCH,
            batch_size=BATCH,
            g_learning_rate=2e-4,
            d_learning_rate=2e-4,
        ),
    )
