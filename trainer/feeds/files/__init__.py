"""Sources over files: each is one line of gin, and each file can be read by itself."""
