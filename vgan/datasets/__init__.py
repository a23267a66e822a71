"""Clips for training: rendered, made from stills, or cut from videos.

`clips.make_dataset` is the way in. Everything but `clips` is free of TensorFlow.
"""
