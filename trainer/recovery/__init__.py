"""Recovery: finds the cause of updates that would not be finite, handles them, and saves them for examination."""
