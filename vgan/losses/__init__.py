"""Losses: tensors in, one float32 scalar out, `keras.ops` only."""
