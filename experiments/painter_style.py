r"""The painter leaves its teacher: the statistics of the paintings themselves.

Stage 2, from weights of experiments/painter.py. A teacher can be imitated, not
surpassed; so the style terms here read the painting (Gatys et al., 2016), in two
networks, and without color two times in five, so that nothing but brushwork can
please, and tile by tile, so that flat walls are painted too: the noise field is there
for that. Content is held where the teacher holds it, and the teacher stays with a small
weight.

Data:    as experiments/painter.py, and data/vgg19.npz, a VGG-19 up to conv3_1 at least.
Command: make train EXP=painter_style BACKEND=jax, with a GPU, or, for minutes that are
         lent, EXP=painter_style tools/train_on_accelerator.sh
"""

from vgan.config import Data, Experiment, Train


def get_config():
    """Clips of two frames at 256 px, each eight frames long over four steps."""
    return Experiment(
        data=Data(
            where="device",
            content={"data/photos": 3, "data/films": 1},
            style={"data/styles": 8, "data/photos": 1},
            image_size=256,
            clip_length=2,
            style_length=1,
            style_size=288,
            style_hues=0.1,
            noise=8.0,
            validation=0.02,
        ),
        generator=dict(network="painter"),
        losses=dict(
            features="data/vgg.npz",
            distillation=0.25,
            content=dict(weight=0.4, target=0.45),
            style=2.0,
            last_frame_style=dict(
                weight=2.0,
                features="data/vgg19.npz",
                texture=0.4,
                grayscale_probability=0.4,
            ),
            temporal=10.0,
        ),
        train=Train(
            start="painterly",
            teacher="data/magenta.keras",
            only=["-style"],
            steps=100_000,
            batch_size=8,
            unroll=4,
            g_learning_rate=4e-4,
            clip_norm=4.0,
            cooldown=0.6,
            evaluate_every=5000,
            sample_every=5000,
            checkpoint_every=500,
        ),
    )
