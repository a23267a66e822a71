"""From batches to weights: the GAN's training step, checkpoints and what is watched."""


class Stopped(Exception):  # noqa: N818, it is no error of the code
    """Training has ended since the game went wrong; the message says how."""
