"""What the commands share: their flags, how they end, what signals do to them, and how they show results."""
