"""Settings: what a trainer is asked for, whether it can work, and how it may change."""
