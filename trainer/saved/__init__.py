"""A saved run used again: its model, its configuration and its numbers, read from its folder."""
