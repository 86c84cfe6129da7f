"""Devices: what a run is mirrored over, in one process or several."""
