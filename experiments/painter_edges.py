r"""The painter leaves edges and faces where the film has them, and is steady.

Stage 3, from weights of experiments/painter_style.py, without a teacher: style and
texture as there, and edges held at a correlation of 0.76 with the film's, which that
painter had given up for strokes.

Data:    as of painter_style.py, without data/magenta.keras.
Command: make train EXP=painter_edges BACKEND=jax, with a GPU, or, for minutes that are
         lent, tools/train_on_accelerator.sh
         On CPU cores, with ARGS="--set data.image_size=192 --set data.style_size=224 \
             --set train.batch_size=2 --set train.minutes=65"
Result:  0.8 of painterly.keras, by the last of these commands from the stage before,
         on one core, then with less noise, the filter of before and measured palettes;
         more steps with these made it weaker: docs/pretrained.md.
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
            content=dict(weight=0.6, target=0.42),
            edges=dict(weight=1.0, target=0.24),
            style=2.0,
            last_frame_style=dict(
                weight=2.0,
                features="data/vgg19.npz",
                texture=0.3,
                grayscale_probability=0.4,
            ),
            temporal=20.0,
        ),
        train=Train(
            start="painterly",
            only=["-style"],
            steps=100_000,
            batch_size=8,
            unroll=4,
            g_learning_rate=2.5e-4,
            clip_norm=4.0,
            cooldown=0.5,
            ema_decay=0.998,
            evaluate_every=5000,
            sample_every=5000,
            checkpoint_every=500,
        ),
    )
