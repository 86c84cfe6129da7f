"""Fit: what `ObjectiveModel` needs to train by Keras's own loop."""
