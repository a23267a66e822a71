r"""The small model that ships: painterly.py's training, half the channels.

Command: make train EXP=painterly_small, with photos, prepared clips and paintings where
         the fields of painterly say. It begins with layers of the
         model that ships, which had begun with those of what painterly was then.
Takes:   62 ms a step of 8 clips of 8 frames on one NVIDIA H200, all of it 6.5 minutes
         (JAX, batches made on the GPU).
Result:  painterly_small.keras, which ships; see the card, vgan/pretrained/README.md.
"""

from vgan.config import load, override


def get_config():
    """A level more, half the channels, a learning rate to begin with."""
    changes = [
        "generator.filters=[8, 16, 32, 64]",
        "generator.hidden_filters=32",
        "generator.blocks=2",
        "losses.content.target=0.26",
        "losses.edges.target=0.225",
        "losses.temporal.target=0.003",
        "losses.temporal_long.target=0.008",
        "losses.state_consistency.target=0.0004",
        "losses.state_consistency.weight=2000",
        "train.start=painterly_small",
        'train.start_layers=["style", "mapping", "filter"]',
        'train.only=["-filter"]',
        "train.g_learning_rate=1.5e-3",
        "train.steps=6200",
        "train.cooldown=0.4",
        "train.burn_in=1",
    ]
    return override(load("painterly"), changes)
