"""Mixing: examples whose results depend on the others of their batch, found by trial and refused."""
