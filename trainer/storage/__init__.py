"""Storage: writes files as a whole, by one process at a time, and while training continues."""
