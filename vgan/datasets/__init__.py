"""Clips for training: rendered, made from stills, or cut from videos.

`clips.make_dataset` is the way in. Everything but `clips` is free of TensorFlow.
Importing this makes `video_clips` known to tensorflow-datasets.
"""

from vgan.datasets import builder as _builder  # noqa: F401
