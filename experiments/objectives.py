r"""A small task on which adversarial losses are compared: they weigh much here.

Command: python -m tools.benchmark objectives --experiment=objectives \
             --output=experiments/README.md
A loss:  make train EXP=objectives ARGS="--set losses.adversarial=hinge"
Reached: the table in experiments/README.md.
"""

from vgan.config import Data, Experiment, Train


def get_config():
    """The networks of quickstart at 64 px, for 300 steps."""
    return Experiment(
        data=Data(image_size=64, clip_length=4, style_length=4),
        generator=dict(filters=(8, 16, 32, 64), hidden_filters=32, blocks=1),
        discriminator=dict(filters=(16, 32, 64)),
        losses=dict(
            content=0.2,
            style=12.0,
            adversarial=dict(name="relativistic", weight=1.0),
            temporal=20.0,
        ),
        train=Train(
            steps=300,
            ema_decay=0.995,
            alarm_every=25,
            log_every=1,
            sample_every=10_000,
            evaluate_every=10_000,
            checkpoint_every=100,
        ),
    )
