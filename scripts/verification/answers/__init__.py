"""Mistakes that users make, each with what they type; `mistakes.py` beside this folder writes down the answers."""
