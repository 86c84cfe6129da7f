"""What the page about methods of balancing shows, a file a part."""
