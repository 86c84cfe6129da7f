"""Storage: what reaches the disk whole, by one process at a time, and while training continues."""
