"""Running: what happens between the steps of a run, from its first word to its last."""
