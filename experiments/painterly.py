r"""The model that ships: any style from one picture, steady, small.

Photos become clips by a moving window, with exact flow; videos teach how things really
look when they move. Styles are pictures in a folder, part of them in other colours; the
clips that the discriminator takes for real are moving windows over them.

Command: make train EXP=painterly, with photos, prepared clips and paintings where the
         fields below say, or
         python -m vgan.train --experiment=painterly --set data.style=PAINTINGS \
             --set 'data.content={"PHOTOS": 2, "CLIPS": 1}' \
             --set losses.features=distilled.npz --set losses.second_features=vgg19.npz
         and, to go on from what ships:
             --set train.start=vgan/pretrained/painterly.keras
Takes:   a GPU is advised; on CPUs a distilled VGG for all frames and the real one for
         the last of each clip, as above, cost 0.6 s a step. vgan/pretrained/README.md
         tells what was trained so far.
"""

from vgan.config import Data, Experiment, Losses, Train


def get_config():
    """Patches of two pixels at 128 px; strokes of paintings 256 pixels high."""
    return Experiment(
        data=Data(
            content={"data/photos": 2, "data/clips": 1},
            style="data/styles",
            image_size=128,
            clip_length=4,
            style_length=4,
            style_size=256,
            style_hues=0.4,
            validation=0.02,
        ),
        generator=dict(
            filters=(16, 32, 64),
            hidden_filters=48,
            blocks=3,
            fine_blocks=1,
            patch_size=2,
            code_size=128,
            style_filters=(32, 64, 96, 128),
        ),
        discriminator=dict(filters=(16, 32, 64)),
        losses=Losses(
            features="vgg19",
            content=2.5,
            layout=4.0,
            edges=16.0,
            style=100.0,
            second_features="vgg19",
            second_style=320.0,
            temporal=600.0,
            temporal_long=1300.0,
            gan=0.5,
        ),
        train=Train(
            steps=40_000,
            schedule=[
                dict(until=4000, clip_length=2, style_length=2, batch_size=8),
            ],
            g_learning_rate=6e-4,
            d_learning_rate=2e-4,
            clip_norm=2.0,
            evaluate_every=1000,
            sample_every=1000,
        ),
    )
