"""The whole path in seconds, to see that it runs; the tests use it.

Command: make train EXP=smoke
Takes:   about 15 seconds on 2 cores, most of it start-up; nothing is learned.
"""

from vgan.config import Data, Experiment, Train


def get_config():
    """Four steps of the smallest networks on rendered clips."""
    return Experiment(
        data=Data(image_size=32, clip_length=2, style_length=2),
        generator=dict(
            filters=(8, 8, 16),
            hidden_filters=8,
            blocks=1,
            code_size=16,
            style_filters=(8, 8),
        ),
        discriminator=dict(filters=(8, 8)),
        train=Train(
            steps=4, batch_size=2, log_every=1, sample_every=2, checkpoint_every=2
        ),
    )
