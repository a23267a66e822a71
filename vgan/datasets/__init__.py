"""Clips for training: rendered, made from stills, or cut from videos.

`clips.make_dataset` is the way in. Everything but `clips` is free of TensorFlow.
Importing this makes `video_clips` known to tensorflow-datasets, where TensorFlow is.
"""

import importlib.util

if importlib.util.find_spec("tensorflow") is not None:
    from vgan.datasets import builder as _builder  # noqa: F401
