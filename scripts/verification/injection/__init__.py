"""Injection of faults into real runs: what there is to inject, and where it is done."""
