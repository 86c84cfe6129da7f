"""Layers: what the layers of a model keep, write and take of a batch themselves."""
