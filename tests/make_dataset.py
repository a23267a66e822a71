"""Batches as an experiment says them, for tests that begin with one."""

from vgan.config import data_arguments
from vgan.datasets.batches import open_clips


def make_dataset(config, split, first_step=0):
    return open_clips(split=split, **data_arguments(config))(first_step)
