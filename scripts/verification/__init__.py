"""Evidence: what is promised is tried on real runs, and the outcome is written down in docs/."""
