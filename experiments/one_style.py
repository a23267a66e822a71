r"""A picture of your own, tuned: its style code learns, and nothing else.

A style code is the vector of all scales and shifts of the painter. What the style
encoder makes of a picture is a good guess; from there the vector itself learns from the
picture. The result is painterly.keras with one more named style, called like the file.

Command: make train EXP=one_style STYLE=my.jpg
Then:    make generate MODEL=runs/one_style_my/generator.keras STYLE=my INPUT=video.mp4
Takes:   about two minutes on 2 cores, start and end included.
Reached: for a serape, whose like painterly never saw, and photos for content: on three
         frames of films style strength 0.64 for 0.61 by VGG-19, without color 0.55 for
         0.59; by a VGG-16 0.48 for 0.48, without color 0.37 for 0.47. Reds and creams
         become those of the weave; strokes do not come nearer. Pictures that painterly
         was trained with gain nothing.
More:    ARGS="--set train.only=['-style'] --set train.g_learning_rate=1e-4 \
             --set train.steps=1000" lets the whole decoder learn: then that picture is
         all that the model is good at. --set data.content=my_films/ paints what you
         will paint.
"""

from vgan.config import Data, Experiment, Train


def get_config():
    """Single frames of 192 px, in the features of the painter's own style encoder."""
    return Experiment(
        data=Data(
            style="my.jpg",
            image_size=192,
            clip_length=1,
            style_length=1,
            style_size=256,
            noise=4.0,
        ),
        generator=dict(network="painter"),
        losses=dict(
            features="painterly",
            content=0.4,
            last_frame_style=dict(
                weight=2.0, features=None, texture=0.4, grayscale_probability=0.4
            ),
        ),
        train=Train(
            start="painterly",
            only=["modulate"],
            steps=150,
            batch_size=2,
            g_learning_rate=1e-4,
            cooldown=0.5,
            ema_decay=0.95,
            alarm_every=10_000,  # another style changes nothing: there is none
            evaluate_every=150,
            sample_every=150,
            checkpoint_every=150,
        ),
    )
