"""Clips for training: rendered, made from stills, or cut from videos.

`clips` is the way in. What of the room needs TensorFlow imports it at the first use.
"""

import sys


def __getattr__(name: str) -> object:
    """Import the public names at their first use; they need more than NumPy."""
    if name in ("clips", "plain_errors"):
        from vgan.datasets import batches

        return getattr(batches, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if "tensorflow_datasets" in sys.modules:  # then `video_clips` is one of its data sets
    from vgan.datasets import builder as _builder  # noqa: F401
