"""Settings: the settings of a trainer, whether they can work, and how they may change."""
