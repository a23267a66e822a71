"""Your own videos in your own styles: copy this file, change it, run it.

Put your files here, in any sub-folders:

    data/my_videos/content/    videos (any that FFmpeg reads), photos, or both
    data/my_videos/styles/     paintings, photos or clips of textures; one is enough

Command: make train EXP=my_videos
Watch:   make tensorboard
Takes:   hours on a CPU. So far it was run for 30 steps only, to see that it runs.
"""

from vgan.config import Data, Experiment, Train


def get_config():
    """The default generator at 128 px; every field here is a good first knob."""
    return Experiment(
        data=Data(
            # Folders with weights. Rendered scenes stay in the mixture: how they move
            # is known exactly, how videos move is estimated.
            content={"data/my_videos/content": 3, "synthetic": 1},
            style="data/my_videos/styles",
            image_size=128,
            clip_length=4,
            fps=12,
        ),
        losses=dict(
            # "vgg19" downloads once and knows brushwork best; or the path of an .npz
            features="random",
            content=0.5,  # higher: the content stays sharper
            style=10.0,  # higher: more of the painting
            # higher: more texture, less calm
            adversarial=dict(name="relativistic", weight=0.2),
            temporal=20.0,  # higher: steadier
        ),
        train=Train(steps=20_000, batch_size=4),
    )
