"""Frame in, frame out: a trained generator at work on live or stored video.

`engines` run one frame of the network, `styles` turns what the user names into a style
code, `Stylizer` carries the state from frame to frame. Nothing here imports Keras
before an engine is loaded.
"""

from vgan.runtime.stylizer import Stylizer

__all__ = ["Stylizer"]
