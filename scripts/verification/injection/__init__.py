"""Injection of faults into real runs: the faults, and what runs them."""
