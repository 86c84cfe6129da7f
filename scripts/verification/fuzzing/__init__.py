"""Random configurations of a run, each held against a plain eager loop; the pieces that fuzz.py runs."""
