r"""The painter learns from a teacher of pictures, then keeps its marks where they are.

The paired objective min |G(x) - y|, at several sizes, of edges and of textures: y is
what the teacher makes of the frame without its noise. Any picture is a style, photos
too. Batches are made on the accelerator; clips go on over steps with their state.

Data:    data/photos, data/films and data/styles: folders of pictures, such as
         tools/pack_pictures.py makes; data/vgg.npz, a VGG-19 (data/README.md);
         data/magenta.keras, of tools/magenta_teacher.py.
Command: make train EXP=painter BACKEND=jax, with a GPU, or, for minutes that are lent,
         tools/train_on_accelerator.sh
         On two CPU cores: make train EXP=painter ARGS="--set data.image_size=128 \
             --set train.batch_size=4"
"""

from vgan.config import Data, Experiment, Train


def get_config():
    """Clips of two frames at 256 px, each eight frames long over four steps."""
    return Experiment(
        data=Data(
            where="device",
            content={"data/photos": 3, "data/films": 1},
            style={"data/styles": 4, "data/photos": 1},
            image_size=256,
            clip_length=2,
            style_length=1,
            style_size=288,
            style_hues=0.3,
            noise=8.0,
            validation=0.02,
        ),
        generator=dict(network="painter"),
        losses=dict(
            features="data/vgg.npz",
            distillation=1.0,
            distillation_texture=3.0,
            temporal=60.0,
        ),
        train=Train(
            teacher="data/magenta.keras",
            only=["-style"],
            steps=100_000,
            batch_size=8,
            unroll=4,
            g_learning_rate=1e-3,
            clip_norm=4.0,
            cooldown=0.6,
            evaluate_every=5000,
            sample_every=5000,
            checkpoint_every=500,
        ),
    )
