"""The styles that a trained generator keeps by name."""

import dataclasses

import numpy as np

from vgan.datasets import stills, synthetic
from vgan.datasets.folders import Folder

MOST = 24  # of one folder; any other picture is a style too, by its path


def named_styles(config):
    """Return the styles of an experiment that deserve a name.

    Args:
        config: A config.Experiment.

    Returns:
        {name: float32 [1, S, S, 3] in [-1, 1]}: the procedural styles by their kind,
        files by their name without suffix.
    """
    data = config.data
    sources = data.style if isinstance(data.style, dict) else {data.style: 1.0}
    clips = {}
    for source in sources:
        if source == "synthetic":
            clips |= {
                name: _painting(name, seed, data.image_size)
                for seed, name in enumerate(synthetic.STYLES)
            }
        else:
            size = data.style_size or data.image_size
            whole = dataclasses.replace(data, image_size=size)
            folder = Folder(source, "style", "train", whole)
            for file in folder.files[:MOST]:
                clip = folder.read(file, np.random.default_rng(0), 1)
                if clip is not None:
                    clips[file.stem] = clip
    return {
        name: clip.frames.astype(np.float32) / 127.5 - 1 for name, clip in clips.items()
    }


def _painting(name, seed, size):
    picture = synthetic.painting(name, seed, size * 3 // 2)
    rng = np.random.default_rng(0)
    return stills.clip_of_still(picture, rng, 1, size, training=False)
