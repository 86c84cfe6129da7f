"""Running: what happens between the steps of a run, from its start to its end."""
