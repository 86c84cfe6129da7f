"""Several runs side by side: their names, what differs in their settings, which are repeats, and their values."""
