r"""The small sibling of the model that ships: what painterly makes, for less.

It learns from the larger one's results alone (Hinton et al., 2015), without a feature
network and without a game, so that a step costs a fraction.

Command: make train EXP=painterly_small, with photos, prepared clips and paintings where
         the fields below say, or
         python -m vgan.train --experiment=painterly_small --set data.style=PAINTINGS \
             --set 'data.content={"PHOTOS": 2, "CLIPS": 1}'
Result:  after 2,230 steps on 2 CPU cores, twenty minutes beside other work, the
         colours of the teacher and none of its strokes: it does not ship yet.
"""

from vgan.config import Data, Experiment, Losses, Train


def get_config():
    """Half the channels, a level more, no fine blocks."""
    return Experiment(
        data=Data(
            content={"data/photos": 2, "data/clips": 1},
            style="data/styles",
            image_size=128,
            clip_length=4,
            style_length=1,
            style_size=256,
            style_hues=0.4,
            validation=0.02,
        ),
        generator=dict(
            filters=(8, 12, 24, 48),
            hidden_filters=24,
            blocks=2,
            patch_size=2,
            code_size=128,
            style_filters=(32, 64, 96, 128),
        ),
        losses=Losses(gan=0.0, content=0.0, style=0.0, temporal=0.0, distillation=10.0),
        train=Train(
            teacher="vgan/pretrained/painterly.keras",
            steps=20_000,
            g_learning_rate=2e-3,
            clip_norm=2.0,
            evaluate_every=1000,
            sample_every=1000,
        ),
    )
