"""Callbacks of Keras: which can work in a run, when they are called, and what a checkpoint keeps of them."""
