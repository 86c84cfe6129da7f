"""Mistakes that users make, each with what they type; `scripts/mistakes.py` writes down what they are told."""
