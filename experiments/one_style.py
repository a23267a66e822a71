r"""A picture of your own, tuned: its style code learns, and nothing else.

A style code is the vector of all scales and shifts of the painter. What the style
encoder makes of a picture is a good guess; from there the vector itself, a bias, learns
from the picture. The result is painterly.keras with one more named style, called like
the file.

Command: make train EXP=one_style STYLE=my.jpg
Then:    make generate MODEL=runs/one_style_my/generator.keras STYLE=my INPUT=video.mp4
Takes:   200 s of processor time, start and end included; downloads a VGG-19, once.
Reached: for a serape, whose like painterly never saw, with photos for content, on one
         frame of each of three films: style strength 0.69 for 0.66 by VGG-19, which it
         learns from, and without color 0.66 for 0.73; by a VGG-16, 0.55 for 0.49,
         without color 0.49 for 0.61. So colors come nearer, and strokes do not.
         With the features of the painter's own encoder
         (--set losses.last_frame_style.features=painterly), which need no download, it
         came no nearer in 60 steps: 0.64, and 0.51 by VGG-16.
More:    ARGS="--set train.only=['-style'] --set train.g_learning_rate=1e-4 \
             --set train.steps=1000" lets the whole decoder learn: then that picture is
         all that the model is good at. --set data.content=my_films/ paints what you
         will paint.
"""

from vgan.config import Data, Experiment, Train


def get_config():
    """Single frames of 224 px."""
    return Experiment(
        data=Data(
            style="my.jpg",
            image_size=224,
            clip_length=1,
            style_length=1,
            style_size=256,
            noise=4.0,
        ),
        generator=dict(network="painter"),
        losses=dict(
            features="painterly",
            content=0.2,
            last_frame_style=dict(
                weight=2.0, features="vgg19", texture=0.4, grayscale_probability=0.4
            ),
        ),
        train=Train(
            start="painterly",
            only=["modulate/bias"],
            steps=100,
            batch_size=2,
            g_learning_rate=0.01,
            cooldown=0.5,
            ema_decay=0.9,
            alarm_every=10_000,  # another style changes nothing: there is none
            evaluate_every=100,
            sample_every=100,
            checkpoint_every=100,
        ),
    )
