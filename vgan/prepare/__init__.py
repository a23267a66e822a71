"""A user's own videos and photos to a data set: scan, choose, write, report.

`run.prepare` is the way in. Nothing here imports TensorFlow, but what it calls to
write shards, `datasets.builder`, does.
"""
