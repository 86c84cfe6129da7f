"""Recovery: updates that would not be finite, named, got past and kept to look into."""
