"""From batches to weights: the GAN's training step, checkpoints and what is watched."""
