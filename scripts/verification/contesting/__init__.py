"""What fixed weights and methods of balancing make of problems of ours, seed by seed, a file a part."""
