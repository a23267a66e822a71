"""From batches to weights: the GAN's training step, checkpoints and what is watched."""


class Stopped(Exception):  # noqa: N818, it is no error of the code
    """Training has ended because of a failure mode; the message says which."""
