r"""A network that tints: any style from one picture, steady, small.

`painterly` was this until experiments/painter.py made one that repaints.

Photos become clips by a moving window, with exact flow; videos teach how things really
look when they move. Styles are pictures in a folder, part of them in other colors; the
clips that the discriminator takes for real are moving windows over them. The terms that
keep content and consistency are held at what the model that ships has reached, so that
style goes as far as these allow.

Command: make train EXP=painterly, with photos, prepared clips and paintings where the
         fields below say, or
         python -m vgan.train --experiment=painterly --set data.style=PAINTINGS \
             --set 'data.content={"PHOTOS": 2, "CLIPS": 1}' \
             --set losses.features=distilled.npz \
             --set losses.last_frame_style.features=vgg19.npz
         and, to go on from a run of it, with its filter as it is:
             --set train.start=runs/painterly/generator.keras \
             --set 'train.only=["-filter"]' --set train.g_learning_rate=6e-4
         to teach the filter alone, which costs a fraction, see the card,
         vgan/pretrained/README.md.
Takes:   68 ms a step of 8 clips of 8 frames on one NVIDIA H200 (JAX, batches made on
         the GPU); on 2 CPU cores 1.2 to 1.5 s a step of 4 clips of 4 frames at 128
         pixels.
Result:  these fields made the last 3,773 steps of what shipped, going on as above; the
         card tells of the stages before, with other weights of the losses, and of what
         it reached. They have not been run from scratch to the end.
"""

from vgan.config import Data, Experiment, Train


def get_config():
    """Patches of two pixels at 144 px; strokes of paintings 256 pixels high."""
    return Experiment(
        data=Data(
            content={"data/photos": 2, "data/clips": 1},
            style="data/styles",
            image_size=144,
            clip_length=8,
            style_length=8,
            style_size=256,
            style_hues=0.4,
            noise=6.0,
            validation=0.02,
        ),
        generator=dict(
            filters=(16, 32, 64),
            hidden_filters=48,
            blocks=3,
            fine_blocks=1,
            recursive=True,
            patch_size=2,
            code_size=128,
            style_filters=(32, 64, 96, 128),
        ),
        discriminator=dict(filters=(32, 64, 128)),
        losses=dict(
            features="vgg19",
            content=dict(weight=2.5, target=0.24),
            layout=4.0,
            edges=dict(weight=16.0, target=0.205),
            style=100.0,
            last_frame_style=dict(
                weight=320.0, features="vgg19", grayscale_probability=0.5
            ),
            temporal_long=dict(weight=1300.0, target=0.006),
            state_consistency=dict(weight=3000.0, target=0.0002),
            adversarial=dict(name="relativistic", weight=0.5),
            temporal=dict(weight=600.0, target=0.0025),
        ),
        train=Train(
            steps=12_000,
            batch_size=8,
            g_learning_rate=1e-3,
            d_learning_rate=3e-4,
            clip_norm=2.0,
            cooldown=0.5,
            burn_in=2,
            evaluate_every=1000,
            sample_every=1000,
        ),
    )
