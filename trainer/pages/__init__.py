"""A page about a run, or about several side by side, in one HTML file that needs no network."""
