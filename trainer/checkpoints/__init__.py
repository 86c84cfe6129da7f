"""Checkpoints: the training state, saved to disk and restored from there."""
