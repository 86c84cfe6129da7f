"""Examples in each kind of source that there is, and what trains from them, a file a part."""
