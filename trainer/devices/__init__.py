"""Devices: over which a run is mirrored, in one process or several."""
