"""Feeds: where examples come from, and how they reach the steps of a chunk."""
