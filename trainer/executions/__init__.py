"""Executions: how chunks of steps are compiled, chosen and run."""
