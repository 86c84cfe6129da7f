"""Checkpoints: the state of training on disk, whole and sound, and back from there."""
