"""Steps: one forward pass, one backward pass, one update, whatever the batch is cut into."""
